package schedule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/step"
	"quire/paging"
)

func TestLimit(t *testing.T) {
	r := newRig(t, Config{BlockSize: 4, Blocks: 11, MaxModelLen: 30, MaxSeqs: 4})
	assert.Equal(t, 30, r.Limit(1), "the context")
	assert.Equal(t, 21, r.Limit(2), "half of the blocks")
	r.add(Request{ID: 1, Samples: []uint64{2}, Prompt: prompt(1, 4), MaxTokens: 2})
	r.add(Request{ID: 3, Prompt: prompt(1, 29)})
	r.add(Request{ID: 4, Samples: []uint64{5}, Prompt: prompt(1, 20)})
	r.finish()
	assert.Equal(t, map[uint64]Reason{1: Length, 2: Length, 3: Length, 4: Length, 5: Length}, r.ended)
	assert.Equal(t, []int{2, 1, 1}, []int{len(r.texts[1]), len(r.texts[3]), len(r.texts[4])})
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []Config{
		{Blocks: 1}, {Blocks: 10, TokenBudget: -1}, {Blocks: 10, MaxSeqs: -1}, {Blocks: 10, Depth: -1}, {Blocks: 10, BlockSize: -1},
		{Blocks: 10, QueueLimit: -1}, {Blocks: 10, SharedBudget: -1}, {Blocks: 3, Groups: make([]paging.Group, 5)}, {Blocks: 100, NoChunking: true, TokenBudget: 100},
	} {
		_, err := New(c)
		assert.Error(t, err, "%+v", c)
	}
}

// TestSamplesShareThePrompt: three sequences from one prefill. Only the last, partial block of the prompt is copied.
func TestSamplesShareThePrompt(t *testing.T) {
	for _, depth := range []int{1, 3} {
		r := endless(t, Config{BlockSize: 4, Blocks: 40, Depth: depth})
		r.add(Request{ID: 1, Samples: []uint64{2, 3}, Prompt: prompt(1, 10), MaxTokens: 6})
		r.add(Request{ID: 9, Prompt: prompt(9, 10), MaxTokens: 6})
		r.runStep()
		if depth > 1 {
			d := r.next()
			require.Equal(t, Decision{Kind: Land, Step: 1}, Decision{Kind: d.Kind, Step: d.Step}, "the prompt lands before it is forked")
			r.land(1)
		}
		assert.Equal(t, 4, r.Stats().Running)
		assert.Equal(t, r.Table(1, 0), r.Table(2, 0))
		assert.Equal(t, r.Table(1, 0), r.Table(3, 0))
		assert.Equal(t, 3, r.Cache().Pool().Refs(r.Table(1, 0)[0]))
		d := r.next()
		require.Equal(t, Run, d.Kind)
		assert.Len(t, r.step.Copies, 2, "two of three write elsewhere")
		r.finish()
		want := continuation(nil, prompt(1, 10), 6, 100)
		for id := uint64(1); id <= 3; id++ {
			assert.Equal(t, want, r.texts[id], "greedy samples of one prompt are equal")
		}
		assert.Equal(t, 6+6*3, int(r.Stats().Sampled))
	}
}

func TestSamplesArePreemptedAsOne(t *testing.T) {
	for _, depth := range []int{1, 2} {
		r := endless(t, Config{BlockSize: 4, Blocks: 17, Depth: depth, PrefixCache: true})
		r.add(Request{ID: 1, Prompt: prompt(1, 8), MaxTokens: 48})
		r.add(Request{ID: 2, Samples: []uint64{3}, Prompt: prompt(2, 8), MaxTokens: 22})
		var preempted [][]uint64
		for range 1000 {
			d := r.next()
			if d.Kind == Land {
				r.land(d.Step)
				continue
			}
			if len(d.Preempted) > 0 {
				preempted = append(preempted, append([]uint64(nil), d.Preempted...))
			}
			if d.Kind == Idle {
				break
			}
		}
		require.Len(t, preempted, 1, "it comes back when all of it has room")
		for _, p := range preempted {
			assert.ElementsMatch(t, []uint64{2, 3}, p)
		}
		assert.Equal(t, continuation(nil, prompt(1, 8), 48, 100), r.texts[1])
		assert.Equal(t, continuation(nil, prompt(2, 8), 22, 100), r.texts[2])
		assert.Equal(t, r.texts[2], r.texts[3])
	}
}

