package golden

import (
	"bytes"
	"context"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu"
	"quire/tests/tiny"
)

// product is W·x + bias.
func product(w, bias tiny.Added, x []float64) []float64 {
	y := make([]float64, w.Rows)
	for i := range y {
		y[i] = float64(bias.At(0, i))
		if bias.Name == "" {
			y[i] = 0
		}
		for j := range x {
			y[i] += float64(w.At(i, j)) * x[j]
		}
	}
	return y
}

// A score is the classifier's, of the token that the architecture takes: BERT's first through a hidden layer, Qwen 3's last as
// shares of its labels.
func TestRank(t *testing.T) {
	const width = 64
	hidden, hiddenBias := tiny.Added{Name: "cls.weight", Rows: width, Cols: width}, tiny.Added{Name: "cls.bias", Rows: 0, Cols: width}
	output, bias := tiny.Added{Name: "cls.output.weight", Rows: 1, Cols: width}, tiny.Added{Name: "cls.output.bias", Rows: 0, Cols: 1}
	labels := tiny.Added{Name: "cls.output.weight", Rows: 2, Cols: width}
	for _, c := range []struct {
		name    string
		data    []byte
		pooling engine.Pooling
		scores  func(x []float64) []float64
	}{
		{"bert", tiny.With(t, "families/bert.gguf", 4, hidden, hiddenBias, output, bias), engine.PoolCLS, func(x []float64) []float64 {
			h := product(hidden, hiddenBias, x)
			for i := range h {
				h[i] = math.Tanh(h[i])
			}
			return product(output, bias, h)
		}},
		{"qwen3", tiny.With(t, "families/qwen3embed.gguf", 4, labels), engine.PoolLast, func(x []float64) []float64 {
			y := product(labels, tiny.Added{}, x)
			yes := 1 / (1 + math.Exp(y[1]-y[0]))
			return []float64{yes, 1 - yes}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if runtime.GOOS == "js" && c.name == "qwen3" && !all() {
				t.Skip("one is enough in the tab")
			}
			o := engine.Options{KVType: "f32", MaxSeqs: 4}
			o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
			e, err := engine.Open(context.Background(), gpu.ReaderSource(bytes.NewReader(c.data), int64(len(c.data))), o)
			require.NoError(t, err)
			defer e.Close()
			assert.Equal(t, engine.PoolRank, e.Info().Pooling)
			prompts := [][]int32{{2, 120, 3}, {2, 257, 195, 242, 203, 68, 3}}
			var streams []*engine.Stream
			for _, p := range prompts {
				s, err := e.Submit(t.Context(), engine.Request{Prompt: p, Embed: &engine.Embed{}})
				require.NoError(t, err)
				streams = append(streams, s)
			}
			for i, p := range prompts {
				r := generate(t, e, engine.Request{Prompt: p, Embed: &engine.Embed{Pooling: c.pooling, Raw: true}})
				x := make([]float64, len(r.Embedding))
				for j := range x {
					x[j] = float64(r.Embedding[j])
				}
				want, got := c.scores(x), streams[i].Result()
				require.NoError(t, got.Err)
				assert.Empty(t, got.Embedding)
				require.Len(t, got.Scores, len(want))
				for j := range want {
					assert.InDelta(t, want[j], float64(got.Scores[j]), 1e-4)
				}
			}
		})
	}
}
