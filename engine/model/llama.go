package model

import "quire/engine/kernel"

func init() { register("llama", func(b *builder) { llama(b, neighbours) }) }

// llama is LLaMA (arXiv 2302.13971): attention with RoPE and a SwiGLU, each behind an RMSNorm and added to the residual
// stream.
func llama(b *builder, pairs bool) {
	attention := b.attention()
	attention.rope = b.rope("rope.freq_base", pairs)
	b.scaleRope(attention.rope)
	b.ropeFactors(attention.rope)

	x := b.embed("token_embd", 1)
	for range b.layers() {
		h := b.heads(b.rmsNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		b.addProject(x, b.attend(h), "attn_output")
		f := b.glu(b.rmsNorm(x, "ffn_norm"), kernel.SiLU, "ffn_gate", "ffn_up")
		b.addProject(x, f, "ffn_down")
	}
	b.head(b.rmsNorm(x, "output_norm"), "output")
}