// TestSiblingInTheStep: a sample that finds no block waits for the next step when another of its request is in this one.
func TestSiblingInTheStep(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 8})
	r.add(Request{ID: 1, Prompt: prompt(1, 8), MaxTokens: 5})
	r.add(Request{ID: 2, Samples: []uint64{3}, Prompt: prompt(2, 8), MaxTokens: 4})
	r.runStep()
	assert.Equal(t, map[uint64]int{1: 1, 2: 1, 3: 1}, r.runStep())
	d := r.next()
	assert.Empty(t, d.Preempted)
	assert.Equal(t, map[uint64]int{1: 1, 2: 1}, r.counts())
	r.land(d.Step)
	r.finish()
	assert.Equal(t, continuation(nil, prompt(2, 8), 4, 100), r.texts[3])
}

func TestCancelledPromptStillServesItsSamples(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 40, TokenBudget: 4})
	r.add(Request{ID: 1, Samples: []uint64{2, 3}, Prompt: prompt(1, 10), MaxTokens: 3})
	r.runStep()
	require.NoError(t, r.Cancel(1))
	require.NoError(t, r.Cancel(3))
	r.finish()
	assert.Equal(t, map[uint64][]int32{2: continuation(nil, prompt(1, 10), 3, 100)}, r.texts)

	r.add(Request{ID: 1, Samples: []uint64{2}, Prompt: prompt(1, 10)})
	r.runStep()
	require.NoError(t, r.Cancel(1))
	require.NoError(t, r.Cancel(2))
	assert.Zero(t, r.Stats().Running)
	assert.Zero(t, r.Stats().Cache.Active)
	assert.ErrorIs(t, r.Cancel(2), ErrUnknown)
}

// TestCancelledPromptStaysCached: a prompt that was computed for a cancelled first sample is found by others, with its last
// block, which the samples then write to elsewhere.
func TestCancelledPromptStaysCached(t *testing.T) {
	for _, depth := range []int{1, 2} {
		r := endless(t, Config{BlockSize: 4, Blocks: 40, Depth: depth, PrefixCache: true, TokenBudget: 5})
		r.add(Request{ID: 1, Samples: []uint64{2}, Prompt: prompt(1, 12), MaxTokens: 3})
		require.Equal(t, Run, r.next().Kind)
		require.NoError(t, r.Cancel(1))
		r.finish()
		assert.Equal(t, map[uint64][]int32{2: continuation(nil, prompt(1, 12), 3, 100)}, r.texts)
		probe := r.Cache().NewTable(paging.Extras{})
		assert.Equal(t, 12, r.Cache().Match(probe, append(prompt(1, 12), 7)), "all of the prompt")
		r.add(Request{ID: 3, Prompt: append(prompt(1, 12), 7), MaxTokens: 1})
		d := r.next()
		require.Len(t, d.Opened, 1)
		assert.Equal(t, 12, d.Opened[0].Cached)
		r.finish()
		assert.Equal(t, continuation(nil, append(prompt(1, 12), 7), 1, 100), r.texts[3])
	}
}

// TestBeams forks a decoding sequence with another last token, as beam search does.
func TestBeams(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 40, Depth: 2})
	r.add(Request{ID: 1, Lanes: 2, LandEach: true, Prompt: prompt(1, 6), MaxTokens: 5})
	r.runStep()
	assert.ErrorIs(t, r.Fork(1, 2), ErrInFlight)
	require.Equal(t, Land, r.next().Kind, "one step at a time")
	r.land(1)
	require.NoError(t, r.forkTo(1, 2, 7))
	assert.ErrorIs(t, r.Fork(1, 3), ErrNoLane)
	require.NoError(t, r.Check())
	assert.Equal(t, 2, r.Cache().Pool().Refs(r.Table(1, 0)[1]), "the partial block is shared until one writes")
	require.NoError(t, r.Cancel(2))
	require.NoError(t, r.forkTo(1, 2, 7))
	d := r.next()
	require.Equal(t, []Opened{{Sequence: 2, Lane: 1, Sampled: 1, Cached: 6}}, d.Opened)
	require.Len(t, r.step.Copies, 1)
	r.finish()
	assert.Equal(t, continuation(nil, prompt(1, 6), 5, 100), r.texts[1])
	tokens := append(prompt(1, 6), 7)
	for n := 1; n < 5; n++ {
		tokens = append(tokens, following([]paging.Group{{}}, tokens, n))
	}
	assert.Equal(t, tokens[7:], r.texts[2])
}

