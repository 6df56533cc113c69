package schedule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/step"
)

// pressed runs two requests of 11 and 9 tokens, which grow out of 7 blocks of 4, until one has to go.
func pressed(t *testing.T, c Config) (*rig, Decision) {
	c.BlockSize, c.Blocks = 4, 8
	r := endless(t, c)
	require.NoError(t, r.Add(Request{ID: 1, Prompt: prompt(1, 11), MaxTokens: 12}))
	require.NoError(t, r.Add(Request{ID: 2, Prompt: prompt(2, 9), MaxTokens: 12}))
	for range 100 {
		d := r.next()
		if len(d.Preempted) > 0 {
			return r, d
		}
		if d.Kind == Land {
			r.land(d.Step)
		}
	}
	require.Fail(t, "nobody had to go")
	return nil, Decision{}
}

func TestSwapByCost(t *testing.T) {
	for _, test := range []struct {
		name   string
		config Config
		want   Preempted
	}{
		{"no host memory", Config{TokenCost: 9, BlockCost: 1}, Preempted{Recompute: 108, Swap: 3}},
		{"too little of it", Config{TokenCost: 9, BlockCost: 1, HostBlocks: 2}, Preempted{Recompute: 108, Swap: 3}},
		{"swap is cheaper", Config{TokenCost: 9, BlockCost: 1, HostBlocks: 3}, Preempted{Recompute: 108, Swap: 3, Swapped: true}},
		{"so is recompute", Config{TokenCost: 1, BlockCost: 4, HostBlocks: 9}, Preempted{Recompute: 12, Swap: 12}},
		{"never", Config{TokenCost: 9, BlockCost: 1, HostBlocks: 9, Preemption: Recompute}, Preempted{Recompute: 108, Swap: 3}},
		{"always", Config{TokenCost: 1, BlockCost: 9, HostBlocks: 9, Preemption: Swap}, Preempted{Recompute: 12, Swap: 27, Swapped: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, d := pressed(t, test.config)
			test.want.Sequence, test.want.Sequences, test.want.Tokens, test.want.Blocks = 2, 1, 12, 3
			require.Equal(t, []uint64{2}, d.Preempted)
			require.Equal(t, []Preempted{test.want}, d.Weighed)
			if test.want.Swapped {
				require.Len(t, r.step.SwapOuts, 3)
			} else {
				require.Empty(t, r.step.SwapOuts)
			}
			r.finish()
			for id, n := range map[uint64]int{1: 11, 2: 9} {
				assert.Equal(t, continuation(nil, prompt(int(id), n), 12, 100), r.texts[id])
			}
			assert.Equal(t, test.want.Swapped, r.Stats().Cache.SwapIns > 0)
			assert.Equal(t, r.Stats().Cache.HostBlocks, r.Stats().Cache.HostFree)
		})
	}
}

// What was swapped out goes on with its next token, and its blocks come back only when they have landed.
func TestSwapLandsFirst(t *testing.T) {
	r, d := pressed(t, Config{HostBlocks: 9, Preemption: Swap, Depth: 3})
	require.NoError(t, r.Cancel(1))
	out := d.Step
	require.Equal(t, Decision{Kind: Land, Step: out}, r.next(), "nothing else could run")
	r.land(out)
	d = r.next()
	require.Equal(t, Run, d.Kind)
	assert.Equal(t, []Opened{{Sequence: 2, Lane: 0, Sampled: 4, Cached: 12}}, d.Opened)
	assert.Len(t, r.step.SwapIns, 3)
	assert.Equal(t, []step.Row{{Sequence: 2, Lane: 0, Count: 1, Start: 12, Blocks: 4, Next: step.LaneToken}}, r.step.Rows)
	r.finish()
	assert.Equal(t, continuation(nil, prompt(2, 9), 12, 100), r.texts[2])
}

// A step that failed brought nothing to host memory.
func TestFailedSwap(t *testing.T) {
	r, d := pressed(t, Config{HostBlocks: 9, Preemption: Swap})
	require.NoError(t, r.Fail(d.Step))
	clear(r.machine.going)
	assert.Equal(t, 9, r.Cache().HostFree())
	r.finish()
	assert.Zero(t, r.Stats().Cache.SwapIns)
	assert.Equal(t, continuation(nil, prompt(2, 9), 12, 100), r.texts[2])
}

