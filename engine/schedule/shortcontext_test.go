package schedule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a prompt is rotated by, its sequences are to their end, computed again or forked, and only their like share its blocks.
func TestShortContext(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 40, PrefixCache: true, ShortContext: 16})
	long := map[uint64]bool{}
	run := func(q Request) {
		require.NoError(t, r.Add(q))
		for d := r.next(); d.Kind != Idle; d = r.next() {
			if d.Kind == Land {
				r.land(d.Step)
				continue
			}
			for _, row := range r.step.Rows {
				if before, seen := long[row.Sequence]; seen {
					assert.Equal(t, before, row.Long, "sequence %d at %d", row.Sequence, row.Start)
				}
				long[row.Sequence] = row.Long
			}
		}
	}
	hits := func() uint64 { return r.Cache().Stats().HitTokens }

	run(Request{ID: 1, Prompt: prompt(1, 16), MaxTokens: 12})
	run(Request{ID: 2, Prompt: prompt(1, 17), MaxTokens: 6, Samples: []uint64{3}})
	assert.Equal(t, map[uint64]bool{1: false, 2: true, 3: true}, long, "the first grows past the border, and stays what it was")
	assert.Zero(t, hits(), "the second has the first's tokens, rotated otherwise")
	run(Request{ID: 4, Prompt: prompt(1, 20), MaxTokens: 1})
	assert.EqualValues(t, 16, hits())
	run(Request{ID: 5, Prompt: prompt(1, 13), MaxTokens: 1})
	assert.EqualValues(t, 28, hits(), "a short one finds what the first left")

	p, err := r.Pin(prompt(1, 17), "", "")
	require.NoError(t, err)
	assert.EqualValues(t, 16, p.Tokens())
	require.Equal(t, 12, r.loadOf(prompt(6, 12), 17).Tokens())
	run(Request{ID: 6, Prompt: prompt(6, 13), MaxTokens: 1})
	assert.EqualValues(t, 28, hits(), "what was loaded belongs to a longer conversation")
	run(Request{ID: 7, Prompt: prompt(6, 18), MaxTokens: 1})
	assert.EqualValues(t, 40, hits())
}
