package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
)

// penalized are settings that change what a model says in all ways.
func penalized() []sample.Params {
	dry := sample.NewDRY(2)
	dry.AllowedLength = 1
	return []sample.Params{
		{LogitBias: map[int32]float64{101: -100, 32: -1.5, 113: 5}},
		{RepetitionPenalty: 1.5},
		{FrequencyPenalty: 1, PresencePenalty: 0.5, Temperature: 0.9, TopP: 1, Seed: 3},
		{DRY: dry},
		{RepetitionPenalty: 1.2, DRY: sample.DRY{Multiplier: 1, Base: 1.5, AllowedLength: 2, Range: 24}, LogitBias: map[int32]float64{97: -2}, Temperature: 1, TopK: 20, TopP: 0.95, Seed: 9},
		{},
	}
}

// Each token is the one that engine/sample draws from the raw logits, the tokens before it and the settings.
func TestPenaltiesFollowTheReference(t *testing.T) {
	tokens := 40
	settings := penalized()
	if runsFew() {
		tokens, settings = 12, settings[2:5]
	}
	e := openModel(t, "tiny-tales", Options{Deterministic: true, Context: 128, MaxSeqs: 4, KVMemory: 4 << 20})
	for i, p := range settings {
		prompt := testPrompts(4)[3]
		var rows [][]float32
		p.Logprobs = i % 3
		r := Request{Prompt: prompt, MaxTokens: tokens, IgnoreEnd: true, Sample: p, Logits: func(position int, logits []float32) {
			if position >= len(prompt)-1 {
				rows = append(rows, logits)
			}
		}}
		got := submit(t, e, r).Result()
		require.NoError(t, got.Err)
		require.Len(t, rows, tokens)
		breakers, err := e.breakers.Of(p.DRY)
		require.NoError(t, err)
		changed := 0
		for n, id := range got.IDs {
			adjusted := make([]float32, len(rows[n]))
			for i, x := range sample.Adjust(rows[n], p, prompt, got.IDs[:n], breakers) {
				adjusted[i] = float32(x)
			}
			require.EqualValues(t, sample.Draw(adjusted, p, uint32(n)), id, "settings %d, token %d", i, n)
			if sample.Draw(rows[n], p, uint32(n)) != int(id) {
				changed++
			}
			if p.Logprobs > 0 {
				require.Equal(t, rows[n][id], got.Tokens[n].Logit, "log-probabilities are of the raw logits")
			}
		}
		assert.Equal(t, p.Penalizes(), changed > 0, "settings %d change something", i)
	}
}

// many are requests with all settings, and samples of one prompt.
func many() []Request {
	var all []Request
	for i, p := range penalized() {
		all = append(all, Request{Prompt: testPrompts(8)[i+1][:5+i], MaxTokens: 20 + 3*i, IgnoreEnd: true, Sample: p})
	}
	all[2].N, all[4].N = 3, 2
	all[1].Sample.Logprobs = 2
	return all
}

// Tokens are the same alone, in a batch of others, ahead of their landing, after preemption, and after a lost device.
func TestPenaltiesInAnyBatch(t *testing.T) {
	if runsFew() {
		t.Skip("TestPenaltiesFollowTheReference is enough here")
	}
	options := Options{Deterministic: true, Context: 64, BlockSize: 4, MaxSeqs: 12}
	roomy := openModel(t, "tiny-tales", options)
	var want []Result
	for _, r := range many() {
		alone := submit(t, roomy, r).Result()
		require.NoError(t, alone.Err)
		want = append(want, alone)
	}
	assertSame(t, want, results(t, roomy, many()), "a batch")
	for i, r := range many() {
		for n := 1; n < r.N; n++ {
			one := r
			one.N, one.Sample.Seed = 1, r.Sample.Seed+uint64(n)
			assert.Equal(t, want[i].Choices[n].IDs, submit(t, roomy, one).Result().IDs, "a sample is what a request of its own says")
		}
	}
	options.KVMemory = kvMemory(roomy, 34)
	for _, test := range []struct {
		name string
		loss int // the step at which the device is lost
		set  func(*Options)
	}{
		{"depth 4", 0, func(o *Options) { o.Depth, o.KVMemory = 4, 0 }},
		{"recompute, depth 4", 0, func(o *Options) { o.Depth, o.Preemption = 4, "recompute" }},
		{"swap, depth 4", 0, func(o *Options) { o.Depth, o.Preemption = 4, "swap" }},
		{"few lanes, small chunks, depth 3", 0, func(o *Options) { o.Depth, o.MaxSeqs, o.TokenBudget = 3, 3, 7 }},
		{"the device lost, depth 4", 30, func(o *Options) { o.Depth, o.KVMemory = 4, 0 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options
			test.set(&o)
			e := openModel(t, "tiny-tales", o)
			loseAt(e, test.loss)
			for range 2 { // lanes are used again
				assertSame(t, want, results(t, e, many()), test.name)
			}
			assert.Equal(t, test.loss > 0, e.Stats().Recoveries > 0)
			if o.Preemption != "" {
				assert.GreaterOrEqual(t, e.Stats().Preemptions, uint64(2))
			}
			require.NoError(t, e.Close())
			assert.NoError(t, e.scheduler.Check())
		})
	}
}

// A stop that is found late leaves nothing behind in the lane, and a lane without penalties has none of the one before.
func TestPenaltiesLeaveNothingBehind(t *testing.T) {
	if runsFew() {
		t.Skip("TestPenaltiesFollowTheReference is enough here")
	}
	e := openModel(t, "tiny-tales", Options{Deterministic: true, Depth: 4, Context: 256, MaxSeqs: 1, KVMemory: 4 << 20})
	before := e.Stats()
	plain := Request{Prompt: testPrompts(2)[1], MaxTokens: 30}
	want := submit(t, e, plain).Result()
	after := e.Stats()
	assert.Equal(t, before.GPUBuffers, after.GPUBuffers, "requests without penalties take nothing")
	dispatches := after.Dispatches
	for i, p := range penalized()[:5] {
		r := plain
		r.Sample = p
		r.Stop = []string{want.Text[5:7]}
		first := submit(t, e, r).Result()
		require.NoError(t, first.Err)
		assert.Equal(t, first.IDs, submit(t, e, r).Result().IDs, "settings %d", i)
		assert.Equal(t, want.IDs, submit(t, e, plain).Result().IDs, "after settings %d", i)
		assert.Equal(t, dispatches, e.Stats().Dispatches)
	}
}

func TestRefusedPenalties(t *testing.T) {
	if runsFew() {
		t.Skip("no GPU is asked")
	}
	e := openModel(t, "tiny-tales", Options{Context: 64, MaxSeqs: 4, KVMemory: 1 << 20})
	for says, r := range map[string]Request{
		"logit_bias is for token 300, it must be for tokens of the vocabulary, which has 257": {Sample: sample.Params{LogitBias: map[int32]float64{300: 1, 9999: 1, 5: 1}}},
		"logit_bias is for token -1": {Sample: sample.Params{LogitBias: map[int32]float64{-1: 1}}},
		"Beams do not go with":       {Beams: &Beams{Width: 2}, Sample: sample.Params{PresencePenalty: 1}},
		"presence_penalty is 3":      {Sample: sample.Params{PresencePenalty: 3}},
	} {
		r.Prompt = []int32{10}
		_, err := e.Submit(t.Context(), r)
		require.ErrorIs(t, err, ErrBadRequest)
		assert.ErrorContains(t, err, says)
	}
}
