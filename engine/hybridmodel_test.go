package engine

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/quant"
	"quire/engine/reference"
)

// hybrid is a small model of random weights whose layers keep a state or K and V, in the ways that files differ.
type hybrid struct {
	arch                            string
	width, ffn, vocabulary          int
	heads, kvHeads, headDim, rotary int
	experts, used, expertFFN        int // 0: a dense block
	sharedFFN                       int
	taps, key, keyHeads             int
	stateHeads, value               int
	recurrent                       []bool // of each layer
	drafting                        int    // layers at the end that only draft
	tied, convBias                  bool
	types                           func(name string) quant.Type // of a matrix; nil: F32
	keys                            map[string]any
	residual, embedding, logits     float64 // granite's factors
	scale                           float64 // of attention; 0: the usual

	tensors map[string][]float32
}

func (m *hybrid) granite() bool { return m.arch == "granitehybrid" }
func (m *hybrid) inner() int    { return m.stateHeads * m.value }
func (m *hybrid) channels() int { return m.inner() + 2*m.keyHeads*m.key }

// shapes lists a layer's tensors: rows and columns, or a length.
func (m *hybrid) shapes(layer int) map[string][]int {
	all, kv := m.heads*m.headDim, m.kvHeads*m.headDim
	s := map[string][]int{"attn_norm.weight": {m.width}}
	ffn := func(suffix string, n int, stack ...int) {
		s["ffn_gate"+suffix], s["ffn_up"+suffix], s["ffn_down"+suffix] = append(stack, n, m.width), append(stack, n, m.width), append(stack, m.width, n)
	}
	if m.experts == 0 {
		ffn(".weight", m.ffn)
	} else {
		s["ffn_gate_inp.weight"] = []int{m.experts, m.width}
		for _, each := range []string{"gate", "up", "down"} {
			s["ffn_"+each+"_exps.weight"] = []int{m.experts, m.expertFFN, m.width}
		}
		s["ffn_down_exps.weight"] = []int{m.experts, m.width, m.expertFFN}
		if m.sharedFFN > 0 {
			ffn("_shexp.weight", m.sharedFFN)
		}
		if m.arch == "qwen3next" {
			s["ffn_gate_inp_shexp.weight"] = []int{1, m.width}
		}
	}
	if m.granite() {
		s["ffn_norm.weight"] = []int{m.width}
	} else {
		s["post_attention_norm.weight"] = []int{m.width}
	}
	if !m.recurrent[layer] {
		s["attn_q.weight"], s["attn_k.weight"], s["attn_v.weight"], s["attn_output.weight"] = []int{all, m.width}, []int{kv, m.width}, []int{kv, m.width}, []int{m.width, all}
		if !m.granite() {
			s["attn_q.weight"], s["attn_q_norm.weight"], s["attn_k_norm.weight"] = []int{2 * all, m.width}, []int{m.headDim}, []int{m.headDim}
		}
		return s
	}
	s["ssm_a"], s["ssm_dt.bias"], s["ssm_conv1d.weight"], s["ssm_out.weight"] = []int{m.stateHeads}, []int{m.stateHeads}, []int{m.channels(), m.taps}, []int{m.width, m.inner()}
	if m.convBias {
		s["ssm_conv1d.bias"] = []int{m.channels()}
	}
	if m.granite() {
		s["ssm_a"], s["ssm_d"] = []int{m.stateHeads, 1}, []int{m.stateHeads, 1}
		s["ssm_in.weight"], s["ssm_norm.weight"] = []int{m.inner() + m.channels() + m.stateHeads, m.width}, []int{m.keyHeads, m.inner() / m.keyHeads}
		return s
	}
	s["attn_qkv.weight"], s["attn_gate.weight"], s["ssm_norm.weight"] = []int{m.channels(), m.width}, []int{m.inner(), m.width}, []int{m.value}
	if m.arch == "qwen3next" {
		s["ssm_ba.weight"] = []int{2 * m.stateHeads, m.width}
	} else {
		s["ssm_alpha.weight"], s["ssm_beta.weight"] = []int{m.stateHeads, m.width}, []int{m.stateHeads, m.width}
	}
	return s
}

