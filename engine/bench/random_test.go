package bench

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/model"
	"quire/engine/quant"
	"quire/engine/tokenizer"
)

// tiny has every part that the named shapes have.
var tiny = Shape{Name: "tiny", Architecture: "qwen2", Layers: 2, Width: 64, FFN: 96, Heads: 4, KVHeads: 2, HeadDim: 16,
	Vocabulary: 700, Context: 512, RopeBase: 1e4, Bias: true, Pre: "qwen2"}

func TestNamedShapesAreModels(t *testing.T) {
	millions := map[string]float64{"qwen-0.5b": 494, "llama-1b": 1236, "llama-3b": 3213, "llama-8b": 8030, "qwen3-30b-a3b": 30532, "qwen3-30b-a3b-dense": 3341,
		"qwen35-2b": 1882, "qwen3-0.6b": 596, "gemma3-1b": 1000, "gemma4-e2b": 4628, "gpt-oss-20b": 20915, "lfm2-1.2b": 1170}
	for _, s := range Shapes {
		t.Run(s.Name, func(t *testing.T) {
			r, err := NewRandom(s, quant.Q4_0)
			require.NoError(t, err)
			header, err := gguf.Read(r, r.Size())
			require.NoError(t, err)
			plan, err := model.NewPlan(header)
			require.NoError(t, err)
			assert.Equal(t, s.Vocabulary, plan.Config.Vocabulary)
			assert.Equal(t, s.Tied, plan.Tied)
			assert.InDelta(t, millions[s.Name], float64(plan.Parameters())/1e6, 1)
		})
	}
}

func TestRandomVocabularyRoundTrips(t *testing.T) {
	r, err := NewRandom(Shapes[0], quant.Q4_0)
	require.NoError(t, err)
	header, err := gguf.Read(r, r.Size())
	require.NoError(t, err)
	tok, err := tokenizer.New(header)
	require.NoError(t, err)
	assert.Equal(t, Shapes[0].Vocabulary, tok.Size())
	text := "Every byte is there:\x00\x7f é 漢字 🦊"
	assert.Equal(t, text, string(tok.Decode(tok.Encode(text, tokenizer.EncodeOptions{}), tokenizer.DecodeOptions{})))
	eos, ok := tok.EOS()
	assert.True(t, ok && tok.IsEnd(eos))
}

func TestRandomWeightsAreTame(t *testing.T) {
	require.Len(t, RandomTypes(), 26)
	for _, name := range RandomTypes() {
		t.Run(name, func(t *testing.T) {
			kind, err := quant.Parse(name)
			require.NoError(t, err)
			s := tiny
			s.Width, s.FFN = max(s.Width, kind.BlockWeights()), max(s.FFN, 2*kind.BlockWeights())
			s.HeadDim = s.Width / s.Heads
			r, err := NewRandom(s, kind)
			require.NoError(t, err)
			header, err := gguf.Read(r, r.Size())
			require.NoError(t, err)
			for _, tensor := range header.Tensors {
				data := make([]byte, tensor.Bytes)
				_, err := r.ReadAt(data, tensor.Offset)
				require.NoError(t, err)
				weights := make([]float32, tensor.Elements())
				require.NoError(t, quant.Dequantize(tensor.Type, data, weights))
				mean, deviation := moments(weights)
				switch kindOf(&tensor) {
				case kindNorm:
					assert.Equal(t, [2]float64{1, 0}, [2]float64{mean, deviation}, tensor.Name)
				case kindBias:
					assert.Equal(t, [2]float64{0, 0}, [2]float64{mean, deviation}, tensor.Name)
				default:
					want := 1 / math.Sqrt(float64(tensor.Shape[0]))
					assert.InEpsilon(t, want, deviation, 0.1, tensor.Name)
					assert.InDelta(t, 0, mean, want/5, tensor.Name)
					row := data[:tensor.Type.RowBytes(tensor.Shape[0])]
					assert.Equal(t, 1, bytes.Count(data, row), "%s: rows repeat", tensor.Name)
				}
			}
		})
	}
}

func moments(weights []float32) (mean, deviation float64) {
	for _, w := range weights {
		mean += float64(w)
	}
	mean /= float64(len(weights))
	for _, w := range weights {
		deviation += (float64(w) - mean) * (float64(w) - mean)
	}
	return mean, math.Sqrt(deviation / float64(len(weights)))
}

func TestRandomReadsTheSameAnywhere(t *testing.T) {
	r, err := NewRandom(tiny, quant.Q4_0)
	require.NoError(t, err)
	whole, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	require.NoError(t, err)
	require.Len(t, whole, int(r.Size()))
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		start := random.IntN(len(whole))
		piece := make([]byte, random.IntN(min(5000, len(whole)-start)+1))
		n, err := r.ReadAt(piece, int64(start))
		require.NoError(t, err)
		require.Equal(t, len(piece), n)
		require.True(t, bytes.Equal(whole[start:start+n], piece), "at %d, %d bytes", start, n)
	}
	n, err := r.ReadAt(make([]byte, 10), r.Size()-4)
	assert.Equal(t, 4, n)
	assert.Equal(t, io.EOF, err)
}

func TestNewRandomRefusesATypeItCannotMake(t *testing.T) {
	_, err := NewRandom(tiny, quant.Q8_1)
	assert.ErrorIs(t, err, quant.ErrUnsupportedType)
	_, err = NewRandom(tiny, quant.Q6_K)
	require.ErrorContains(t, err, "row length 64 is no multiple of Q6_K's block of 256")
	assert.NotContains(t, err.Error(), "\n", "one line")
}

func TestFindShape(t *testing.T) {
	s, err := FindShape("LLAMA-1B")
	require.NoError(t, err)
	assert.Equal(t, "llama-1b", s.Name)
	_, err = FindShape("llama-2b")
	assert.ErrorContains(t, err, "qwen-0.5b, llama-1b, llama-3b, llama-8b")
}
