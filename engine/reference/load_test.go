package reference

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/quant"
)

// tiny is a model of one layer that tests bend before they write it.
type tiny struct {
	metadata map[string]any
	order    []string
	shapes   map[string][]uint64
	weights  map[string][]float32
}

const (
	tinyWidth, tinyHeads, tinyKVHeads, tinyDim, tinyFFN, tinyVocabulary = 6, 4, 2, 4, 5, 7
)

func newTiny(arch string) *tiny {
	m := &tiny{
		metadata: map[string]any{
			"general.architecture":                     arch,
			arch + ".block_count":                      uint32(1),
			arch + ".embedding_length":                 uint32(tinyWidth),
			arch + ".feed_forward_length":              uint32(tinyFFN),
			arch + ".attention.head_count":             uint32(tinyHeads),
			arch + ".attention.head_count_kv":          uint32(tinyKVHeads),
			arch + ".attention.key_length":             uint32(tinyDim),
			arch + ".attention.value_length":           uint32(tinyDim),
			arch + ".attention.layer_norm_rms_epsilon": float32(1e-5),
		},
		shapes: map[string][]uint64{}, weights: map[string][]float32{},
	}
	m.add("token_embd.weight", tinyWidth, tinyVocabulary)
	m.add("output_norm.weight", tinyWidth)
	m.add("blk.0.attn_norm.weight", tinyWidth)
	m.add("blk.0.attn_q.weight", tinyWidth, tinyHeads*tinyDim)
	m.add("blk.0.attn_k.weight", tinyWidth, tinyKVHeads*tinyDim)
	m.add("blk.0.attn_v.weight", tinyWidth, tinyKVHeads*tinyDim)
	m.add("blk.0.attn_output.weight", tinyHeads*tinyDim, tinyWidth)
	m.add("blk.0.ffn_norm.weight", tinyWidth)
	m.add("blk.0.ffn_gate.weight", tinyWidth, tinyFFN)
	m.add("blk.0.ffn_up.weight", tinyWidth, tinyFFN)
	m.add("blk.0.ffn_down.weight", tinyFFN, tinyWidth)
	return m
}

// add gives a tensor random weights that depend on its name's place in the file alone.
func (m *tiny) add(name string, shape ...uint64) {
	random := rand.New(rand.NewPCG(9, uint64(len(m.order))))
	n := uint64(1)
	for _, d := range shape {
		n *= d
	}
	m.order = append(m.order, name)
	m.shapes[name] = shape
	m.weights[name] = narrow(normal(random, int(n)))
}

func (m *tiny) drop(name string) {
	for i, other := range m.order {
		if other == name {
			m.order = append(m.order[:i:i], m.order[i+1:]...)
		}
	}
}

func (m *tiny) load(t *testing.T) (*Model, error) {
	t.Helper()
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	for key, v := range m.metadata {
		require.NoError(t, w.Metadata.Set(key, v))
	}
	for _, name := range m.order {
		require.NoError(t, w.Declare(name, quant.F32, m.shapes[name]...))
	}
	for _, name := range m.order {
		var data bytes.Buffer
		require.NoError(t, binary.Write(&data, binary.LittleEndian, m.weights[name]))
		require.NoError(t, w.WriteTensor(&data))
	}
	require.NoError(t, w.Close())
	file := bytes.NewReader(out.Bytes())
	f, err := gguf.Read(file, file.Size())
	require.NoError(t, err)
	return Load(f, file)
}

func (m *tiny) logits(t *testing.T) [][]float64 {
	t.Helper()
	model, err := m.load(t)
	require.NoError(t, err)
	logits, err := model.NewState().Forward([]int32{1, 5, 2, 2, 0, 6})
	require.NoError(t, err)
	return logits
}

func differ(a, b [][]float64) float64 {
	worst := 0.0
	for i := range a {
		for j := range a[i] {
			worst = max(worst, math.Abs(a[i][j]-b[i][j]))
		}
	}
	return worst
}

// interleave reorders each head's rows so that adjacent pairs become what the two halves were.
func interleave(w []float32, heads, columns int) []float32 {
	out := make([]float32, 0, len(w))
	for h := range heads {
		for i := range tinyDim {
			row := h*tinyDim + i/2 + i%2*tinyDim/2
			out = append(out, w[row*columns:][:columns]...)
		}
	}
	return out
}

