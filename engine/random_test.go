package engine

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
	"quire/engine/reference"
)

// randomModel is a small model of random weights, in the ways that architectures and files differ.
type randomModel struct {
	arch     string
	types    func(name string) quant.Type // of a matrix; nil: F32
	headDim  int
	rotary   int
	kvHeads  int
	ffn      int
	bias     bool // of q, k and v
	biases   bool // of all matrices of the layers
	head     bool // its own output matrix
	factors  bool // rope_freqs.weight
	normed   bool // q and k, head by head
	after    bool // norms of what the blocks give
	metadata map[string]any
	layers   int                                  // 0: randomLayers
	width    int                                  // 0: randomWidth
	scaled   bool                                 // matrices of the layers have a number beside them
	spoil    func(name string, weights []float32) // changes a tensor's weights
}

const randomWidth, randomHeads, randomLayers, randomVocabulary = 64, 4, 2, 70

// file writes the model as a GGUF file.
func (m randomModel) file(t *testing.T) *bytes.Reader {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	layers, width := cmp.Or(m.layers, randomLayers), uint64(cmp.Or(m.width, randomWidth))
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	set := func(key string, v any) { require.NoError(t, w.Metadata.Set(key, v)) }
	set("general.architecture", m.arch)
	for key, v := range map[string]int{"block_count": layers, "embedding_length": int(width), "feed_forward_length": m.ffn,
		"attention.head_count": randomHeads, "attention.head_count_kv": m.kvHeads, "attention.key_length": m.headDim,
		"attention.value_length": m.headDim, "rope.dimension_count": m.rotary, "context_length": 128} {
		set(m.arch+"."+key, uint32(v))
	}
	set(m.arch+".attention.layer_norm_rms_epsilon", float32(1e-5))
	for key, v := range m.metadata {
		set(m.arch+"."+key, v)
	}
	tokens, scores, kinds := []string{"<unk>", "<s>", "</s>"}, []float32{0, 0, 0}, []int32{2, 3, 3}
	for len(tokens) < randomVocabulary {
		tokens, scores, kinds = append(tokens, fmt.Sprintf("t%d", len(tokens))), append(scores, 0), append(kinds, 1)
	}
	set("tokenizer.ggml.model", "llama")
	set("tokenizer.ggml.tokens", tokens)
	set("tokenizer.ggml.scores", scores)
	set("tokenizer.ggml.token_type", kinds)
	set("tokenizer.ggml.bos_token_id", uint32(1))
	set("tokenizer.ggml.eos_token_id", uint32(2))

	type tensor struct {
		name  string
		shape []uint64
		mean  float64
		std   float64
	}
	q, kv := uint64(randomHeads*m.headDim), uint64(m.kvHeads*m.headDim)
	matrix := func(name string, cols, rows uint64) tensor {
		return tensor{name, []uint64{cols, rows}, 0, 1.5 / math.Sqrt(float64(cols))}
	}
	norm := func(name string) tensor { return tensor{name, []uint64{width}, 1, 0.2} }
	tensors := []tensor{{"token_embd.weight", []uint64{width, randomVocabulary}, 0, 1}, norm("output_norm.weight")}
	if m.head {
		tensors = append(tensors, matrix("output.weight", width, randomVocabulary))
	}
	if m.factors {
		tensors = append(tensors, tensor{"rope_freqs.weight", []uint64{uint64(m.rotary / 2)}, 4, 0.5})
	}
	for i := range layers {
		at := func(s string) string { return fmt.Sprintf("blk.%d.%s", i, s) }
		tensors = append(tensors, norm(at("attn_norm.weight")), norm(at("ffn_norm.weight")),
			matrix(at("attn_q.weight"), width, q), matrix(at("attn_k.weight"), width, kv), matrix(at("attn_v.weight"), width, kv),
			matrix(at("attn_output.weight"), q, width), matrix(at("ffn_gate.weight"), width, uint64(m.ffn)),
			matrix(at("ffn_up.weight"), width, uint64(m.ffn)), matrix(at("ffn_down.weight"), uint64(m.ffn), width))
		if m.scaled {
			for i, name := range []string{"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"} {
				tensors = append(tensors, tensor{at(name + ".scale"), []uint64{1}, 0.6 + 0.1*float64(i), 0})
			}
		}
		if m.normed {
			for _, name := range []string{"attn_q_norm.weight", "attn_k_norm.weight"} {
				tensors = append(tensors, tensor{at(name), []uint64{uint64(m.headDim)}, 1, 0.2})
			}
		}
		if m.after {
			tensors = append(tensors, norm(at("post_attention_norm.weight")), norm(at("post_ffw_norm.weight")))
		}
		for _, bias := range []struct {
			name string
			n    uint64
			on   bool
		}{
			{"attn_q.bias", q, m.bias || m.biases}, {"attn_k.bias", kv, m.bias || m.biases}, {"attn_v.bias", kv, m.bias || m.biases},
			{"attn_output.bias", width, m.biases}, {"ffn_gate.bias", uint64(m.ffn), m.biases}, {"ffn_up.bias", uint64(m.ffn), m.biases},
			{"ffn_down.bias", width, m.biases},
		} {
			if bias.on {
				tensors = append(tensors, tensor{at(bias.name), []uint64{bias.n}, 0, 0.5})
			}
		}
	}
	data := make([][]byte, len(tensors))
	for i, s := range tensors {
		kind, n := quant.F32, int(s.shape[0])
		if len(s.shape) == 2 {
			n *= int(s.shape[1])
			if m.types != nil {
				kind = m.types(s.name)
			}
		}
		weights := make([]float32, n)
		for j := range weights {
			weights[j] = float32(s.mean + s.std*random.NormFloat64())
		}
		if m.spoil != nil {
			m.spoil(s.name, weights)
		}
		data[i] = make([]byte, kind.RowBytes(uint64(n)))
		if kind.Quantizes() {
			require.NoError(t, quant.Quantize(kind, weights, data[i]))
		} else {
			require.NoError(t, quant.Random(kind, random, float32(s.std), data[i]))
		}
		require.NoError(t, w.Declare(s.name, kind, s.shape...))
	}
	for _, d := range data {
		require.NoError(t, w.WriteTensor(bytes.NewReader(d)))
	}
	require.NoError(t, w.Close())
	return bytes.NewReader(out.Bytes())
}

