package model

import "quire/engine/kernel"

func init() { register("starcoder2", starcoder2) }

// starcoder2 is StarCoder 2 (arXiv 2402.19173): LayerNorms, a feed-forward block without gates, and biases everywhere.
func starcoder2(b *builder) {
	attention := b.rotated(halves)
	attention.window = b.window()

	x := b.embed("token_embd", 1)
	for range b.layers() {
		h := b.heads(b.layerNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		b.addProject(x, b.attendAsked(h), "attn_output")
		f := b.activated(b.layerNorm(x, "ffn_norm"), kernel.GELU, "ffn_up")
		b.addProject(x, f, "ffn_down")
	}
	b.head(b.layerNorm(x, "output_norm"), "output")
}
