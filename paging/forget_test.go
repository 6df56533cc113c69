package paging

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a forgotten table holds is found no more, in its own blocks, in another's of the same content, and where a window has
// left; what others hold stays.
func TestForget(t *testing.T) {
	for name, groups := range map[string][]Group{"full": nil, "window": {{}, {Window: 4}}} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t, Config{BlockSize: 4, Blocks: 40, PrefixCache: true, Groups: groups})
			other, _ := b.allocate(runs(4, 9, 1, 1))
			a, _ := b.allocate(runs(12, 1))
			b.EndStep()
			probe := runs(13, 1)
			require.Equal(t, 12, b.Match(b.NewTable(Extras{}), probe))
			b.Forget(a)
			b.check()
			assert.Zero(t, b.Match(b.NewTable(Extras{}), probe))
			b.Free(a)
			b.check()
			assert.Zero(t, b.Match(b.NewTable(Extras{}), probe), "freed, it stays so")
			assert.Equal(t, 4, b.Match(b.NewTable(Extras{}), runs(4, 9, 1, 1)))
			b.Free(other)
		})
	}
}
