package schedule

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/paging"
)

// beamIDs are the sequences of the request that TestLockstep runs.
var beamIDs = []uint64{1, 2, 3}

// TestLockstep runs three beams under a budget that holds one token, so that each step lands one beam's token. No beam
// may run ahead, not even one that comes back from a preemption with its newest token known.
func TestLockstep(t *testing.T) {
	for name, lose := range map[string]func(r *rig){
		"undisturbed": func(*rig) {},
		"preempted":   func(r *rig) { r.preempt(r.byID[beamIDs[0]].request) },
		"device lost": func(r *rig) { require.NoError(t, r.Reset()); r.machine.lose() },
	} {
		t.Run(name, func(t *testing.T) {
			r := endless(t, Config{BlockSize: 4, Blocks: 60, Depth: 2, TokenBudget: 1, PrefixCache: true})
			r.add(Request{ID: 1, Lanes: 3, LandEach: true, Lockstep: true, Prompt: prompt(1, 6), MaxTokens: 6})
			for len(r.texts[1]) == 0 {
				r.advance()
			}
			require.NoError(t, r.forkTo(1, 2, 7))
			require.NoError(t, r.forkTo(1, 3, 8))
			require.NoError(t, r.Replace(1, 9))
			want := map[uint64][]int32{}
			for i, id := range beamIDs {
				want[id] = append(prompt(1, 6), []int32{9, 7, 8}[i])
				r.texts[id] = []int32{want[id][6]}
			}
			for round := 2; round <= 6; round++ {
				landed := func() int {
					n := 0
					for _, id := range beamIDs {
						require.LessOrEqual(t, len(r.texts[id]), round)
						if len(r.texts[id]) == round {
							n++
						}
					}
					return n
				}
				for landed() == 0 {
					r.advance()
				}
				require.Equal(t, 1, landed())
				if round == 3 {
					for r.Stats().InFlight > 0 {
						r.land(r.flight[0].number)
					}
					lose(r)
				}
				for landed() < len(beamIDs) {
					r.advance()
					require.NoError(t, r.Check())
				}
				for _, id := range beamIDs {
					if q := r.byID[id]; q != nil {
						require.Zero(t, q.unlanded, "nobody begins before all have landed")
					}
					want[id] = append(want[id], following([]paging.Group{{}}, want[id], round-1))
				}
			}
			for _, id := range beamIDs {
				assert.Equal(t, want[id][6:], r.texts[id])
			}
		})
	}
}

func TestReplace(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 40})
	r.add(Request{ID: 1, Prompt: prompt(1, 6), MaxTokens: 3})
	assert.ErrorIs(t, r.Replace(2, 7), ErrUnknown)
	assert.ErrorIs(t, r.Replace(1, 7), ErrCannot, "nothing is sampled")
	assert.Equal(t, 3, r.Room(1))
	r.next()
	assert.ErrorIs(t, r.Replace(1, 7), ErrInFlight)
	r.land(1)
	assert.Equal(t, 2, r.Room(1))
	assert.ErrorIs(t, r.Replace(1, -1), ErrCannot)
	require.NoError(t, r.Replace(1, 7))
	tokens, _ := r.Tokens(1)
	tokens = slices.Clone(tokens)
	assert.EqualValues(t, 7, tokens[6])
	r.finish()
	assert.Equal(t, following([]paging.Group{{}}, tokens, 1), r.texts[1][1], "what follows follows the new token")
	assert.Zero(t, r.Room(1))
}

// advance makes a step or lands one.
func (r *rig) advance() {
	if d := r.next(); d.Kind == Land {
		r.land(d.Step)
	}
}