// A qwen2 model is a llama model whose query and key rows lie in the other pairing's order.
func TestArchitecturesDifferInPairing(t *testing.T) {
	qwen, llama := newTiny("qwen2"), newTiny("llama")
	want := qwen.logits(t)
	assert.Greater(t, differ(want, llama.logits(t)), 1e-3)
	for name, heads := range map[string]int{"blk.0.attn_q.weight": tinyHeads, "blk.0.attn_k.weight": tinyKVHeads} {
		llama.weights[name] = interleave(llama.weights[name], heads, tinyWidth)
	}
	assert.Less(t, differ(want, llama.logits(t)), 1e-12)
}

func TestBiases(t *testing.T) {
	plain := newTiny("qwen2")
	for name, n := range map[string]uint64{"q": tinyHeads * tinyDim, "k": tinyKVHeads * tinyDim, "v": tinyKVHeads * tinyDim} {
		t.Run(name, func(t *testing.T) {
			biased := newTiny("qwen2")
			biased.add("blk.0.attn_"+name+".bias", n)
			assert.Greater(t, differ(plain.logits(t), biased.logits(t)), 1e-3)
			clear(biased.weights["blk.0.attn_"+name+".bias"])
			assert.Equal(t, plain.logits(t), biased.logits(t))
		})
	}

	// Where V is nothing but its bias, attention gives that bias whatever it weighs.
	m := newTiny("qwen2")
	clear(m.weights["blk.0.attn_v.weight"])
	clear(m.weights["blk.0.ffn_down.weight"])
	m.add("blk.0.attn_v.bias", tinyKVHeads*tinyDim)
	model, err := m.load(t)
	require.NoError(t, err)
	state := model.NewState()
	var residual []float64
	state.Residuals = func(_ int, rows []float64) { residual = append(residual, rows...) }
	_, err = state.Forward([]int32{3, 4})
	require.NoError(t, err)
	bias, output := widen(m.weights["blk.0.attn_v.bias"]), widen(m.weights["blk.0.attn_output.weight"])
	for i, f := range residual {
		want := float64(m.weights["token_embd.weight"][(3+i/tinyWidth)*tinyWidth+i%tinyWidth])
		for j := range tinyHeads * tinyDim {
			shared := j/(2*tinyDim)*tinyDim + j%tinyDim
			want += output[i%tinyWidth*tinyHeads*tinyDim+j] * bias[shared]
		}
		assert.InDelta(t, want, f, 1e-12)
	}
}

func TestSeparateOutput(t *testing.T) {
	tied, separate := newTiny("llama"), newTiny("llama")
	separate.add("output.weight", tinyWidth, tinyVocabulary)
	assert.Greater(t, differ(tied.logits(t), separate.logits(t)), 1e-3)
	separate.weights["output.weight"] = separate.weights["token_embd.weight"]
	assert.Equal(t, tied.logits(t), separate.logits(t))
}

func TestRopeScalingFromFile(t *testing.T) {
	plain, linear, divided := newTiny("llama"), newTiny("llama"), newTiny("llama")
	linear.metadata["llama.rope.scaling.type"] = "linear"
	linear.metadata["llama.rope.scaling.factor"] = float32(4)
	divided.add("rope_freqs.weight", tinyDim/2)
	divided.weights["rope_freqs.weight"] = []float32{4, 4}
	assert.Greater(t, differ(plain.logits(t), linear.logits(t)), 1e-3)
	assert.Less(t, differ(linear.logits(t), divided.logits(t)), 1e-12)

	llama3 := newTiny("llama")
	llama3.metadata["llama.rope.scaling.type"] = "llama3"
	llama3.metadata["llama.rope.scaling.factor"] = float32(8)
	llama3.metadata["llama.rope.scaling.original_context_length"] = uint32(4096)
	llama3.metadata["llama.rope.freq_base"] = float32(500000)
	m, err := llama3.load(t)
	require.NoError(t, err)
	assert.Equal(t, RopeParams{Base: 500000, Dim: tinyDim, Scaling: Llama3Scaling, Factor: 8,
		LowFreqFactor: 1, HighFreqFactor: 4, OriginalContext: 4096}, m.Rope)
}