// file writes the model, and keeps the weights as they can be read.
func (m *hybrid) file(t *testing.T) *bytes.Reader {
	random := rand.New(rand.NewPCG(5, 6))
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	set := func(key string, v any) { require.NoError(t, w.Metadata.Set(key, v)) }
	set("general.architecture", m.arch)
	layers := len(m.recurrent) + m.drafting
	for key, v := range map[string]int{"block_count": layers, "embedding_length": m.width, "feed_forward_length": m.ffn, "context_length": 128,
		"attention.head_count": m.heads, "attention.key_length": m.headDim, "attention.value_length": m.headDim, "rope.dimension_count": m.rotary,
		"ssm.conv_kernel": m.taps, "ssm.state_size": m.key, "ssm.group_count": m.keyHeads, "ssm.time_step_rank": m.stateHeads, "ssm.inner_size": m.inner()} {
		set(m.arch+"."+key, uint32(v))
	}
	set(m.arch+".attention.layer_norm_rms_epsilon", float32(1e-5))
	kvHeads := make([]int32, layers)
	for i := range kvHeads {
		if i >= len(m.recurrent) || !m.recurrent[i] {
			kvHeads[i] = int32(m.kvHeads)
		}
	}
	set(m.arch+".attention.head_count_kv", uint32(m.kvHeads))
	if m.granite() {
		set(m.arch+".attention.head_count_kv", kvHeads)
		for key, v := range map[string]float64{"residual_scale": m.residual, "embedding_scale": m.embedding, "logit_scale": m.logits, "attention.scale": m.scale} {
			set(m.arch+"."+key, float32(v))
		}
	}
	if m.experts > 0 {
		for key, v := range map[string]int{"expert_count": m.experts, "expert_used_count": m.used, "expert_feed_forward_length": m.expertFFN, "expert_shared_feed_forward_length": m.sharedFFN} {
			set(m.arch+"."+key, uint32(v))
		}
	}
	for key, v := range m.keys {
		set(m.arch+"."+key, v)
	}
	tokens, scores, kinds := []string{"<unk>", "<s>", "</s>"}, []float32{0, 0, 0}, []int32{2, 3, 3}
	for len(tokens) < m.vocabulary {
		tokens, scores, kinds = append(tokens, fmt.Sprintf("t%d", len(tokens))), append(scores, 0), append(kinds, 1)
	}
	set("tokenizer.ggml.model", "llama")
	set("tokenizer.ggml.tokens", tokens)
	set("tokenizer.ggml.scores", scores)
	set("tokenizer.ggml.token_type", kinds)

	m.tensors = map[string][]float32{}
	var data [][]byte
	add := func(name string, shape []int) {
		n, kind, dims := 1, quant.F32, []uint64(nil)
		for i := range shape {
			n *= shape[i]
			dims = append(dims, uint64(shape[len(shape)-1-i]))
		}
		mean, std := 0.0, 1.2/math.Sqrt(float64(dims[0]))
		switch {
		case strings.HasSuffix(name, "norm.weight"):
			mean, std = 1, 0.2
		case len(shape) == 1:
			std = 0.5
		case m.types != nil && strings.HasSuffix(name, ".weight") && !strings.Contains(name, "conv1d"):
			kind = m.types(name)
		}
		weights := make([]float32, n)
		for i := range weights {
			weights[i] = float32(mean + std*random.NormFloat64())
			if strings.HasSuffix(name, "ssm_a") {
				weights[i] = -float32(math.Exp(random.NormFloat64()))
			}
		}
		raw := make([]byte, kind.RowBytes(uint64(n)))
		require.NoError(t, quant.Quantize(kind, weights, raw))
		require.NoError(t, quant.Dequantize(kind, raw, weights))
		require.NoError(t, w.Declare(name, kind, dims...))
		m.tensors[name], data = weights, append(data, raw)
	}
	add("token_embd.weight", []int{m.vocabulary, m.width})
	add("output_norm.weight", []int{m.width})
	if !m.tied {
		add("output.weight", []int{m.vocabulary, m.width})
	}
	for i := range m.recurrent {
		for _, name := range sortedKeys(m.shapes(i)) {
			add(fmt.Sprintf("blk.%d.%s", i, name), m.shapes(i)[name])
		}
	}
	for i := range m.drafting {
		for _, name := range []string{"nextn.eh_proj", "attn_q", "ffn_down"} {
			add(fmt.Sprintf("blk.%d.%s.weight", len(m.recurrent)+i, name), []int{3, 4})
		}
	}
	for _, d := range data {
		require.NoError(t, w.WriteTensor(bytes.NewReader(d)))
	}
	require.NoError(t, w.Close())
	return bytes.NewReader(out.Bytes())
}

