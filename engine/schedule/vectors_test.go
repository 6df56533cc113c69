package schedule

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/step"
	"quire/paging"
)

// plain is what most scenarios run under.
func plain() Config { return Config{BlockSize: 16, Blocks: 10_000, PrefixCache: true, LongPrompt: -1} }

func (r *rig) add(q Request) {
	r.t.Helper()
	require.NoError(r.t, r.Add(q))
	require.NoError(r.t, r.Check())
}

// runStep makes a step, and lands it at once when depth is 1.
func (r *rig) runStep() map[uint64]int {
	d := r.next()
	require.Equal(r.t, Run, d.Kind)
	counts := r.counts()
	if r.config.Depth == 1 {
		r.land(d.Step)
	}
	return counts
}

func TestChunks(t *testing.T) {
	c := plain()
	c.TokenBudget, c.LongPrompt = 1024, 400
	r := endless(t, c)
	for id := range uint64(3) {
		r.add(Request{ID: id, Prompt: prompt(int(id), 800)})
	}
	assert.Equal(t, map[uint64]int{0: 400, 1: 400, 2: 224}, r.runStep())
	assert.Equal(t, map[uint64]int{0: 400, 1: 400, 2: 224}, r.runStep())
	assert.Equal(t, map[uint64]int{0: 1, 1: 1, 2: 352}, r.runStep())
}

func TestLongPromptAloneHasNoCap(t *testing.T) {
	c := plain()
	c.TokenBudget, c.LongPrompt = 512, 256
	r := endless(t, c)
	r.add(Request{ID: 1, Prompt: prompt(1, 2000)})
	assert.Equal(t, map[uint64]int{1: 512}, r.runStep())
	r.add(Request{ID: 2, Prompt: prompt(2, 10)})
	assert.Equal(t, map[uint64]int{1: 256, 2: 10}, r.runStep())
	require.NoError(t, r.Cancel(2))
	assert.Equal(t, map[uint64]int{1: 512}, r.runStep())
}

func TestFewerTokensWhereOthersDecode(t *testing.T) {
	c := plain()
	c.TokenBudget, c.SharedBudget = 1024, 100
	r := endless(t, c)
	r.add(Request{ID: 1, Prompt: prompt(1, 1500)})
	assert.Equal(t, map[uint64]int{1: 1024}, r.runStep())
	r.add(Request{ID: 2, Prompt: prompt(2, 900)})
	assert.Equal(t, map[uint64]int{1: 476, 2: 548}, r.runStep(), "nobody decodes yet")
	assert.Equal(t, map[uint64]int{1: 1, 2: 99}, r.runStep())
	require.NoError(t, r.Cancel(1))
	assert.Equal(t, map[uint64]int{2: 253}, r.runStep())
	assert.Equal(t, map[uint64]int{2: 1}, r.runStep())
	r.add(Request{ID: 3, Prompt: prompt(3, 900)})
	assert.Equal(t, map[uint64]int{2: 1, 3: 99}, r.runStep(), "admitted beside")

	c.NoChunking, c.MaxModelLen = true, 1000
	r = endless(t, c)
	r.add(Request{ID: 1, Prompt: prompt(1, 20)})
	r.runStep()
	r.add(Request{ID: 2, Prompt: prompt(2, 900)})
	assert.Equal(t, map[uint64]int{1: 1, 2: 900}, r.runStep(), "a prompt that runs whole must not wait for ever")
}