// Linear scaling without a type, by either key, and lists of equal values.
func TestOtherSpellings(t *testing.T) {
	for _, key := range []string{"llama.rope.scaling.factor", "llama.rope.scale_linear"} {
		m := newTiny("llama")
		m.metadata[key] = float32(4)
		m.metadata["llama.attention.head_count_kv"] = []int32{tinyKVHeads, tinyKVHeads}
		model, err := m.load(t)
		require.NoError(t, err)
		assert.Equal(t, LinearScaling, model.Rope.Scaling)
		assert.EqualValues(t, 4, model.Rope.Factor)
		assert.Equal(t, tinyKVHeads, model.KVHeads)
	}
}

func TestPartialRotation(t *testing.T) {
	m := newTiny("llama")
	m.metadata["llama.rope.dimension_count"] = uint32(2)
	model, err := m.load(t)
	require.NoError(t, err)
	state := model.NewState()
	_, err = state.Forward([]int32{3, 3})
	require.NoError(t, err)
	first, second := state.Keys[0][:tinyDim], state.Keys[0][tinyKVHeads*tinyDim:][:tinyDim]
	assert.NotEqual(t, first[:2], second[:2])
	assert.Equal(t, first[2:], second[2:])
}

func TestLoadRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, says string
		bend       func(m *tiny)
	}{
		{"architecture", `"gpt2" is not one of`, func(m *tiny) { m.metadata["general.architecture"] = "gpt2" }},
		{"no architecture", "general.architecture", func(m *tiny) { delete(m.metadata, "general.architecture") }},
		{"missing key", `"llama.block_count": is missing`, func(m *tiny) { delete(m.metadata, "llama.block_count") }},
		{"no heads", `"llama.attention.head_count": 0`, func(m *tiny) { m.metadata["llama.attention.head_count"] = uint32(0) }},
		{"wrong type", `"llama.embedding_length": is string`, func(m *tiny) { m.metadata["llama.embedding_length"] = "6" }},
		{"KV heads", "3 does not divide 4 heads", func(m *tiny) { m.metadata["llama.attention.head_count_kv"] = uint32(3) }},
		{"value length", "value_length", func(m *tiny) { m.metadata["llama.attention.value_length"] = uint32(8) }},
		{"absent value length", "value_length", func(m *tiny) { delete(m.metadata, "llama.attention.value_length") }},
		{"KV heads by layer", "not the same for every layer", func(m *tiny) { m.metadata["llama.attention.head_count_kv"] = []int32{2, 1} }},
		{"eps", "layer_norm_rms_epsilon", func(m *tiny) { m.metadata["llama.attention.layer_norm_rms_epsilon"] = float32(-1) }},
		{"odd rotation", "dimension_count", func(m *tiny) { m.metadata["llama.rope.dimension_count"] = uint32(3) }},
		{"scaling", `"yarn" is not one of`, func(m *tiny) { m.metadata["llama.rope.scaling.type"] = "yarn" }},
		{"missing tensor", `"blk.0.ffn_up.weight" is missing`, func(m *tiny) { m.drop("blk.0.ffn_up.weight") }},
		{"no embedding", `"token_embd.weight" is missing`, func(m *tiny) { m.drop("token_embd.weight") }},
		{"missing layer", `"blk.1.attn_norm.weight" is missing`, func(m *tiny) { m.metadata["llama.block_count"] = uint32(1 << 30) }},
		{"shape", `"blk.0.ffn_gate.weight" has shape [6 5], want [6 4]`, func(m *tiny) { m.metadata["llama.feed_forward_length"] = uint32(4) }},
		{"left over", `"blk.0.attn_norm.bias" is no part`, func(m *tiny) { m.add("blk.0.attn_norm.bias", tinyWidth) }},
		{"divisor", `"rope_freqs.weight" has a divisor`, func(m *tiny) {
			m.add("rope_freqs.weight", 2)
			m.weights["rope_freqs.weight"] = []float32{1, 0}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := newTiny("llama")
			tc.bend(m)
			_, err := m.load(t)
			assert.ErrorContains(t, err, tc.says)
		})
	}
}

func TestReadTensorNamesType(t *testing.T) {
	for _, kind := range []quant.Type{quant.Q8_K, quant.Type(99)} {
		tensor := gguf.Tensor{Name: "x", Type: kind, Shape: []uint64{256}, Bytes: kind.RowBytes(256)}
		_, err := ReadTensor(&tensor, bytes.NewReader(make([]byte, 1000)))
		assert.ErrorIs(t, err, quant.ErrUnsupportedType)
		assert.ErrorContains(t, err, kind.String())
	}
}
