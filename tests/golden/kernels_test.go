package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	_ "unsafe" // for linkname

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu"
	"quire/tests/testdata"
)

// kernelsMark stands before the JSON that TestKernels prints for the other host.
const kernelsMark = "kernels of the golden runs: "

// broken sees the final text of every kernel.
//
//go:linkname broken quire/engine/kernel.broken
var broken func(label, text string) string

// goldenKernels returns the final texts, by hash, of all kernels that the golden runs compile with baseline variants. Those of a
// model are all composed before the first of its tensors is read. What is compiled in their place does nothing: devices close only
// when all kernels have compiled.
func goldenKernels(t *testing.T) map[string]string {
	all := map[string]string{}
	broken = func(label, text string) string {
		hash := (&gpu.Module{Text: text}).Hash()
		all[hash] = label
		return "@compute @workgroup_size(1) fn main() {} // of its own, as its bindings are: " + hash
	}
	defer func() { broken = nil }()
	for model, kvType := range map[string]string{"tiny-tales": "f32", "quire-tales": "f16"} {
		ctx, cancel := context.WithCancel(context.Background())
		f, size := testdata.Open(t, "models/"+model+".gguf")
		_, err := engine.Open(ctx, gpu.ReaderSource(f, size), engine.Options{KVType: kvType, Context: 512, Variant: "baseline", TokenBudget: 512, Eager: true,
			GPU: gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}, Progress: func(p engine.Progress) {
				if p.Stage == "weights" {
					cancel()
				}
			}})
		cancel()
		require.ErrorIs(t, err, context.Canceled)
	}
	return all
}

// Only baseline variants run when baseline is asked for.
func TestKernels(t *testing.T) {
	if os.Getenv("QUIRE_KERNELS") == "" {
		t.Skip("TestKernelTextsAlike starts this test on the other host")
	}
	kernels := goldenKernels(t)
	require.NotEmpty(t, kernels)
	for _, label := range kernels {
		assert.Regexp(t, `/baseline(\+shared)?$`, label)
	}
	text, err := json.Marshal(kernels)
	require.NoError(t, err)
	fmt.Println(kernelsMark + string(text))
}