// A long prompt that came first does not keep others from their next tokens, and gets on whatever they need.
func TestPromptBesideThoseThatDecode(t *testing.T) {
	for _, test := range []struct {
		name       string
		shared     int
		longPrompt int
		others     uint64 // that decode
		want       map[uint64]int
	}{
		{"one", 100, 256, 1, map[uint64]int{1: 99, 10: 1}},
		{"three", 100, 256, 3, map[uint64]int{1: 97, 10: 1, 11: 1, 12: 1}},
		{"a cap below", 100, 50, 3, map[uint64]int{1: 50, 10: 1, 11: 1, 12: 1}},
		{"as many as the budget", 3, 256, 3, map[uint64]int{1: 1, 10: 1, 11: 1}},
		{"more than the budget", 2, 256, 5, map[uint64]int{1: 1, 10: 1}},
		{"one token", 1, 256, 2, map[uint64]int{1: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := plain()
			c.TokenBudget, c.SharedBudget, c.LongPrompt = 512, test.shared, test.longPrompt
			r := endless(t, c)
			r.add(Request{ID: 1, Prompt: prompt(1, 3000)})
			for i := range test.others {
				r.add(Request{ID: 10 + i, Prompt: prompt(2+int(i), 4)})
			}
			require.Len(t, r.runStep(), 1+int(test.others))
			for range 3 {
				assert.Equal(t, test.want, r.runStep())
			}
		})
	}
}

// However requests come, a prompt takes more than a token only where all that decode have theirs; and all end.
func TestPromptsLeaveRoomToDecode(t *testing.T) {
	for seed := range uint64(50) {
		from := generated{rand.New(rand.NewPCG(seed, 6))}
		c := plain()
		c.BlockSize, c.Blocks, c.MaxSeqs, c.TokenBudget, c.LongPrompt = 4, 300, 1+from.below(8), 1+from.below(24), from.below(12)-1
		c.SharedBudget = from.below(c.TokenBudget + 1)
		r := endless(t, c)
		steps, most := 0, 0
		for id := uint64(1); ; {
			for ; id < 12 && from.below(4) == 0; id++ {
				q := Request{ID: id, Prompt: prompt(int(id), 1+from.below(60)), MaxTokens: 1 + from.below(20), Priority: from.below(2)}
				most += len(q.Prompt) + q.MaxTokens
				r.add(q)
			}
			var decode []uint64
			for _, q := range r.running {
				if q.decodes() {
					decode = append(decode, q.id)
				}
			}
			d := r.next()
			if d.Kind == Idle {
				if id == 12 {
					break
				}
				continue
			}
			steps++
			require.LessOrEqual(t, steps, most, "seed %d: %+v", seed, c)
			counts, total := r.counts(), 0
			for _, n := range counts {
				total += n
			}
			require.LessOrEqual(t, total, c.TokenBudget)
			for q, n := range counts {
				for _, o := range decode {
					require.True(t, n == 1 || counts[o] == 1, "seed %d: %d has %d tokens, and %d waits", seed, q, n, o)
				}
			}
			r.land(d.Step)
		}
		require.NoError(t, r.Check())
		require.Len(t, r.ended, 11, "seed %d", seed)
	}
}

func TestOrderWithAndWithoutChunks(t *testing.T) {
	for _, c := range []struct {
		noChunking bool
		want       map[uint64]int
	}{{false, map[uint64]int{0: 800, 1: 224}}, {true, map[uint64]int{0: 800}}} {
		config := plain()
		config.TokenBudget, config.MaxSeqs, config.NoChunking, config.MaxModelLen = 1024, 3, c.noChunking, 1024
		r := newRig(t, config)
		for id, n := range []int{800, 800, 10, 10} {
			r.add(Request{ID: uint64(id), Prompt: prompt(id, n), MaxTokens: 4})
		}
		assert.Equal(t, c.want, r.runStep(), "without chunks: %t", c.noChunking)
		r.finish()
	}
}

