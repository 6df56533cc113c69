package bench

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
)

func TestPrint(t *testing.T) {
	r := Report{
		Adapter: "NVIDIA H200", Backend: "vulkan", Bandwidth: 4278.22, Shape: "llama-1b", Type: "q4_0", Bytes: 733 << 20, Parameters: 1_235_814_400,
		Variant: "baseline, subgroup", KVType: "f16", LoRA: Adapters{Count: 8, Rank: 16},
		Load: Load{Seconds: 1.25, WeightSeconds: 0.5, GBPerSecond: 1.4, Kernels: 87, KernelSeconds: 1, PeakHostBytes: 300 << 20},
		Results: []Result{
			{Kind: Prefill, Prompt: 512, Batch: 1, TokensPerSecond: 10329.983, Deviation: 12.345},
			{Kind: Decode, Gen: 128, Batch: 8, Depth: 8192, TokensPerSecond: 784.2, Kernels: []engine.KernelTime{
				{Kernel: "matvec/x8", Dispatches: 4, Seconds: 0.003}, {Kernel: "embed", Dispatches: 1, Seconds: 0.001},
			}},
		},
	}
	for i := range r.Results {
		r.Results[i].Test = r.Results[i].test()
	}
	var out strings.Builder
	require.NoError(t, r.Print(&out))
	assert.Equal(t, `| model         |       size | params | backend | batch | test          |              t/s |
| ------------- | ----------:| ------:| ------- | -----:| ------------- | ----------------:|
| llama-1b Q4_0 | 733.00 MiB | 1.24 B | vulkan  |     1 | pp512         | 10329.98 ± 12.35 |
| llama-1b Q4_0 | 733.00 MiB | 1.24 B | vulkan  |     8 | tg128 @ d8192 |    784.20 ± 0.00 |

adapter: NVIDIA H200, reads 4278.2 GB/s
variant: baseline, subgroup, KV cache f16
load: 1.25 s; weights 0.50 s, 1.40 GB/s; 87 kernels 1.00 s; 300.00 MiB of host memory at most
LoRA: 8 of rank 16

tg128 @ d8192, batch 8: 4.00 ms on the GPU
  matvec/x8  3.00 ms  75.0 %  4 dispatches  750.0 µs each
  embed      1.00 ms  25.0 %  1 dispatches  1000.0 µs each
`, out.String())
}

func TestMeanDeviation(t *testing.T) {
	for _, c := range []struct {
		values          []float64
		mean, deviation float64
	}{{[]float64{7}, 7, 0}, {[]float64{1, 3}, 2, 1.4142135}, {[]float64{2, 4, 4, 4, 5, 5, 7, 9}, 5, 2.1380899}} {
		mean, deviation := meanDeviation(c.values)
		assert.InDelta(t, c.mean, mean, 1e-6)
		assert.InDelta(t, c.deviation, deviation, 1e-6)
	}
}