// forward gives the logits of all tokens, in float64.
func (m *hybrid) forward(prompt []int32) []float64 {
	positions := make([]int, len(prompt))
	var x []float64
	for i, id := range prompt {
		positions[i] = i
		for _, f := range m.tensors["token_embd.weight"][int(id)*m.width:][:m.width] {
			x = append(x, float64(f)*m.embedding)
		}
	}
	for i, recurrent := range m.recurrent {
		w := func(name string) []float32 { return m.tensors[fmt.Sprintf("blk.%d.%s", i, name)] }
		block := func(name string, y []float64, k int) {
			for j, f := range reference.MatMul(w(name), y, k) {
				x[j] += m.residual * f
			}
		}
		normed := reference.RMSNorm(x, w("attn_norm.weight"), 1e-5)
		if recurrent {
			block("ssm_out.weight", m.recur(normed, w), m.inner())
		} else {
			block("attn_output.weight", m.attend(normed, w, positions), m.heads*m.headDim)
		}
		norm := "post_attention_norm.weight"
		if m.granite() {
			norm = "ffn_norm.weight"
		}
		normed = reference.RMSNorm(x, w(norm), 1e-5)
		if m.experts == 0 {
			block("ffn_down.weight", reference.SwiGLU(reference.MatMul(w("ffn_gate.weight"), normed, m.width), reference.MatMul(w("ffn_up.weight"), normed, m.width)), m.ffn)
			continue
		}
		for t := range prompt {
			for j, f := range m.mix(normed[t*m.width:(t+1)*m.width], w) {
				x[t*m.width+j] += m.residual * f
			}
		}
	}
	head := m.tensors["output.weight"]
	if m.tied {
		head = m.tensors["token_embd.weight"]
	}
	logits := reference.MatMul(head, reference.RMSNorm(x, m.tensors["output_norm.weight"], 1e-5), m.width)
	for i := range logits {
		logits[i] /= m.logits
	}
	return logits
}

// columns cuts the same columns out of every row.
func columns(x []float64, at, n, width int) []float64 {
	var out []float64
	for ; at < len(x); at += width {
		out = append(out, x[at:at+n]...)
	}
	return out
}

func (m *hybrid) recur(x []float64, w func(string) []float32) []float64 {
	keys := m.keyHeads * m.key
	rule := reference.Recurrence[float64]{Delta: !m.granite(), Heads: m.stateHeads, KeyHeads: m.keyHeads, Tiled: m.arch == "qwen35", Key: m.key, Value: m.value,
		Scale: 1, A: floats64(w("ssm_a")), Shift: floats64(w("ssm_dt.bias")), D: floats64(w("ssm_d"))}
	var in, z, delta, beta []float64
	if m.granite() {
		width := m.inner() + m.channels() + m.stateHeads
		all := reference.MatMul(w("ssm_in.weight"), x, m.width)
		z, in, delta = columns(all, 0, m.inner(), width), columns(all, m.inner(), m.channels(), width), columns(all, m.inner()+m.channels(), m.stateHeads, width)
	} else {
		in, z = reference.MatMul(w("attn_qkv.weight"), x, m.width), reference.MatMul(w("attn_gate.weight"), x, m.width)
		if m.arch == "qwen3next" { // β of a key head's values, then their Δ
			run := m.stateHeads / m.keyHeads
			for at, f := range reference.MatMul(w("ssm_ba.weight"), x, m.width) {
				if at/run%2 == 0 {
					beta = append(beta, f)
				} else {
					delta = append(delta, f)
				}
			}
		} else {
			delta, beta = reference.MatMul(w("ssm_alpha.weight"), x, m.width), reference.MatMul(w("ssm_beta.weight"), x, m.width)
		}
		rule.Scale = 1 / math.Sqrt(float64(m.key))
	}
	in = reference.SiLU(reference.Convolve(in, w("ssm_conv1d.weight"), w("ssm_conv1d.bias"), make([]float64, (m.taps-1)*m.channels()), m.channels()))
	q, k, v := 0, keys, 2*keys
	if m.granite() {
		v, k, q = 0, m.inner(), m.inner()+keys
	}
	y := rule.Walk(columns(in, q, keys, m.channels()), columns(in, k, keys, m.channels()), columns(in, v, m.inner(), m.channels()), delta, beta,
		make([]float64, m.inner()*m.key))
	width := m.value
	if m.granite() {
		width = m.inner() / m.keyHeads
	}
	return reference.GatedNorm(y, z, w("ssm_norm.weight"), width, m.granite(), 1e-5)
}

