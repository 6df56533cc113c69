//go:build !js

package kernel

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkOneRow tunes products of one row as quire tune does, for each type and matrix, and reports what the adapter's own choice of
// shape takes and the fastest, which it logs.
func BenchmarkOneRow(b *testing.B) {
	for _, t := range runningTypes() {
		for _, s := range benchShapes {
			b.Run(fmt.Sprintf("%s/%s", t, s.name), func(b *testing.B) {
				r := newRig(b)
				most := 0
				if r.dev.Info().Type == "cpu" {
					most = 4 // each takes long to compile
				}
				x, y := r.buffer("x", make([]byte, 4*RowStride(s.k))).All(), r.buffer("y", make([]byte, 4*RowStride(s.n))).All()
				step := r.step(StepData{Tokens: make([]uint32, 64)})
				var products []RowProduct
				for bytes := uint64(0); bytes < rowWeights && (most == 0 || len(products) == 0); {
					m, err := NewMatrix(r.dev, "matrix", t, s.n, s.k, 0)
					require.NoError(b, err)
					b.Cleanup(m.Release)
					bytes += m.Bytes()
					l, err := NewLinear(r.dev, LinearParams{Matrix: m, XStride: RowStride(s.k), YStride: RowStride(s.n), MWord: WordTokens, Gated: s.gated, MaxRows: 1})
					require.NoError(b, err)
					products = append(products, RowProduct{l, LinearViews{Step: step, X: x, Y: y}})
				}
				for b.Loop() {
					tuning, err := NewRowTuning(products, most)
					require.NoError(b, err)
					tried, err := tuning.Run(context.Background())
					require.NoError(b, err)
					for _, row := range tried {
						if row.Best {
							b.ReportMetric(1e6*tried[0].Seconds, "µs/own")
							b.ReportMetric(1e6*row.Seconds, "µs/best")
							b.Logf("%+v", row.RowShape)
						}
					}
				}
			})
		}
	}
}