func TestPreemptionDrainsFirst(t *testing.T) {
	r := endless(t, Config{BlockSize: 16, Blocks: 11, TokenBudget: 160, LongPrompt: -1, Depth: 2})
	r.add(Request{ID: 0, Prompt: prompt(0, 80)})
	r.add(Request{ID: 1, Prompt: prompt(1, 80)})
	require.Equal(t, Run, r.next().Kind)
	assert.Equal(t, map[uint64]int{0: 80, 1: 80}, r.counts())
	assert.Equal(t, []int{5, 5}, []int{r.Blocks(0), r.Blocks(1)})

	d := r.next()
	assert.Equal(t, Land, d.Kind)
	assert.Equal(t, uint64(1), d.Step)
	assert.Equal(t, 2, r.Stats().Running, "nothing is decided yet")
	r.land(1)
	d = r.next()
	assert.Equal(t, Run, d.Kind)
	assert.Equal(t, []uint64{1}, d.Preempted)
	assert.Equal(t, map[uint64]int{0: 1}, r.counts())
	tokens, _ := r.Tokens(1)
	assert.Len(t, tokens, 81)
	assert.Zero(t, r.Blocks(1))
	assert.Equal(t, 6, r.Blocks(0))
}

func TestPriorities(t *testing.T) {
	c := plain()
	c.MaxSeqs = 2
	for _, o := range []struct {
		priorities []int
		arrivals   []uint64
		want       []uint64
	}{
		{[]int{3, 1, 2, 0}, []uint64{0, 0, 0, 0}, []uint64{3, 1, 2, 0}},
		{[]int{0, 0, 0, 0}, []uint64{4, 1, 3, 2}, []uint64{1, 3, 2, 0}},
	} {
		r := newRig(t, c)
		for i := range o.priorities {
			r.add(Request{ID: uint64(i), Prompt: prompt(i, 10), MaxTokens: 3, Priority: o.priorities[i], Arrival: o.arrivals[i]})
		}
		r.runStep()
		assert.Equal(t, o.want[:2], r.order)
		r.finish()
		assert.Equal(t, o.want, r.order)
	}
}

// TestMinimumLength feeds samples by hand: the end token comes third, then ninth.
func TestMinimumLength(t *testing.T) {
	c := plain()
	s, err := New(c)
	require.NoError(t, err)
	require.NoError(t, s.Add(Request{ID: 1, Prompt: prompt(1, 10), StopTokens: []int32{99}, MinTokens: 5, MaxTokens: 20}))
	var st step.Step
	var reason Reason
	sampled := 0
	for reason == Going {
		d := s.Schedule(&st)
		require.Equal(t, Run, d.Kind)
		sampled++
		token := int32(7)
		if sampled == 3 || sampled == 9 {
			token = 99
		}
		landed, err := s.Land(d.Step, []int32{token})
		require.NoError(t, err)
		require.Len(t, landed, 1)
		reason = landed[0].Reason
	}
	assert.Equal(t, 9, sampled)
	assert.Equal(t, Stopped, reason)
	assert.Equal(t, Idle, s.Schedule(&st).Kind)
}

func TestStartsOver(t *testing.T) {
	for _, depth := range []int{1, 2} {
		r := endless(t, Config{BlockSize: 4, Blocks: 5, Depth: depth})
		r.add(Request{ID: 1, Prompt: prompt(1, 8), MaxTokens: 6})
		r.add(Request{ID: 2, Prompt: prompt(2, 8), MaxTokens: 6})
		r.finish()
		assert.NotZero(t, r.Stats().Preemptions)
		for id := uint64(1); id <= 2; id++ {
			assert.Len(t, r.texts[id], 6)
			assert.Equal(t, continuation(nil, prompt(int(id), 8), 6, 100), r.texts[id])
		}
		assert.Equal(t, []uint64{1, 2}, r.order)
	}
}

func TestPublishOnLanding(t *testing.T) {
	for _, maxTokens := range []int{0, 2} { // whether or not it goes on
		testPublishOnLanding(t, maxTokens)
	}
}

