package model

import "quire/engine/kernel"

func init() {
	register("llama", func(b *builder) {
		s := b.rotated(neighbours)
		s.window = b.window()
		b.ropeFactors(s.rope)
		llama(b, s, b.someMixture(true))
	})
}

// llama is LLaMA (arXiv 2302.13971): attention with RoPE and a SwiGLU, each behind an RMSNorm and added to the residual
// stream. With a window it is Mistral (arXiv 2310.06825), with experts in place of the SwiGLU Mixtral (arXiv 2401.04088).
func llama(b *builder, attention span, mixture mixture) {
	x := b.embed("token_embd", 1)
	for range b.layers() {
		h := b.heads(b.rmsNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		b.addProject(x, b.attendAsked(h), "attn_output")
		n := b.rmsNorm(x, "ffn_norm")
		if mixture.experts > 0 {
			b.addMixture(x, n, mixture)
			continue
		}
		b.addProject(x, b.glu(n, kernel.SiLU, "ffn_gate", "ffn_up"), "ffn_down")
	}
	b.head(b.rmsNorm(x, "output_norm"), "output")
}
