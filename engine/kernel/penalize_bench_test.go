package kernel

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/sample"
)

// BenchmarkPenalize runs a step's penalties again and again: lanes with so many tokens before, a bias of 300, and every penalty.
func BenchmarkPenalize(b *testing.B) {
	for _, c := range []struct{ lanes, tokens int }{{1, 2000}, {64, 2000}, {64, 8000}, {8, 32000}, {1, 130000}} {
		for name, params := range map[string]sample.Params{
			"penalties": {RepetitionPenalty: 1.1, FrequencyPenalty: 0.5, PresencePenalty: 0.5},
			"all":       {RepetitionPenalty: 1.1, FrequencyPenalty: 0.5, LogitBias: map[int32]float64{}, DRY: sample.NewDRY(0.8), Logprobs: 1},
		} {
			b.Run(fmt.Sprintf("%s/lanes%d/tokens%d", name, c.lanes, c.tokens), func(b *testing.B) {
				const vocab, reps = 128256, 64
				for id := range int32(300) {
					if params.LogitBias != nil {
						params.LogitBias[id*400] = 1
					}
				}
				p := newPenalizer(b, vocab, c.lanes, c.tokens+1, c.lanes*(6*c.tokens+6000))
				for n := range p.texts {
					text := make([]int32, c.tokens)
					for i := range text {
						text[i] = int32(p.rng.IntN(5000))
					}
					p.open(n, params, sample.History{Tokens: text, Prompt: c.tokens / 2, Room: 1})
					p.draw(n, 7)
				}
				rows := make([][]float32, c.lanes)
				for n := range rows {
					rows[n] = make([]float32, vocab)
				}
				p.run(rows)
				var rec gpu.Recorder
				for range reps {
					p.bound.record(&rec, c.lanes)
				}
				for b.Loop() {
					require.NoError(b, p.dev.Submit(&rec))
					require.NoError(b, p.dev.Idle(context.Background()))
				}
				b.ReportMetric(1e6*b.Elapsed().Seconds()/float64(b.N*reps), "µs/step")
			})
		}
	}
}
