package schedule

import (
	"testing"

	"quire/engine/step"
)

// BenchmarkSchedule makes and lands a decode step of 64 sequences, each with 300 tokens or more.
func BenchmarkSchedule(b *testing.B) {
	s, err := New(Config{Blocks: 40_000, PrefixCache: true, Depth: 3, TokenBudget: 4096})
	if err != nil {
		b.Fatal(err)
	}
	var st step.Step
	tokens := make([]int32, 64)
	land := func(number uint64) {
		for i := range tokens {
			tokens[i] = int32(i)
		}
		if _, err := s.Land(number, tokens[:s.flight[0].samples]); err != nil {
			b.Fatal(err)
		}
	}
	id := 0
	refill := func() {
		for s.live < 64 {
			id++
			if err := s.Add(Request{ID: uint64(id), Prompt: prompt(id, 300), MaxTokens: 4000}); err != nil {
				b.Fatal(err)
			}
		}
	}
	refill()
	for len(st.Outputs) < 64 {
		if d := s.Schedule(&st); d.Kind == Land {
			land(d.Step)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		d := s.Schedule(&st)
		for ; d.Kind == Land; d = s.Schedule(&st) {
			land(d.Step)
		}
		if s.live < 64 {
			b.StopTimer()
			refill()
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(s.stats.Tokens)/float64(s.stats.Steps), "tokens/step")
}
