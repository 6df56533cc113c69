package engine

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/step"
)

// poison writes NaN into every block that is free and holds nothing a lookup could find, before each step. It runs in the
// step loop.
type poison struct {
	t      testing.TB
	engine *Engine
	nan    []byte
	done   map[int32]bool // blocks that hold nothing but NaN
	blocks int            // poisoned so far
}

func poisoned(t testing.TB, e *Engine) *poison {
	p := &poison{t: t, engine: e, done: map[int32]bool{}}
	p.nan = bytes.Repeat([]byte{0xff, 0x7f}, e.machine.BlockBytes()/2) // in f16 and in f32
	e.trace = p.before
	return p
}

func (p *poison) before(s *step.Step) {
	pool := p.engine.scheduler.Cache().Pool()
	read := map[int32]bool{} // given back, but this step reads them first
	for _, x := range s.SwapOuts {
		read[x.Block] = true
	}
	for _, c := range s.Copies {
		read[c.From] = true
	}
	for id := range int32(p.engine.info.Blocks + 1) {
		free := pool.Refs(id) == 0 && !pool.Cached(id)
		if !free || read[id] {
			delete(p.done, id)
			continue
		}
		if !p.done[id] {
			p.done[id] = true
			p.blocks++
			assert.NoError(p.t, p.engine.machine.WriteBlock(id, p.nan))
		}
	}
}

// kvMemory is what the given number of blocks takes.
func kvMemory(e *Engine, blocks int) uint64 {
	return e.info.KVBytes / uint64(e.info.Blocks+1) * uint64(blocks+1)
}

// pressed are six requests that outgrow 28 blocks of 4; the first of them has two samples, which fork and copy.
func pressed() []Request {
	var all []Request
	for i, prompt := range testPrompts(8)[1:7] {
		all = append(all, Request{Prompt: prompt[:min(len(prompt), 20)], MaxTokens: 24 + 3*i, IgnoreEnd: true})
		all[i].Sample.Logprobs = 1
	}
	all[0].Prompt = append(all[0].Prompt, 11) // computed but for its last token it ends inside a block
	all[0].N, all[0].Sample.Temperature, all[0].Sample.Seed = 2, 0.9, 5
	return all
}

func results(t testing.TB, e *Engine, requests []Request) []Result {
	var all []Result
	for _, s := range submitAll(t, e, requests) {
		r := s.Result()
		require.NoError(t, r.Err)
		all = append(all, r)
	}
	return all
}

// assertSame compares tokens and their logits bit for bit.
func assertSame(t testing.TB, want, got []Result, what string) {
	t.Helper()
	require.Len(t, got, len(want), what)
	for i := range want {
		assert.Equal(t, want[i].Reason, got[i].Reason, "%s: request %d", what, i)
		assert.Equal(t, want[i].Choices, got[i].Choices, "%s: request %d", what, i)
	}
}

// Requests that do not fit together give way to each other, by recompute or by swap, and say what they say alone; blocks
// that were given back may hold anything.
func TestMemoryPressure(t *testing.T) {
	options := Options{Deterministic: true, Context: 64, BlockSize: 4, MaxSeqs: 8}
	roomy := openModel(t, "tiny-tales", options)
	want := results(t, roomy, pressed())
	require.Zero(t, roomy.Stats().Preemptions)

	options.KVMemory = kvMemory(roomy, 28)
	require.NoError(t, roomy.Close())
	for _, test := range []struct {
		name  string
		swaps bool
		loss  int // the step at which the device is lost
		set   func(*Options)
	}{
		{"recompute", false, 0, func(o *Options) { o.Preemption = "recompute" }},
		{"recompute, no prefix cache", false, 0, func(o *Options) { o.Preemption, o.NoPrefixCache = "recompute", true }},
		{"swap", true, 0, func(o *Options) { o.Preemption = "swap" }},
		{"swap, no prefix cache, run ahead", true, 0, func(o *Options) { o.Preemption, o.NoPrefixCache, o.Depth = "swap", true, 3 }},
		{"swap to little memory", true, 0, func(o *Options) { o.Preemption, o.SwapMemory = "swap", kvMemory(roomy, 8) }},
		{"swap, and the device lost", true, 40, func(o *Options) { o.Preemption = "swap" }},
	} {
		if runsFew() && test.loss == 0 {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			o := options
			test.set(&o)
			e := openModel(t, "tiny-tales", o)
			require.Equal(t, 28, e.Info().Blocks)
			p := poisoned(t, e)
			e.trace = p.before
			loseAt(e, test.loss)
			assertSame(t, want, results(t, e, pressed()), test.name)
			s := e.Stats()
			t.Logf("%d preemptions, %d by swap, %d blocks poisoned", s.Preemptions, s.Swaps, p.blocks)
			assert.GreaterOrEqual(t, s.Preemptions, uint64(2))
			assert.Equal(t, test.swaps, s.Swaps > 0 && s.SwapIns > 0)
			assert.NotZero(t, s.Copies)
			assert.NotZero(t, p.blocks)
			assert.Equal(t, test.loss > 0, s.Recoveries > 0)
			require.NoError(t, e.Close())
			assert.NoError(t, e.scheduler.Check())
		})
	}
}
