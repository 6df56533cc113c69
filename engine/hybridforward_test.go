package engine

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"quire/engine/reference"
)

// forward gives the logits of all tokens, in float64, and what they are made from.
func (m *hybrid) forward(prompt []int32) (logits, hidden []float64) {
	positions := make([]int, len(prompt))
	var x []float64
	for i, id := range prompt {
		positions[i] = i
		for _, f := range m.tensors["token_embd.weight"][int(id)*m.width:][:m.width] {
			x = append(x, float64(f)*m.embedding)
		}
	}
	for i := range m.recurrent {
		m.layer(x, i, positions)
	}
	hidden = reference.RMSNorm(x, m.tensors["output_norm.weight"], 1e-5)
	logits = reference.MatMul(m.head(), hidden, m.width)
	for i := range logits {
		logits[i] /= m.logits
	}
	return logits, hidden
}

// guess gives the logits of the tokens after next, from what the head reads of each token but the last, and the tokens themselves.
func (m *hybrid) guess(tokens []int32, hidden []float64) []float64 {
	w := func(name string) []float32 { return m.tensors[fmt.Sprintf("blk.%d.%s", len(m.recurrent), name)] }
	own := func(name string, otherwise []float32) []float32 {
		if t := w(name); t != nil {
			return t
		}
		return otherwise
	}
	embedding, head := own("nextn.embed_tokens.weight", m.tensors["token_embd.weight"]), own("nextn.shared_head_head.weight", m.head())
	var pairs []float64
	var positions []int
	for i, next := range tokens[1:] {
		e := reference.RMSNorm(floats64(embedding[int(next)*m.width:][:m.width]), w("nextn.enorm.weight"), 1e-5)
		pairs = append(append(pairs, e...), reference.RMSNorm(hidden[i*m.width:][:m.width], w("nextn.hnorm.weight"), 1e-5)...)
		positions = append(positions, i)
	}
	x := reference.MatMul(w("nextn.eh_proj.weight"), pairs, 2*m.width)
	m.layer(x, len(m.recurrent), positions)
	return reference.MatMul(head, reference.RMSNorm(x, w("nextn.shared_head_norm.weight"), 1e-5), m.width)
}

func (m *hybrid) head() []float32 {
	if m.tied {
		return m.tensors["token_embd.weight"]
	}
	return m.tensors["output.weight"]
}

// layer adds a layer's blocks to x.
func (m *hybrid) layer(x []float64, i int, positions []int) {
	w := func(name string) []float32 { return m.tensors[fmt.Sprintf("blk.%d.%s", i, name)] }
	block := func(name string, y []float64, k int) {
		for j, f := range reference.MatMul(w(name), y, k) {
			x[j] += m.residual * f
		}
	}
	normed := reference.RMSNorm(x, w("attn_norm.weight"), 1e-5)
	if i < len(m.recurrent) && m.recurrent[i] {
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
		return
	}
	for t := range positions {
		for j, f := range m.mix(normed[t*m.width:(t+1)*m.width], w) {
			x[t*m.width+j] += m.residual * f
		}
	}
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
