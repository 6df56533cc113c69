package golden

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
)

// kernelsMark stands before the JSON that TestKernels prints for the other host.
const kernelsMark = "kernels of the golden runs: "

// goldenKernels returns the final texts, by hash, of all kernels that the golden runs compile with baseline variants.
func goldenKernels(t *testing.T) map[string]string {
	all := map[string]string{}
	for model, kvType := range map[string]string{"tiny-tales": "f32", "quire-tales": "f16"} {
		for hash, label := range open(t, model, engine.Options{KVType: kvType, Context: 512, Variant: "baseline"}).Kernels() {
			all[hash] = label
		}
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
		assert.Regexp(t, "/baseline$", label)
	}
	text, err := json.Marshal(kernels)
	require.NoError(t, err)
	fmt.Println(kernelsMark + string(text))
}
