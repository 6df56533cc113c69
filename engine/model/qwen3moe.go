package model

func init() { register("qwen3moe", qwen3moe) }

// qwen3moe is Qwen3's mixture of experts (arXiv 2505.09388): a qwen3 with experts in place of its feed-forward blocks. The
// weights of a token's experts add up to 1.
func qwen3moe(b *builder) {
	attention := b.rotated(halves)
	mixture := b.mixture(true)

	x := b.embed("token_embd", 1)
	for range b.layers() {
		h := b.heads(b.rmsNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		h = b.headNorm(h, "attn_q_norm", "attn_k_norm")
		b.addProject(x, b.attendAsked(h), "attn_output")
		b.addMixture(x, b.rmsNorm(x, "ffn_norm"), mixture)
	}
	b.head(b.rmsNorm(x, "output_norm"), "output")
}
