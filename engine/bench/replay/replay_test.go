package replay

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/schedule"
	"quire/engine/step"
	"quire/paging/sim"
	"quire/tests/testdata"
)

func options(blocks, blockSize, maxLen int) Options {
	return Options{Blocks: blocks, BlockSize: blockSize, Setting: sim.Setting{MaxLen: maxLen}}
}

func replayPaged(t *testing.T, requests []sim.Request, o Options) sim.Result {
	t.Helper()
	results, err := Compare(requests, o)
	require.NoError(t, err)
	require.Len(t, results, 4)
	require.Equal(t, Paged, results[0].Name)
	for _, r := range results {
		require.Equal(t, results[0].Tokens, r.Tokens, "all allocators do the same work")
	}
	return results[0]
}

// Step 0: 3 tokens in 2 blocks and 1 token in 1 block, of 2 slots. Step 1: the first request alone, with 4 tokens.
func TestPagedByHand(t *testing.T) {
	got := replayPaged(t, []sim.Request{{Prompt: 3, Output: 2}, {Prompt: 1, Output: 1}}, options(5, 2, 8))
	assert.Equal(t, sim.Result{
		Name: Paged, TokenShare: 8. / 10, Internal: 2. / 10,
		Memory:   sim.Memory{Tokens: 8. / 20, Internal: 2. / 20, Free: 10. / 20},
		InFlight: 1.5, TokensPerStep: 1.5, Steps: 2, Requests: 2, Tokens: 3,
	}, got)
}

// Three blocks of 2 slots for two requests that come to 2 each. Step 0: both compute their prompts. Step 1: the first takes
// the third block, and the second has to go. Step 2: the first ends, while the second, of 3 tokens, finds one block only.
// Steps 3 and 4: the second computes its prompt once more, and ends.
func TestPreemptionByHand(t *testing.T) {
	got := replayPaged(t, []sim.Request{{Prompt: 2, Output: 3}, {Prompt: 2, Output: 3}}, options(4, 2, 5))
	assert.Equal(t, 1, got.Preemptions)
	assert.Equal(t, 2, got.Recomputed)
	assert.Equal(t, 5, got.Steps)
	assert.Equal(t, 6, got.Tokens)
	assert.Equal(t, 6./5, got.InFlight)
	assert.Equal(t, 18./20, got.TokenShare) // 4/4, 3/4, 4/4, 3/4, 4/4
	assert.Equal(t, sim.Memory{Tokens: 7. / 16, Internal: 1. / 16, Free: 8. / 16}, got.Memory)
}

func TestHashesHitThePrefixCache(t *testing.T) {
	requests := []sim.Request{
		{Prompt: 1030, Output: 2, Hashes: []int32{0, 1, 2}}, {Prompt: 1030, Output: 1, Hashes: []int32{0, 3, 2}},
		{Prompt: 1030, Output: 1, Hashes: []int32{0, 1, 4}}, {Prompt: 600, Output: 1}, {Prompt: 600, Output: 1},
	}
	got := replayPaged(t, requests, options(400, 16, 2048))
	assert.Equal(t, 512+1024, got.HitTokens, "hash 2 follows another one, and prompts without hashes are like no other")
	assert.Equal(t, 1536./(3*1030+2*600), got.HitRate)
	// Step 0 holds 65 blocks of the first, 33 and 1 more, and twice 38 of the last; step 1 the 65 of the first.
	assert.Equal(t, float64(1030+518+6+1200+1031)/((65+33+1+76+65)*16), got.TokenShare)
}

// A trace that is fed bit by bit goes through the same steps as one whose requests all wait at the start.
func TestFeedIsLikeAllAtOnce(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		requests := make([]sim.Request, 60)
		for i := range requests {
			requests[i] = sim.Request{Prompt: 1 + draw.IntN(12), Output: 1 + draw.IntN(12)}
		}
		o := options(10+draw.IntN(20), 1+draw.IntN(3), 24)
		if (o.Blocks-1)*o.BlockSize < o.MaxLen {
			o.BlockSize = 3
		}
		s, err := o.scheduler(false)
		require.NoError(t, err)
		fed, err := o.scheduler(false)
		require.NoError(t, err)
		for i, r := range requests {
			require.NoError(t, s.Add(schedule.Request{ID: id(i), Prompt: make([]int32, r.Prompt), MaxTokens: r.Output}))
		}
		var want step.Step
		f := feed{Scheduler: fed, requests: requests, setting: o.Setting}
		err = f.run(func(got *step.Step) {
			d := s.Schedule(&want)
			require.Equal(t, schedule.Run, d.Kind)
			require.Equal(t, want.Rows, got.Rows)
			require.Equal(t, want.Groups, got.Groups)
			_, err := s.Land(d.Step, make([]int32, len(want.Outputs)))
			require.NoError(t, err)
		}, nil)
		require.NoError(t, err)
		require.Equal(t, schedule.Idle, s.Schedule(&want).Kind)
	}
}

func TestPagedRequestsArrive(t *testing.T) {
	o := options(50, 2, 8)
	o.Step = time.Second
	got := replayPaged(t, []sim.Request{
		{Prompt: 1, Output: 1}, {Arrival: 2100 * time.Millisecond, Prompt: 1, Output: 2}, {Arrival: 4 * time.Second, Prompt: 1, Output: 1},
	}, o)
	assert.Equal(t, 3, got.Steps, "0, 3 and 4: nothing happens between")
	assert.Equal(t, 4./3, got.InFlight)
}

func TestCompareRefuses(t *testing.T) {
	_, err := Compare([]sim.Request{{Prompt: 90, Output: 9}}, options(5, 4, 200))
	assert.ErrorIs(t, err, sim.ErrNoRoom)
	assert.ErrorContains(t, err, "request 1")
	_, err = Compare([]sim.Request{{Prompt: 9, Output: 9}}, options(5, 16, 1))
	assert.ErrorContains(t, err, "maximum length is 1")
	_, err = Compare([]sim.Request{{Prompt: 9, Output: 9}}, options(1, 16, 64))
	assert.Error(t, err)
}

func TestAzureTrace(t *testing.T) {
	requests, err := sim.Read(bytes.NewReader(testdata.Bytes(t, "traces/AzureLLMInferenceTrace_conv.csv")), sim.Azure)
	require.NoError(t, err)
	results, err := Compare(requests, options(4096, 16, 2048))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, results[0].TokenShare, 0.99)
	assert.Zero(t, results[0].External)
	assert.InDelta(t, 0.54, results[1].TokenShare, 0.01)
	assert.InDelta(t, 0.80, results[2].TokenShare, 0.01)
	assert.InDelta(t, 0.86, results[3].TokenShare, 0.01)
	assert.GreaterOrEqual(t, results[0].InFlight, 1.8*results[1].InFlight)
}

// The paper's figure 2 gives 20.4, 26.8 and 38.2 % for Orca (Max), (Pow2) and (Oracle), and 96.3 % for paging.
func TestShortRequestsAsInThePaper(t *testing.T) {
	requests, err := sim.Synthetic("short")
	require.NoError(t, err)
	results, err := Compare(requests, options(4096, 16, 2048))
	require.NoError(t, err)
	assert.Greater(t, results[0].TokenShare, 0.96)
	assert.Greater(t, results[0].Memory.Tokens, 0.96)
	for i, paper := range []float64{0.204, 0.268, 0.382} {
		assert.InDelta(t, paper, results[i+1].Memory.Tokens, 0.05)
	}
}
