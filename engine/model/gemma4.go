package model

import (
	"math"

	"quire/engine/attention"
	"quire/engine/kernel"
)

func init() { register("gemma4", gemma4) }

// gemma4 is Gemma 4: as Gemma 3, with heads of another size in the layers that see all, which turn only the first part of
// each half of a head; values are normalised; the last layers have only queries, and read K and V of the last layer of their
// kind before them; tokens have an embedding for each layer; and a factor ends a layer. Larger models lack per-layer
// embeddings, and in the layers that see all V is what K's matrix gives; one has experts beside its FFN.
func gemma4(b *builder) {
	c := b.config
	c.Scale = 1 // no key says it
	global := b.attention()
	global.rope = b.rope("rope.freq_base", halves)
	b.ropeFactors(global.rope)
	local := global
	local.headDim = b.integer("attention.key_length_swa", c.HeadDim, 2, attention.MaxHeadDim)
	if v := b.integer("attention.value_length_swa", local.headDim, 1, 1<<12); v != local.headDim || v%2 != 0 {
		b.fail("%s.attention.key_length_swa is %d and %s.attention.value_length_swa %d: they must be the same, and even", b.arch, local.headDim, b.arch, v)
		return
	}
	local.rope = b.ropeOf("rope.freq_base_swa", "rope.dimension_count_swa", local.headDim, halves)
	local.window = b.need("attention.sliding_window", 1, math.MaxInt32)
	isLocal := b.pattern("attention.sliding_window_pattern", 6)
	shared := c.Layers - b.integer("attention.shared_kv_layers", 0, 0, c.Layers-1)
	width := b.integer("embedding_length_per_layer_input", 0, 0, 1<<12)
	if width%4 != 0 {
		b.fail("%s.embedding_length_per_layer_input is %d, and must be a multiple of 4", b.arch, width)
	}
	bound := b.float("final_logit_softcapping", 0)
	if !(bound >= 0) || math.IsInf(bound, 0) {
		b.fail("%s.final_logit_softcapping is %g, and must not be negative", b.arch, bound)
	}

	var experts mixture
	if b.integer("expert_count", 0, 0, math.MaxInt32) > 0 {
		experts = b.mixture(true)
	}

	x := b.embed("token_embd", float32(math.Sqrt(float64(c.Width))))
	embeddings := b.perLayerEmbeddings(x, width)
	last := map[bool]*kvLayer{} // that has K and V, of each kind
	for i := range b.layers() {
		attention := global
		if isLocal[i] {
			attention = local
		}
		h := b.gemma4Heads(b.rmsNorm(x, "attn_norm"), attention, i >= shared, last[isLocal[i]])
		if h.owner == nil {
			last[isLocal[i]] = h.kvLayer
		}
		b.addNorm(x, b.project(b.attend(h), "attn_output", c.Width), "post_attention_norm")
		f := b.project(b.glu(b.rmsNorm(x, "ffn_norm"), kernel.GELU, "ffn_gate", "ffn_up"), "ffn_down", c.Width)
		if experts.experts > 0 {
			f = b.gemma4Experts(x, f, experts)
		}
		var factor *Vector
		if _, ok := b.find(b.name("layer_output_scale.weight")); ok {
			factor = b.vector(1, b.name("layer_output_scale.weight"))
		}
		if embeddings == nil {
			b.addNormTimes(x, f, "post_ffw_norm", factor)
			continue
		}
		b.addNorm(x, f, "post_ffw_norm")
		e := b.perLayer(x, embeddings, kernel.GELU, "inp_gate")
		b.addNormTimes(x, b.project(e, "proj", c.Width), "post_norm", factor)
	}
	b.boundHead(b.rmsNorm(x, "output_norm"), "output", 1, bound)
}

// gemma4Experts adds experts to what the FFN makes of x. Their router sees x by a norm of its own.
func (b *builder) gemma4Experts(x, ffn rows, m mixture) rows {
	routed := x
	routed.norm = &norm{weight: b.vector(x.width, b.name("ffn_gate_inp.scale")), eps: b.rmsEps()}
	scores := tokens("scores", m.experts)
	p := b.projection(scores, routed, "ffn_gate_inp")
	p.scale = float32(1 / math.Sqrt(float64(x.width)))
	b.product(p)
	const scales = "ffn_down_exps.scale"
	if _, ok := b.find(b.name(scales)); ok {
		m.scales = scales
	}
	c := b.choose(scores, m)
	e := b.experts(b.rmsNorm(x, "pre_ffw_norm_2"), c, kernel.GELU, "ffn_gate_exps", "ffn_up_exps", "ffn_down_exps")
	sum := tokens("ffn and experts", x.width)
	b.setNorm(sum, ffn, "post_ffw_norm_1")
	b.addNorm(sum, e, "post_ffw_norm_2")
	return sum
}

// gemma4Heads gives normalised heads. Layers that share K and V may carry attn_k, attn_v and attn_k_norm all the same, as the
// published ones do: nothing reads them.
func (b *builder) gemma4Heads(x rows, s span, shared bool, earlier *kvLayer) heads {
	if !shared {
		v, values := "attn_v", kernel.ValuesNormed
		if _, ok := b.find(b.name("attn_v.weight")); !ok && !b.fusedHeads() {
			v, values = "", kernel.ValuesFromKeys
		}
		return b.headNorms(b.heads(x, s, "attn_q", "attn_k", v), "attn_q_norm", "attn_k_norm", values)
	}
	if earlier == nil {
		b.refuse("layer %d shares K and V of an earlier layer of its kind (%s.attention.shared_kv_layers), and there is none", b.at, b.arch)
		earlier = &kvLayer{span: s}
	}
	for _, name := range []string{"attn_k", "attn_v", "attn_k_norm"} {
		b.ignore(b.name(name + ".weight"))
	}
	return b.headNorm(b.queries(x, s, "attn_q", earlier), "attn_q_norm", "")
}
