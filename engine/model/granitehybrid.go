package model

import "quire/engine/kernel"

func init() { register("granitehybrid", graniteHybrid) }

// graniteHybrid is Granite 4's hybrid: granite's four factors, Mamba-2 (arXiv 2405.21060) in most layers, and attention in those
// with KV heads, which rotates only where the model was trained with positions. Feed-forward blocks are dense, or experts beside
// one that has all tokens.
func graniteHybrid(b *builder) {
	attention := b.graniteAttention()
	r := b.recurrent()
	mixture := b.someMixture(true)
	shared := b.integer("expert_shared_feed_forward_length", 0, 0, 1<<18)

	x := b.embed("token_embd", float32(b.positive("embedding_scale", 1)))
	for range b.layers() {
		if normed := b.rmsNorm(x, "attn_norm"); b.config.KVHeads > 0 {
			h := b.heads(normed, attention, "attn_q", "attn_k", "attn_v")
			b.addProject(x, b.attend(h), "attn_output")
		} else {
			b.mambaBlock(x, normed, b.stateful(r))
		}
		n := b.rmsNorm(x, "ffn_norm")
		if mixture.experts == 0 {
			b.addProject(x, b.glu(n, kernel.SiLU, "ffn_gate", "ffn_up"), "ffn_down")
			continue
		}
		if shared == 0 {
			b.addMixture(x, n, mixture)
			continue
		}
		f := b.sharedExpert(n, shared) // before the others are added to x, which n is of
		b.addMixture(x, n, mixture)
		b.addProject(x, f, "ffn_down_shexp")
	}
	b.boundHead(b.rmsNorm(x, "output_norm"), "output", 1/b.positive("logit_scale", 1), 0)
}

// mambaBlock is Mamba-2 with its projections: z, then what the convolution takes, x, B and C, then Δ.
func (b *builder) mambaBlock(x, normed rows, r recurrent) {
	in := b.project(normed, "ssm_in", r.inner()+r.channels()+r.heads)
	gates := kernel.GateLayout{Run: r.heads, DeltaOffset: r.inner() + r.channels()}
	y := b.mamba(b.convolve(in, r.inner(), r, "ssm_conv1d"), in, gates, r)
	b.gatedNorm(y, in, 0, kernel.GatedNormParams{Groups: r.keyHeads, Width: r.inner() / r.keyHeads, Weights: r.inner(), GateFirst: true}, "ssm_norm")
	b.addProject(x, y, "ssm_out")
}
