package model

import "quire/engine/kernel"

func init() { register("qwen3", qwen3) }

// qwen3 is Qwen3 (arXiv 2505.09388): a llama whose queries and keys go through an RMSNorm, head by head, before they are
// rotated. The heads' size has a key of its own, for it need not be the width over their number.
func qwen3(b *builder) {
	attention := b.rotated(halves)

	x := b.embed("token_embd", 1)
	for range b.layers() {
		h := b.heads(b.rmsNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		h = b.headNorm(h, "attn_q_norm", "attn_k_norm")
		b.addProject(x, b.attendAsked(h), "attn_output")
		f := b.glu(b.rmsNorm(x, "ffn_norm"), kernel.SiLU, "ffn_gate", "ffn_up")
		b.addProject(x, f, "ffn_down")
	}
	b.head(b.rmsNorm(x, "output_norm"), "output")
}