func TestCancelAnywhere(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 40, Depth: 2, MaxSeqs: 2})
	for id := uint64(1); id <= 4; id++ {
		r.add(Request{ID: id, Prompt: prompt(int(id), 6), MaxTokens: 4})
	}
	r.next()
	require.NoError(t, r.Cancel(1)) // in flight
	require.NoError(t, r.Cancel(3)) // waiting
	require.NoError(t, r.Check())
	d := r.next()
	require.Equal(t, Run, d.Kind)
	assert.Equal(t, map[uint64]int{2: 1, 4: 6}, r.counts())
	assert.Len(t, r.land(1), 1, "only what is kept")
	r.finish()
	assert.Equal(t, map[uint64]Reason{2: Length, 4: Length}, r.ended)
}

func TestEndDropsSurplus(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 40, Depth: 3})
	r.add(Request{ID: 1, Prompt: prompt(1, 6)})
	r.next()
	r.next()
	r.next()
	require.Len(t, r.land(1), 1)
	require.NoError(t, r.End(1, 0))
	assert.Empty(t, r.land(2))
	assert.Empty(t, r.land(3))
	assert.Equal(t, Idle, r.next().Kind)
	assert.ErrorIs(t, r.End(1, 0), ErrUnknown)
}

func TestLandOrder(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 40, Depth: 2})
	_, err := r.Land(1, nil)
	assert.ErrorIs(t, err, ErrOrder)
	r.add(Request{ID: 1, Prompt: prompt(1, 6)})
	r.next()
	r.next()
	_, err = r.Land(2, []int32{1})
	assert.ErrorIs(t, err, ErrOrder)
	_, err = r.Land(1, nil)
	assert.ErrorIs(t, err, ErrOrder)
	r.land(1)
	assert.Equal(t, Run, r.next().Kind)
	d := r.next()
	assert.Equal(t, Land, d.Kind)
	assert.Equal(t, uint64(2), d.Step)
}

// TestRunAhead: what is in flight is known by place, and nothing runs behind the last token.
func TestRunAhead(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 40, Depth: 4})
	r.add(Request{ID: 1, Prompt: prompt(1, 6), MaxTokens: 3})
	for i := range int32(3) {
		require.Equal(t, Run, r.next().Kind)
		require.Equal(t, []step.Output{{Token: int32(len(r.step.Tokens) - 1), Sample: true, Counter: uint32(i)}}, r.step.Outputs)
		if i > 0 {
			assert.Equal(t, []int32{step.LaneToken}, r.step.Tokens)
			assert.Equal(t, []int32{5 + i}, r.step.Positions)
		}
	}
	assert.Equal(t, Land, r.next().Kind)
	r.finish()
	assert.Equal(t, continuation(nil, prompt(1, 6), 3, 100), r.texts[1])
}

func TestAllLogits(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 8, TokenBudget: 6, PrefixCache: true})
	for id := uint64(1); id <= 2; id++ {
		r.add(Request{ID: id, Prompt: prompt(1, 10), MaxTokens: 8, AllLogits: true})
	}
	seen := map[uint64][]int32{}
	for range 1000 {
		d := r.next()
		if d.Kind == Idle {
			break
		}
		if d.Kind == Land {
			r.land(d.Step)
			continue
		}
		for _, o := range r.step.Outputs {
			require.Equal(t, r.step.Rows[o.Row].Start+o.Token-r.step.Rows[o.Row].First, r.step.Positions[o.Token])
			if o.Logits {
				id := r.step.Rows[o.Row].Sequence
				seen[id] = append(seen[id], r.step.Positions[o.Token])
			}
		}
	}
	var all []int32
	for p := range int32(17) {
		all = append(all, p)
	}
	assert.NotZero(t, r.Stats().Preemptions)
	assert.Equal(t, map[uint64][]int32{1: all, 2: all}, seen, "every position once, recomputed or not")
}

