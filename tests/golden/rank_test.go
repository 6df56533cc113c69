package golden

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/quant"
	"quire/tests/testdata"
)

// added are tensors that a test puts into a file: rows, or one of them for a bias, whose elements a formula gives.
type added struct {
	name       string
	rows, cols int // rows 0: a bias
}

func (a added) at(row, col int) float32 {
	return float32(math.Sin(float64(1+len(a.name)+7*row+3*col))) / 4
}

// with copies a model, with further tensors and another pooling.
func with(t *testing.T, name string, pooling uint32, tensors ...added) []byte {
	t.Helper()
	src, size := testdata.Open(t, name)
	defer src.Close()
	f, err := gguf.Read(src, size)
	require.NoError(t, err)
	arch, _, err := f.Metadata.String("general.architecture")
	require.NoError(t, err)
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	for key, value := range f.Metadata.All() {
		if key == arch+".pooling_type" {
			require.NoError(t, w.Metadata.Set(key, pooling))
		} else {
			require.NoError(t, w.Metadata.Set(key, value))
		}
	}
	for _, tensor := range f.Tensors {
		require.NoError(t, w.Declare(tensor.Name, tensor.Type, tensor.Shape...))
	}
	for _, a := range tensors {
		shape := []uint64{uint64(a.cols)}
		if a.rows > 0 {
			shape = append(shape, uint64(a.rows))
		}
		require.NoError(t, w.Declare(a.name, quant.F32, shape...))
	}
	for _, tensor := range f.Tensors {
		data := make([]byte, tensor.Bytes)
		_, err := src.ReadAt(data, tensor.Offset)
		require.NoError(t, err)
		require.NoError(t, w.WriteTensor(bytes.NewReader(data)))
	}
	for _, a := range tensors {
		var data []byte
		for row := range max(1, a.rows) {
			for col := range a.cols {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(a.at(row, col)))
			}
		}
		require.NoError(t, w.WriteTensor(bytes.NewReader(data)))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// product is W·x + bias.
func product(w, bias added, x []float64) []float64 {
	y := make([]float64, w.rows)
	for i := range y {
		y[i] = float64(bias.at(0, i))
		if bias.name == "" {
			y[i] = 0
		}
		for j := range x {
			y[i] += float64(w.at(i, j)) * x[j]
		}
	}
	return y
}

// A score is the classifier's, of the token that the architecture takes: BERT's first through a hidden layer, Qwen 3's last as
// shares of its labels.
func TestRank(t *testing.T) {
	const width = 64
	hidden, hiddenBias := added{"cls.weight", width, width}, added{"cls.bias", 0, width}
	output, bias := added{"cls.output.weight", 1, width}, added{"cls.output.bias", 0, 1}
	labels := added{"cls.output.weight", 2, width}
	for _, c := range []struct {
		name    string
		data    []byte
		pooling engine.Pooling
		scores  func(x []float64) []float64
	}{
		{"bert", with(t, "families/bert.gguf", 4, hidden, hiddenBias, output, bias), engine.PoolCLS, func(x []float64) []float64 {
			h := product(hidden, hiddenBias, x)
			for i := range h {
				h[i] = math.Tanh(h[i])
			}
			return product(output, bias, h)
		}},
		{"qwen3", with(t, "families/qwen3embed.gguf", 4, labels), engine.PoolLast, func(x []float64) []float64 {
			y := product(labels, added{}, x)
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
