package schedule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"quire/paging"
)

// Blocks is the least that Slots gives room for.
func TestRoom(t *testing.T) {
	assert.EqualValues(t, 7, Room{BlockSize: 16}.Blocks(100))
	assert.Equal(t, 112, Room{BlockSize: 16}.Slots(7))
	gemma := Room{BlockSize: 16, TokenBudget: 512, Groups: []paging.Group{{}, {Window: 512}, {Window: 512}}}
	assert.EqualValues(t, 3*4, gemma.Blocks(64), "short of the windows, all groups alike")
	assert.EqualValues(t, 2048+2*67, gemma.Blocks(32768))
	rapid.Check(t, func(t *rapid.T) {
		r := Room{BlockSize: rapid.IntRange(1, 40).Draw(t, "block size"), TokenBudget: rapid.IntRange(1, 600).Draw(t, "budget")}
		for range rapid.IntRange(0, 8).Draw(t, "groups") {
			r.Groups = append(r.Groups, paging.Group{Window: rapid.IntRange(0, 700).Draw(t, "window"), Sinks: rapid.IntRange(0, 20).Draw(t, "sinks")})
		}
		tokens := rapid.IntRange(1, 100000).Draw(t, "tokens")
		blocks := int(r.Blocks(tokens))
		assert.GreaterOrEqual(t, r.Slots(blocks), tokens)
		assert.Less(t, r.Slots(blocks-1), tokens)
	})
}
