package model

func init() { register("qwen2moe", qwen2moe) }

// qwen2moe is Qwen1.5's and Qwen2's mixture of experts (arXiv 2407.10671): a qwen2 whose feed-forward blocks are experts, of
// which one has all tokens, each by a gate of its own. The weights of the others are their shares of all experts.
func qwen2moe(b *builder) {
	attention := b.rotated(halves)
	mixture := b.mixture(false)
	shared := b.integer("expert_shared_feed_forward_length", b.config.FFN, 1, 1<<18)

	x := b.embed("token_embd", 1)
	for range b.layers() {
		h := b.heads(b.rmsNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		b.addProject(x, b.attendAsked(h), "attn_output")
		n := b.rmsNorm(x, "ffn_norm")
		f := b.sharedExpert(n, shared) // before the others are added to x, which n is of
		b.addMixture(x, n, mixture)
		b.addProject(x, f, "ffn_down_shexp")
	}
	b.head(b.rmsNorm(x, "output_norm"), "output")
}