// TestNothingNewWhileSomebodyHadToGo: in the step of a preemption the small request that would fit does not jump in.
func TestNothingNewWhileSomebodyHadToGo(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 7})
	r.add(Request{ID: 1, Prompt: prompt(1, 12)})
	r.add(Request{ID: 2, Prompt: prompt(2, 12)})
	r.runStep()
	r.add(Request{ID: 3, Prompt: prompt(3, 2), MaxTokens: 1})
	d := r.next()
	assert.Equal(t, []uint64{2}, d.Preempted)
	assert.Equal(t, map[uint64]int{1: 1}, r.counts())
	r.land(d.Step)
	r.runStep()
	assert.Equal(t, map[uint64]int{1: 1}, r.counts(), "the preempted one is next, and does not fit")
}

func TestWatermark(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 11, Watermark: 3})
	r.add(Request{ID: 1, Prompt: prompt(1, 16), MaxTokens: 30})
	r.add(Request{ID: 2, Prompt: prompt(2, 16), MaxTokens: 2})
	assert.Equal(t, map[uint64]int{1: 16}, r.runStep(), "four of six free blocks would leave two")
	require.NoError(t, r.Cancel(1))
	assert.Equal(t, map[uint64]int{2: 16}, r.runStep())
	require.NoError(t, r.Cancel(2))
	r.add(Request{ID: 3, Prompt: prompt(3, 38), MaxTokens: 1})
	assert.Equal(t, map[uint64]int{3: 38}, r.runStep(), "alone it may take all")
}

func TestSameStepHit(t *testing.T) {
	r := newRig(t, Config{BlockSize: 4, Blocks: 40, PrefixCache: true})
	r.add(Request{ID: 1, Prompt: prompt(1, 10), MaxTokens: 3})
	r.add(Request{ID: 2, Prompt: prompt(1, 11), MaxTokens: 3})
	r.add(Request{ID: 3, Prompt: prompt(1, 11), MaxTokens: 3, Salt: "other"})
	assert.Equal(t, map[uint64]int{1: 10, 2: 3, 3: 11}, r.runStep())
	r.finish()
	assert.Equal(t, continuation(nil, prompt(1, 11), 3, 0), r.texts[2])
	s := r.Stats().Cache
	assert.Equal(t, [2]uint64{32, 8}, [2]uint64{s.AskedTokens, s.HitTokens})
	assert.InDelta(t, 0.25, s.HitRate, 1e-12)
}

// Two prompts that share steps: 6 tokens of one, its other 4 and 2 of the second, the second's other 4. Only the first step asks nothing.
func TestReadTokens(t *testing.T) {
	r := newRig(t, Config{BlockSize: 4, Blocks: 40, TokenBudget: 6})
	r.add(Request{ID: 1, Prompt: prompt(1, 10), MaxTokens: 1})
	r.add(Request{ID: 2, Prompt: prompt(2, 6), MaxTokens: 1})
	for _, want := range []map[uint64]int{{1: 6}, {1: 4, 2: 2}, {2: 4}} {
		require.Equal(t, want, r.runStep())
	}
	s := r.Stats()
	assert.Equal(t, [4]uint64{3, 2, 6 + 10 + 2 + 6, 10 + 2 + 6}, [4]uint64{s.Steps, s.Asked, s.Read, s.AskedRead})
}

func TestReset(t *testing.T) {
	for _, depth := range []int{1, 3} {
		r := newRig(t, Config{BlockSize: 4, Blocks: 30, PrefixCache: true, Depth: depth, MaxSeqs: 3})
		want := map[uint64][]int32{}
		for id := uint64(1); id <= 5; id++ {
			r.add(Request{ID: id, Prompt: prompt(int(id), 6), MaxTokens: 12})
			want[id] = continuation(nil, prompt(int(id), 6), 12, 0)
		}
		for range 6 {
			if d := r.next(); d.Kind == Land {
				r.land(d.Step)
			}
		}
		require.NoError(t, r.Reset())
		require.NoError(t, r.Check())
		clear(r.results)
		r.machine.lose()
		assert.Equal(t, 5, r.Stats().Waiting)
		assert.Zero(t, r.Stats().InFlight)
		assert.Zero(t, r.Stats().Cache.Cached)
		d := r.next()
		require.Equal(t, Run, d.Kind)
		assert.Equal(t, uint64(1), r.step.Rows[0].Sequence, "in the original order")
		r.finish()
		assert.Equal(t, want, r.texts)
	}
}