func testPublishOnLanding(t *testing.T, maxTokens int) {
	r := endless(t, Config{BlockSize: 4, Blocks: 20, PrefixCache: true, Depth: 2})
	r.add(Request{ID: 1, Prompt: prompt(1, 3), MaxTokens: maxTokens})
	r.next()
	r.next()
	require.Equal(t, map[uint64]int{1: 1}, r.counts())
	require.Equal(t, step.LaneToken, r.step.Tokens[0])
	sampled := r.results[1][0]
	other := append(prompt(1, 3), sampled, 5)
	probe := r.Cache().NewTable(paging.Extras{})
	assert.Zero(t, r.Cache().Match(probe, other))
	r.land(1)
	r.add(Request{ID: 2, Prompt: other})
	d := r.next()
	require.Equal(t, Run, d.Kind)
	require.Len(t, d.Opened, 1)
	assert.Equal(t, 4, d.Opened[0].Cached)
	assert.Equal(t, 1, r.counts()[2])
}

func TestSurplusIsNeverPublished(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 20, PrefixCache: true, Depth: 2})
	r.add(Request{ID: 1, Prompt: prompt(1, 3)})
	r.next()
	r.next() // writes the stop token's K and V into the block's last slot
	stop := r.results[1][0]
	r.byID[1].request.StopTokens = []int32{stop}
	landed := r.land(1)
	assert.Equal(t, []Landed{{Sequence: 1, Token: stop, Reason: Stopped}}, landed)
	assert.Empty(t, r.land(2), "surplus")
	assert.Zero(t, r.Stats().Cache.Cached)
	assert.Zero(t, r.Stats().Cache.Active)
	assert.Equal(t, Idle, r.next().Kind)
}

func TestNeverAVictimOfItsOwnStep(t *testing.T) {
	for _, depth := range []int{1, 2} {
		// Six of seven blocks are taken. The first two need a block for their first token; the first gets the last one.
		r := endless(t, Config{BlockSize: 4, Blocks: 8, Depth: depth})
		r.add(Request{ID: 1, Prompt: prompt(1, 8)})
		r.add(Request{ID: 2, Prompt: prompt(2, 8)})
		r.add(Request{ID: 3, Prompt: prompt(3, 6)})
		require.Equal(t, Run, r.next().Kind)
		if depth == 2 {
			require.Equal(t, Land, r.next().Kind)
		}
		r.land(1)
		d := r.next()
		require.Equal(t, Run, d.Kind)
		assert.Equal(t, []uint64{3}, d.Preempted)
		assert.Equal(t, map[uint64]int{1: 1, 2: 1}, r.counts())
		assert.Equal(t, 3, r.Blocks(1))
	}
}

func TestFailedStep(t *testing.T) {
	r := newRig(t, Config{BlockSize: 4, Blocks: 20, PrefixCache: true, Depth: 2})
	r.add(Request{ID: 1, Prompt: prompt(1, 9), MaxTokens: 6})
	d := r.next()
	require.Equal(t, 2, r.Stats().Cache.Cached)
	r.add(Request{ID: 2, Prompt: append(prompt(1, 9), 7), MaxTokens: 6})
	r.next()
	require.NoError(t, r.Fail(d.Step))
	require.NoError(t, r.Check())
	assert.Zero(t, r.Stats().Cache.Cached)
	assert.Zero(t, r.Stats().Cache.Active)
	assert.Zero(t, r.Cache().Match(r.Cache().NewTable(paging.Extras{}), prompt(1, 9)))
	assert.ErrorIs(t, r.Fail(d.Step), ErrOrder)
	r.machine.lose()
	d = r.next()
	assert.Equal(t, []uint64{1, 2}, d.Preempted, "their lanes are gone")
	r.finish()
	assert.Equal(t, continuation(nil, prompt(1, 9), 6, 0), r.texts[1])
	assert.Equal(t, continuation(nil, append(prompt(1, 9), 7), 6, 0), r.texts[2])
}