// Models of every weight type, pairing, bias and mixture give the reference's logits.
func TestRandomModels(t *testing.T) {
	all := func(kind quant.Type) func(string) quant.Type { return func(string) quant.Type { return kind } }
	mixed := func(name string) quant.Type {
		switch {
		case bytes.Contains([]byte(name), []byte("attn_v")), bytes.Contains([]byte(name), []byte("ffn_up")):
			return quant.Q8_0
		case bytes.Contains([]byte(name), []byte("attn_k")):
			return quant.F16
		}
		return quant.Q4_0
	}
	// As llama.cpp's quantizer mixes types where some rows are no multiple of 256.
	narrow := func(name string) quant.Type {
		switch {
		case strings.HasSuffix(name, "ffn_down.weight"):
			return quant.Q5_K
		case strings.HasSuffix(name, "attn_v.weight"), strings.HasSuffix(name, "ffn_gate.weight"):
			return quant.Q5_1
		case strings.HasSuffix(name, "attn_output.weight"), strings.HasSuffix(name, "token_embd.weight"):
			return quant.Q8_0
		}
		return quant.Q5_0
	}
	base := randomModel{arch: "llama", headDim: 16, rotary: 16, kvHeads: 2, ffn: 96}
	with := func(change func(*randomModel)) randomModel {
		m := base
		change(&m)
		return m
	}
	models := map[string]randomModel{
		"f32":                          base,
		"f16":                          with(func(m *randomModel) { m.types = all(quant.F16) }),
		"bf16, own head":               with(func(m *randomModel) { m.types, m.head = all(quant.BF16), true }),
		"q8_0":                         with(func(m *randomModel) { m.types = all(quant.Q8_0) }),
		"q4_0":                         with(func(m *randomModel) { m.types = all(quant.Q4_0) }),
		"q4_1":                         with(func(m *randomModel) { m.types = all(quant.Q4_1) }),
		"mixed types, biases":          with(func(m *randomModel) { m.types, m.biases = mixed, true }),
		"narrow K types":               with(func(m *randomModel) { m.types, m.ffn = narrow, 256 }),
		"qwen2 with biases":            with(func(m *randomModel) { m.arch, m.bias = "qwen2", true }),
		"part of the head turned":      with(func(m *randomModel) { m.headDim, m.rotary, m.kvHeads = 24, 8, 4 }),
		"one KV head, odd ffn, biases": with(func(m *randomModel) { m.kvHeads, m.ffn, m.biases = 1, 77, true }),
		"RoPE factors":                 with(func(m *randomModel) { m.factors = true }),
		"linear RoPE scaling": with(func(m *randomModel) {
			m.metadata = map[string]any{"rope.scaling.type": "linear", "rope.scaling.factor": float32(4), "rope.freq_base": float32(5000)}
		}),
	}
	models["nvfp4, scaled"] = with(func(m *randomModel) { m.types, m.scaled, m.ffn = all(quant.NVFP4), true, 128 })
	// Neighbours in a layer have different types.
	runs := slices.DeleteFunc(quant.All(), func(t quant.Type) bool { return !t.Runs() })
	inTurn := func() func(string) quant.Type {
		at := 9
		return func(string) quant.Type {
			at += 3
			return runs[at%len(runs)]
		}
	}
	each := with(func(m *randomModel) { m.types, m.width, m.headDim, m.ffn, m.layers = inTurn(), 256, 64, 256, 1 })
	if gputest.First && runtime.GOOS != "js" {
		models["a type a matrix"] = each
	}
	if os.Getenv("QUIRE_ALL") != "" {
		each.types, each.layers = inTurn(), 4
		models["every type"] = each
	}
	qwen3 := func(change func(*randomModel)) randomModel {
		m := base
		m.arch, m.normed, m.headDim, m.rotary = "qwen3", true, 24, 24
		change(&m)
		return m
	}
	models["qwen3 with biases, own head"] = qwen3(func(m *randomModel) { m.bias, m.head = true, true })
	models["qwen3 of mixed types"] = qwen3(func(m *randomModel) { m.types, m.headDim, m.rotary = mixed, 64, 64 })
	gemma3 := func(layers int, metadata map[string]any) randomModel {
		m := qwen3(func(*randomModel) {})
		m.arch, m.after, m.layers, m.metadata = "gemma3", true, layers, metadata
		return m
	}
	models["gemma3 without a window"] = gemma3(2, nil)
	models["gemma3, every second"] = gemma3(4, map[string]any{"attention.sliding_window": uint32(7), "attention.sliding_window_pattern": uint32(2),
		"rope.freq_base": float32(2e5), "rope.freq_base_swa": float32(3000)})
	bools := gemma3(3, map[string]any{"attention.sliding_window": uint32(33), "attention.sliding_window_pattern": []bool{false, true, true},
		"rope.scaling.type": "linear", "rope.scaling.factor": float32(4)})
	bools.bias, bools.head, bools.types, bools.kvHeads = true, true, mixed, 1
	models["gemma3 by bools, mixed types, biases"] = bools
	prompt := make([]int32, 45)
	for i := range prompt {
		prompt[i] = int32(3 + (i*i*5+i)%(randomVocabulary-3))
	}
	for name, m := range models {
		if runsFew() && !slices.Contains([]string{"mixed types, biases", "qwen2 with biases"}, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			file := m.file(t)
			header, err := gguf.Read(file, file.Size())
			require.NoError(t, err)
			truth, err := reference.Load(header, file)
			require.NoError(t, err)
			want, err := truth.NewState().Forward(prompt)
			require.NoError(t, err)

			o := Options{KVType: "f32", TokenBudget: 40, LongPrompt: -1}
			o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
			e, err := Open(context.Background(), gpu.ReaderSource(file, file.Size()), o)
			require.NoError(t, err)
			worst, rows := 0.0, 0
			r := submit(t, e, Request{Prompt: prompt, MaxTokens: 1, IgnoreEnd: true, Logits: func(p int, logits []float32) {
				for i, x := range logits {
					worst = max(worst, math.Abs(float64(x)-want[p][i]))
				}
				rows++
			}}).Result()
			require.NoError(t, r.Err)
			require.NoError(t, e.Close())
			assert.Equal(t, len(prompt), rows)
			assert.Less(t, worst, 2e-4)
			t.Logf("largest difference of a logit: %.2g", worst)
		})
	}
}
