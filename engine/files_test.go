package engine

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/reference"
	"quire/tests/tiny"
)

// Models whose layers 0 to 7 have every subset of biases (bit 0: q, 1: k, 2: v), and what NumPy computes for them in
// float64: the best logits after BOS and "Hello, this is a test of it.", with positions divided by 4 or not.
var goldenFiles = []struct {
	architecture string
	scale        float32
	top          map[int]float64
}{
	{"llama", 4, map[int]float64{117: 16.36503, 217: 15.08091, 158: 15.07678, 46: 14.80936, 245: 13.81735, 155: 13.17192}},
	{"llama", 1, map[int]float64{245: 16.51611, 158: 14.38668, 46: 14.36195, 92: 14.14571, 29: 12.35072, 67: 11.81429}},
	{"qwen2", 4, map[int]float64{92: 14.22863, 217: 13.06503, 158: 12.7867, 46: 12.27379, 86: 12.11848, 111: 11.98254}},
}

const fileTolerance = 1e-3

// Each way to say linear scaling gives NumPy's logits, on the GPU and in the float64 reference; of a key that changes
// nothing a warning tells.
func TestFilesAsTheyAreMeant(t *testing.T) {
	if runsFew() {
		t.Skip("what a file means depends on no host")
	}
	prompt := []int32{tiny.BOS}
	for _, b := range []byte("Hello, this is a test of it.") {
		prompt = append(prompt, int32(b))
	}
	for i, golden := range goldenFiles {
		arch := golden.architecture + "."
		for name, meta := range map[string]map[string]any{
			"old key":      {arch + "rope.scale_linear": golden.scale},
			"factor alone": {arch + "rope.scaling.factor": golden.scale},
		} {
			if (name == "old key") != (i == 0) { // once is enough
				continue
			}
			t.Run(fmt.Sprintf("%s by %g, %s", golden.architecture, golden.scale, name), func(t *testing.T) {
				meta[arch+"favourite_colour"] = "green"
				m := tiny.Model{Architecture: golden.architecture, Layers: 8, Meta: meta, Tensors: map[string][]int{}}
				for layer := range m.Layers {
					for bit, bias := range []string{"attn_q", "attn_k", "attn_v"} {
						if layer>>bit&1 == 1 {
							m.Tensors[fmt.Sprintf("blk.%d.%s.bias", layer, bias)] = []int{[]int{32, 16, 16}[bit]}
						}
					}
				}
				data := m.Bytes(t)
				ref, err := reference.Load(m.File(t), bytes.NewReader(data))
				require.NoError(t, err)
				want, err := ref.NewState().Forward(prompt)
				require.NoError(t, err)

				e, err := Open(context.Background(), gpu.ReaderSource(bytes.NewReader(data), int64(len(data))),
					Options{KVType: "f32", GPU: gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}})
				require.NoError(t, err)
				defer func() { assert.NoError(t, e.Close()) }()
				require.Len(t, e.Info().Warnings, 1)
				assert.Contains(t, e.Info().Warnings[0], arch+"favourite_colour")
				rows := 0
				result := submit(t, e, Request{Prompt: prompt, MaxTokens: 1, IgnoreEnd: true, Logits: func(p int, logits []float32) {
					rows++
					worst := 0.0
					for id := range logits {
						worst = max(worst, math.Abs(float64(logits[id])-want[p][id]))
					}
					assert.LessOrEqual(t, worst, fileTolerance, "position %d, against the reference", p)
					if p == len(prompt)-1 {
						for id, logit := range golden.top {
							assert.InDelta(t, logit, float64(logits[id]), fileTolerance, "token %d, against NumPy", id)
							assert.InDelta(t, logit, want[p][id], 1e-4, "token %d, the reference against NumPy", id)
						}
					}
				}}).Result()
				require.NoError(t, result.Err)
				assert.Equal(t, len(prompt), rows)
			})
		}
	}
}