func TestFreedBlocksGoToLaterSteps(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 4, Depth: 2})
	r.add(Request{ID: 1, Prompt: prompt(1, 11)})
	r.add(Request{ID: 2, Prompt: prompt(2, 11), MaxTokens: 1})
	r.next()
	r.next() // reads and writes all three blocks
	require.EqualValues(t, 3, r.step.Rows[0].Blocks)
	stop := r.results[1][0]
	r.byID[1].request.StopTokens = []int32{stop}
	r.land(1)
	d := r.next()
	require.Equal(t, Run, d.Kind)
	assert.Greater(t, d.Step, uint64(2), "while step 2 is in flight only a later one gets its blocks")
	assert.Equal(t, map[uint64]int{2: 11}, r.counts())
	r.finish()
	assert.Equal(t, continuation(nil, prompt(2, 11), 1, 0), r.texts[2])
}

func TestTwoGroups(t *testing.T) {
	groups := []paging.Group{{}, {Window: 8}}
	r := endless(t, Config{BlockSize: 4, Blocks: 60, Groups: groups})
	r.add(Request{ID: 1, Prompt: prompt(1, 16), MaxTokens: 5})
	for range 5 {
		r.runStep()
	}
	assert.Equal(t, continuation(groups, prompt(1, 16), 5, 100), r.texts[1])
	row := r.step.Rows[0]
	require.Equal(t, int32(5), row.Blocks)
	assert.NotContains(t, r.machine.tables.of(&row, 0), paging.NullBlock)
	assert.Equal(t, []int32{0, 0, 0}, r.machine.tables.of(&row, 1)[:3])
	assert.NotContains(t, r.machine.tables.of(&row, 1)[3:], paging.NullBlock)
}

func TestTenantsTakeTurns(t *testing.T) {
	c := plain()
	c.MaxSeqs = 1
	r := newRig(t, c)
	for id := range uint64(5) {
		r.add(Request{ID: id, Prompt: prompt(int(id), 10), MaxTokens: 1, Tenant: "A"})
	}
	r.add(Request{ID: 10, Prompt: prompt(10, 10), MaxTokens: 1, Tenant: "B"})
	r.finish()
	assert.Equal(t, []uint64{0, 10, 1, 2, 3, 4}, r.order)
}

func TestTurnsComeBeforeArrival(t *testing.T) {
	c := plain()
	c.MaxSeqs = 1
	r := newRig(t, c)
	for i, q := range []Request{{Arrival: 10, Tenant: "B"}, {Arrival: 11, Tenant: "B"}, {Arrival: 1, Tenant: "A"}, {Arrival: 2, Tenant: "A"}} {
		q.ID, q.Prompt, q.MaxTokens = q.Arrival, prompt(i, 10), 1
		r.add(q)
	}
	r.finish()
	assert.Equal(t, []uint64{1, 10, 2, 11}, r.order)
}

func TestLateTenantIsNext(t *testing.T) {
	c := plain()
	c.MaxSeqs = 4
	r := newRig(t, c)
	for id := range uint64(1000) {
		r.add(Request{ID: id, Prompt: prompt(int(id), 10), MaxTokens: 3 + int(id%5), Tenant: "A"})
	}
	for range 20 {
		r.runStep()
	}
	r.add(Request{ID: 5000, Prompt: prompt(5000, 10), MaxTokens: 10, Tenant: "B"})
	before := len(r.order)
	for len(r.order) == before {
		r.runStep()
	}
	assert.Equal(t, uint64(5000), r.order[before])

	// One tenant that asks again and again does not keep the other out.
	next := uint64(6000)
	for range 50 {
		if _, waits := r.Tokens(next - 1); !waits {
			r.add(Request{ID: next, Prompt: prompt(int(next), 10), MaxTokens: 1, Tenant: "B"})
			next++
		}
		r.runStep()
	}
	others := 0
	for _, id := range r.order[before:] {
		if id < 5000 {
			others++
		}
	}
	assert.Greater(t, others, 20)
}
