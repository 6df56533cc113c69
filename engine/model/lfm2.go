package model

import "quire/engine/kernel"

func init() {
	register("lfm2", func(b *builder) { lfm2(b, mixture{}, b.config.Layers) })
	register("lfm2moe", func(b *builder) {
		lfm2(b, b.lfm2Mixture(), b.integer("leading_dense_block_count", 0, 0, b.config.Layers))
	})
}

// lfm2Mixture is the mixture of LFM2's experts: weights are sigmoids over their sum, and a bias joins for the choice alone.
func (b *builder) lfm2Mixture() mixture {
	m := b.mixture(true)
	if _, said := b.file.Metadata.Get(b.key("expert_gating_func")); !said {
		m.sigmoid = true
	}
	m.bias, m.least = "exp_probs_b.bias", 1e-6
	return m
}

// lfm2 is LFM2 (arXiv 2511.23404): most layers have a short gated convolution, those with KV heads attention like qwen3's.
// Its last norm is called as if it were the embedding's. All layers but the first, so many as dense says, have experts in place of
// their feed-forward blocks.
func lfm2(b *builder, mixture mixture, dense int) {
	attention := b.attention()
	attention.rope = b.rope("rope.freq_base", halves)
	b.scaleRope(attention.rope)
	attention.window = b.window()
	taps := b.need("shortconv.l_cache", 2, 64)

	x := b.embed("token_embd", 1)
	for i := range b.layers() {
		if normed := b.rmsNorm(x, "attn_norm"); b.config.KVHeads > 0 {
			h := b.heads(normed, attention, "attn_q", "attn_k", "attn_v")
			h = b.headNorm(h, "attn_q_norm", "attn_k_norm")
			b.addProject(x, b.attend(h), "attn_output")
		} else {
			gates := b.project(normed, "shortconv.in_proj", 3*x.width)
			b.addProject(x, b.gatedConvolution(gates, "shortconv.conv", taps), "shortconv.out_proj")
		}
		n := b.rmsNorm(x, "ffn_norm")
		if i >= dense {
			b.addMixture(x, n, mixture)
			continue
		}
		b.addProject(x, b.glu(n, kernel.SiLU, "ffn_gate", "ffn_up"), "ffn_down")
	}
	b.head(b.rmsNorm(x, "token_embd_norm"), "output")
}
