package model

import "quire/engine/kernel"

func init() { register("qwen35", qwen35) }

// qwen35 is Qwen3.5: gated delta nets (arXiv 2412.06464), and attention in every fourth layer, whose output goes through a
// gate that comes with the queries.
func qwen35(b *builder) {
	recurrentLayers := b.recurrentLayers()
	b.drafters("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "attn_q_norm", "attn_k_norm", "post_attention_norm", "ffn_gate", "ffn_up", "ffn_down")
	attention := b.gatedAttention()
	r := b.recurrent()
	r.tiled = true

	feedForward := func(x rows) {
		f := b.glu(b.rmsNorm(x, "post_attention_norm"), kernel.SiLU, "ffn_gate", "ffn_up")
		b.addProject(x, f, "ffn_down")
	}

	x := b.embed("token_embd", 1)
	for i := range b.layers() {
		if recurrentLayers[i] {
			r := b.stateful(r)
			names, lengths := []string{"attn_qkv", "attn_gate", "ssm_alpha", "ssm_beta"}, []int{r.channels(), r.inner(), r.heads, r.heads}
			gates := kernel.GateLayout{Run: r.heads, DeltaOffset: r.channels() + r.inner(), BetaOffset: r.channels() + r.inner() + r.heads}
			b.deltaBlock(x, b.blocks(x.width, names, lengths), gates, r)
		} else {
			b.gatedBlock(x, attention)
		}
		feedForward(x)
	}
	b.gatedEnd(x, attention, feedForward)
}

// gatedEnd is what is behind the last layer: the head, and blocks that predict further tokens.
func (b *builder) gatedEnd(x rows, attention span, feedForward func(rows)) {
	x = b.rmsNorm(x, "output_norm")
	b.head(x, "output")
	b.guess(x, func(x rows) {
		b.gatedBlock(x, attention)
		feedForward(x)
	})
}

// recurrentLayers tells which layers keep a state: a key's bool for each, or all but every n-th.
func (b *builder) recurrentLayers() []bool {
	const each, interval = "attention.recurrent_layers", "full_attention_interval"
	if _, ok := b.file.Metadata.Get(b.key(each)); ok {
		b.key(interval)
		return b.pattern(each, 4)
	}
	return b.pattern(interval, 4)
}

// gatedAttention is the attention of layers that keep K and V.
func (b *builder) gatedAttention() span {
	attention := b.attention()
	attention.rope = b.rope("rope.freq_base", halves)
	b.scaleRope(attention.rope)
	b.key("rope.dimension_sections") // parts of the rotation that follow images; text has one position
	return attention
}

// deltaBlock is a gated delta net with its projections.
func (b *builder) deltaBlock(x rows, projections []block, gates kernel.GateLayout, r recurrent) {
	normed := b.rmsNorm(x, "attn_norm")
	width := 0
	for _, p := range projections {
		width += p.rows
	}
	in := tokens("recurrent", width)
	b.product(product{weights: b.below("recurrent", x.width, projections), x: normed, y: in})
	y := b.deltaNet(b.convolve(in, 0, r, "ssm_conv1d"), in, gates, r)
	b.gatedNorm(y, in, r.channels(), kernel.GatedNormParams{Groups: r.heads, Width: r.value, Weights: r.value}, "ssm_norm")
	b.addProject(x, y, "ssm_out")
}

// gatedBlock is attention whose output goes through a gate.
func (b *builder) gatedBlock(x rows, s span) {
	h := b.headNorm(b.gatedHeads(b.rmsNorm(x, "attn_norm"), s, "attn_q", "attn_k", "attn_v"), "attn_q_norm", "attn_k_norm")
	y := b.attend(h)
	b.gate(y, h.rows, h.width-y.width)
	b.addProject(x, y, "attn_output")
}