// A draft that was dropped while its sequence was away is not taken back.
func TestTruncateSwapped(t *testing.T) {
	r, d := pressed(t, Config{HostBlocks: 9, Preemption: Swap})
	require.NoError(t, r.Truncate(2, 2))
	r.texts[2] = r.texts[2][:2]
	r.land(d.Step)
	r.finish()
	assert.NotZero(t, r.Stats().Cache.SwapIns)
	assert.Equal(t, continuation(nil, prompt(2, 9), 12, 100), r.texts[2])
}

func TestCancelSwapped(t *testing.T) {
	r, _ := pressed(t, Config{HostBlocks: 9, Preemption: Swap})
	require.Equal(t, 6, r.Cache().HostFree())
	require.NoError(t, r.Cancel(2))
	assert.Equal(t, 9, r.Cache().HostFree())
	require.NoError(t, r.Check())
}

// Sequences that share blocks go and come back as one, sharing them still.
func TestSwapGroup(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 16, HostBlocks: 20, Preemption: Swap})
	require.NoError(t, r.Add(Request{ID: 1, Prompt: prompt(1, 18), MaxTokens: 12}))
	require.NoError(t, r.Add(Request{ID: 2, Samples: []uint64{3, 4}, Prompt: prompt(2, 8), MaxTokens: 12}))
	r.finish()
	s := r.Stats()
	require.NotZero(t, s.Swaps)
	require.Equal(t, s.Preemptions, s.Swaps)
	assert.Less(t, s.Cache.SwapOuts, s.Swaps*3*5, "shared blocks move once")
	for id, n := range map[uint64]int{2: 8, 3: 8, 4: 8, 1: 18} {
		assert.Equal(t, continuation(nil, prompt(min(int(id), 2), n), 12, 100), r.texts[id], "sequence %d", id)
	}
}

// Sequences of a request come back together: when the step that brings their blocks fails, all of them have none, whatever
// has become of the one that had tokens in it.
func TestFailedReturn(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 16, HostBlocks: 20, Preemption: Swap, Depth: 2})
	require.NoError(t, r.Add(Request{ID: 1, Prompt: prompt(1, 18), MaxTokens: 12}))
	require.NoError(t, r.Add(Request{ID: 2, Samples: []uint64{3, 4}, Prompt: prompt(2, 8), MaxTokens: 12}))
	var d Decision
	for r.Stats().Cache.SwapIns == 0 {
		if d = r.next(); d.Kind == Land {
			r.land(d.Step)
		}
	}
	require.Len(t, r.step.Rows, 1)
	first := r.step.Rows[0].Sequence
	require.NoError(t, r.Cancel(first))
	require.NoError(t, r.Fail(d.Step))
	require.NoError(t, r.Check())
	for _, id := range []uint64{2, 3, 4} {
		assert.Zero(t, r.Blocks(id))
	}
	delete(r.results, d.Step)
	r.machine.lose()
	r.finish()
	for id := uint64(2); id <= 4; id++ {
		if id != first {
			assert.Equal(t, continuation(nil, prompt(2, 8), 12, 100), r.texts[id])
		}
	}
}

// Who comes back to write from the middle of a block on that others share needs one more block, for a copy.
func TestRoomForACopy(t *testing.T) {
	r, d := pressed(t, Config{HostBlocks: 9, Preemption: Swap, PrefixCache: true})
	r.land(d.Step)
	require.NoError(t, r.Cancel(1))
	said, _ := r.Tokens(2)
	p, err := r.Pin(said, "", "")
	require.NoError(t, err)
	require.Equal(t, 12, p.Tokens())
	r.load(prompt(7, 100))
	require.Zero(t, r.Cache().Pool().Free())
	require.NoError(t, r.Truncate(2, 1))
	r.texts[2] = r.texts[2][:len(r.texts[2])-1]
	require.Equal(t, Run, r.next().Kind, "pins give way until there is room")
	r.finish()
	assert.Equal(t, continuation(nil, prompt(2, 9), 12, 100), r.texts[2])
}
