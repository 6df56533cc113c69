package kernel

import (
	"quire/engine/gpu"
	"quire/engine/sample"
)

// testPenalties are the lanes of a test of penalties, all after one text, of which each has all tokens but the last, which it drew.
var testPenalties = []sample.Params{
	{RepetitionPenalty: 1.25, FrequencyPenalty: 0.5, PresencePenalty: 0.25, LogitBias: map[int32]float64{0: 1, 2: -3}, Logprobs: 1},
	{DRY: sample.DRY{Multiplier: 0.75, Base: 2, AllowedLength: 1}, Logprobs: 1},
}

// testText is the text, of which the first tokens are the prompt.
func testText(vocab, context int) (tokens []int32, prompt int) {
	for i := range min(10, context) {
		tokens = append(tokens, int32(min(i%4+i/8, vocab-1)))
	}
	return tokens, min(3, len(tokens)-1)
}

// SelfTest adds the kernels to a test: what they make of the first tokens' logits, and that they put them back.
func (k *Penalize) SelfTest(t *SelfTest) error {
	if !t.Needs(k.apply, k.restore) {
		return nil
	}
	p, n := k.params, len(testPenalties)
	tokens, prompt := testText(p.Vocab, p.Context)
	last := len(tokens) - 1
	breakers := &sample.Breakers{Alone: map[int32]bool{}}
	breakers.Add(int32(p.Vocab-1), nil)
	var s StepData
	var lanes, words, history []uint32
	for i, params := range testPenalties {
		s.Outputs = append(s.Outputs, Output{Lane: uint32(n - 1 - i), Counter: uint32(last + 1 - prompt), Flags: OutputSample})
		l := NewPenalized(params, sample.History{Tokens: tokens[:last], Prompt: prompt, Room: 1, Breakers: breakers}, p.Vocab)
		at := len(history)
		history = append(history, make([]uint32, l.Size)...)
		if err := l.Place(at, func(at int, words []uint32) error {
			copy(history[at:], words)
			return nil
		}); err != nil {
			return err
		}
		lanes, words = append(lanes, uint32(tokens[last])), append(words, l.Words[:]...)
	}
	given := func(label string, words []uint32) (v gpu.View) {
		if t.err == nil {
			v, t.err = t.given(label, words)
		}
		return v
	}
	logits := t.operand("rows", n, p.Vocab, p.Stride)
	step, drew, lanesWords, histories := given("step", s.AppendWords(nil)), given("drawn", lanes), given("penalties", words), given("history", history)
	if t.err != nil {
		return t.err
	}
	bound, err := k.Bind(step, logits.view, drew, lanesWords, histories)
	if err != nil {
		return err
	}
	some := min(testColumns, p.Vocab)
	raw := func(row int) []float32 {
		x := make([]float32, some)
		for id := range x {
			x[id] = float32(logits.at(row, id))
		}
		return x
	}
	check := func(kernel *gpu.Kernel, want func(row int) []float64) {
		for row := range n {
			t.Take(logits.buffer, row*p.Stride, some)
		}
		t.Check(GroupRows, func() (all []float64) {
			for row := range n {
				all = append(all, want(row)...)
			}
			return all
		}, rowTolerance, kernel)
	}
	bound.record(&t.rec, n)
	check(k.apply, func(row int) []float64 {
		return sample.Adjust(raw(row), testPenalties[n-1-row], tokens[:prompt], tokens[prompt:], breakers)
	})
	bound.recordRestore(&t.rec, n)
	check(k.restore, func(row int) (all []float64) {
		for _, x := range raw(row) {
			all = append(all, float64(x))
		}
		return all
	})
	return nil
}