func (m *hybrid) attend(x []float64, w func(string) []float32, positions []int) []float64 {
	q, k, v := reference.MatMul(w("attn_q.weight"), x, m.width), reference.MatMul(w("attn_k.weight"), x, m.width), reference.MatMul(w("attn_v.weight"), x, m.width)
	var gate []float64
	if !m.granite() {
		q, gate = columns(q, 0, m.headDim, 2*m.headDim), columns(q, m.headDim, m.headDim, 2*m.headDim)
		q, k = reference.RMSNorm(q, w("attn_q_norm.weight"), 1e-5), reference.RMSNorm(k, w("attn_k_norm.weight"), 1e-5)
	}
	if trained, told := m.keys["rope.scaling.finetuned"]; !told || trained == true {
		pairing := reference.Halves
		if m.granite() {
			pairing = reference.Adjacent
		}
		cos, sin := reference.RopeTable(reference.RopeParams{Base: 10000, Dim: m.rotary}, positions)
		q, k = reference.RoPE(q, m.heads, m.headDim, cos, sin, pairing), reference.RoPE(k, m.kvHeads, m.headDim, cos, sin, pairing)
	}
	scale := m.scale
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(m.headDim))
	}
	out, _ := reference.Attention(q, k, v, reference.AttentionParams{Heads: m.heads, KVHeads: m.kvHeads, HeadDim: m.headDim, Causal: true, Scale: scale})
	if gate != nil {
		out = reference.Gate(out, gate)
	}
	return out
}

// mix gives what experts make of one token: a softmax over all scores, the best of which count by their shares among themselves.
func (m *hybrid) mix(x []float64, w func(string) []float32) []float64 {
	out := make([]float64, m.width)
	add := func(weight float64, gate, up, down []float32) {
		for i, f := range reference.MatVec(down, reference.SwiGLU(reference.MatMul(gate, x, m.width), reference.MatMul(up, x, m.width))) {
			out[i] += weight * f
		}
	}
	scores := reference.Softmax(reference.MatVec(w("ffn_gate_inp.weight"), x))
	order := slices.SortedFunc(maps.Keys(maps.Collect(slices.All(scores))), func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })[:m.used]
	sum := 0.0
	for _, e := range order {
		sum += scores[e]
	}
	n := m.expertFFN * m.width
	for _, e := range order {
		add(scores[e]/sum, w("ffn_gate_exps.weight")[e*n:][:n], w("ffn_up_exps.weight")[e*n:][:n], w("ffn_down_exps.weight")[e*n:][:n])
	}
	if m.sharedFFN > 0 {
		share := 1.0
		if m.arch == "qwen3next" {
			share = 1 / (1 + math.Exp(-reference.MatVec(w("ffn_gate_inp_shexp.weight"), x)[0]))
		}
		add(share, w("ffn_gate_shexp.weight"), w("ffn_up_shexp.weight"), w("ffn_down_shexp.weight"))
	}
	return out
}

func floats64(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, f := range x {
		out[i] = float64(f)
	}
	return out
}

func sortedKeys(m map[string][]int) []string { return slices.Sorted(maps.Keys(m)) }