func TestTruncateDraft(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 30, PrefixCache: true})
	r.add(Request{ID: 1, Prompt: prompt(1, 6), MaxTokens: 12})
	for range 6 {
		r.runStep()
	}
	require.NoError(t, r.Truncate(1, 4))
	require.NoError(t, r.Check())
	r.texts[1] = r.texts[1][:2]
	assert.ErrorIs(t, r.Truncate(1, 3), ErrCannot)
	r.finish()
	assert.Equal(t, continuation(nil, prompt(1, 6), 12, 100), r.texts[1])
}

func TestStepsAllocateNothing(t *testing.T) {
	s, err := New(Config{Blocks: 4000, PrefixCache: true, Depth: 2})
	require.NoError(t, err)
	for id := range uint64(64) {
		require.NoError(t, s.Add(Request{ID: id, Prompt: prompt(int(id), 10), MaxTokens: 600}))
	}
	var st step.Step
	tokens := make([]int32, 64)
	one := func() {
		d := s.Schedule(&st)
		for ; d.Kind == Land; d = s.Schedule(&st) {
			_, err = s.Land(d.Step, tokens[:s.flight[0].samples])
		}
	}
	for range 100 {
		one()
	}
	require.NoError(t, err)
	require.Len(t, st.Rows, 64)
	assert.Zero(t, testing.AllocsPerRun(400, one))
}

// TestEqualCallsGiveEqualSteps replays one history twice.
func TestEqualCallsGiveEqualSteps(t *testing.T) {
	history := func() []step.Step {
		r := newRig(t, Config{BlockSize: 4, Blocks: 20, PrefixCache: true, Depth: 2, MaxSeqs: 5, TokenBudget: 11})
		for id := uint64(1); id <= 9; id++ {
			r.add(Request{ID: id, Prompt: prompt(int(id%4), int(4+id)), MaxTokens: 9, Tenant: name("%d", id%2), Priority: int(id % 3)})
		}
		var steps []step.Step
		for range 1000 {
			d := r.next()
			switch d.Kind {
			case Idle:
				return steps
			case Land:
				r.land(d.Step)
			case Run:
				steps = append(steps, r.step)
				r.step = step.Step{}
			}
		}
		return nil
	}
	first := history()
	require.NotEmpty(t, first)
	assert.Equal(t, first, history())
}

func TestEqualArrivalsGoInOrderOfAdd(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 9, TokenBudget: 160, LongPrompt: -1})
	for id := range uint64(4) {
		r.add(Request{ID: id, Arrival: 7, Prompt: prompt(int(id), 8), MaxTokens: 8 - int(id)})
	}
	assert.Equal(t, map[uint64]int{0: 8, 1: 8, 2: 8, 3: 8}, r.runStep())
	d := r.next()
	assert.Equal(t, []uint64{3, 2}, d.Preempted)
	r.land(d.Step)
	r.finish()
	for id := range uint64(4) {
		assert.Len(t, r.texts[id], 8-int(id))
	}
}

// The first MinTokens of a request draw no stop token, wherever it begins anew; of others the runner need not know.
func TestMinTokensDrawNoStop(t *testing.T) {
	s, err := New(Config{BlockSize: 4, Blocks: 40, Depth: 2})
	require.NoError(t, err)
	require.NoError(t, s.Add(Request{ID: 1, Prompt: prompt(1, 6), StopTokens: []int32{99}, MinTokens: 3, MaxTokens: 6}))
	require.NoError(t, s.Add(Request{ID: 2, Prompt: prompt(2, 6), MinTokens: 3, MaxTokens: 6}))
	var st step.Step
	withheld := map[uint64][]uint32{}
	for steps := 0; ; steps++ {
		d := s.Schedule(&st)
		if d.Kind == Idle {
			break
		}
		if d.Kind == Land {
			_, err := s.Land(d.Step, []int32{7, 7})
			require.NoError(t, err)
			continue
		}
		for _, o := range st.Outputs {
			if o.NoStop {
				id := st.Rows[o.Row].Sequence
				withheld[id] = append(withheld[id], o.Counter)
			}
		}
		if steps == 3 {
			require.NoError(t, s.Reset())
		}
	}
	assert.Equal(t, map[uint64][]uint32{1: {0, 1, 2, 1, 2}}, withheld, "again after everything was lost")
}
