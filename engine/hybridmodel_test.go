package engine

import (
	"bytes"
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
	guesses                         bool   // the first of them is whole; where there are more, with its own vocabulary
	tied, convBias                  bool
	types                           func(name string) quant.Type         // of a matrix; nil: F32
	tune                            func(name string, weights []float32) // changes a tensor's weights
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
	if layer >= len(m.recurrent) {
		for name, shape := range map[string][]int{"eh_proj": {m.width, 2 * m.width}, "enorm": {m.width}, "hnorm": {m.width}, "shared_head_norm": {m.width}} {
			s["nextn."+name+".weight"] = shape
		}
	}
	if layer >= len(m.recurrent) || !m.recurrent[layer] {
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
func (m *hybrid) file(t testing.TB) *bytes.Reader {
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
		if m.tune != nil {
			m.tune(name, weights)
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
	if m.guesses {
		for _, name := range sortedKeys(m.shapes(len(m.recurrent))) {
			add(fmt.Sprintf("blk.%d.%s", len(m.recurrent), name), m.shapes(len(m.recurrent))[name])
		}
		if m.drafting > 1 { // a vocabulary of its own
			add(fmt.Sprintf("blk.%d.nextn.embed_tokens.weight", len(m.recurrent)), []int{m.vocabulary, m.width})
			add(fmt.Sprintf("blk.%d.nextn.shared_head_head.weight", len(m.recurrent)), []int{m.vocabulary, m.width})
		}
	}
	for i := range m.drafting {
		if i == 0 && m.guesses {
			continue
		}
		names := []string{"nextn.eh_proj", "attn_q", "ffn_down"}
		if m.experts > 0 {
			names = names[:2]
		}
		for _, name := range names {
			add(fmt.Sprintf("blk.%d.%s.weight", len(m.recurrent)+i, name), []int{3, 4})
		}
	}
	for _, d := range data {
		require.NoError(t, w.WriteTensor(bytes.NewReader(d)))
	}
	require.NoError(t, w.Close())
	return bytes.NewReader(out.Bytes())
}

func sortedKeys(m map[string][]int) []string { return slices.Sorted(maps.Keys(m)) }
