package bench

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu"
	"quire/engine/quant"
)

// BenchmarkShape is "quire bench --shape … --type q4_0 --prompt 512,2048 --gen 128 --batch 1,8" for whichever host runs
// the test, so that the tab's engine is measured as the native one is.
func BenchmarkShape(b *testing.B) {
	for _, shape := range Shapes {
		b.Run(shape.Name, func(b *testing.B) {
			for range b.N {
				r, err := NewRandom(shape, quant.Q4_0)
				require.NoError(b, err)
				report, err := Run(context.Background(), gpu.ReaderSource(r, r.Size()), shape.Name, "q4_0", engine.Options{GPU: adapter},
					Plan{Prompts: []int{512, 2048}, Gen: 128, Batches: []int{1, 8}, Depths: []int{0}}, func(s string) { b.Log(s) })
				require.NoError(b, err)
				b.Logf("%s, reads %.0f GB/s, variant %s", report.Adapter, report.Bandwidth, report.Variant)
				for _, m := range report.Results {
					name := fmt.Sprintf("%s-%dx%d-tok/s", m.Kind, m.Batch, max(m.Prompt, m.Gen))
					b.ReportMetric(m.TokensPerSecond, name)
					b.Logf("%s %d x %d: %.1f tokens/s, %.1f %% of the bandwidth, %d dispatches a step", m.Kind, m.Batch,
						max(m.Prompt, m.Gen), m.TokensPerSecond, 100*m.BandwidthShare, m.DispatchesPerStep)
				}
			}
		})
	}
}
