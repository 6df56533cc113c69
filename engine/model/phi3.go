package model

import "quire/engine/kernel"

func init() { register("phi3", phi3) }

// phi3 is Phi-3 and Phi-4-mini (arXiv 2404.14219, 2503.01743): a llama whose gates and ups are one tensor, and whose heads may be
// rotated in part, by LongRoPE's tables.
func phi3(b *builder) {
	attention := b.attention()
	attention.rope = b.rope("rope.freq_base", halves)
	if !b.longRope(attention.rope) {
		b.scaleRope(attention.rope)
	}
	attention.window = b.window()

	x := b.embed("token_embd", 1)
	for range b.layers() {
		h := b.heads(b.rmsNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		b.addProject(x, b.attendAsked(h), "attn_output")
		f := b.fusedGLU(b.rmsNorm(x, "ffn_norm"), kernel.SiLU, "ffn_up")
		b.addProject(x, f, "ffn_down")
	}
	b.head(b.rmsNorm(x, "output_norm"), "output")
}
