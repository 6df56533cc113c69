package model

import "quire/engine/kernel"

func init() { register("gpt2", gpt2) }

// gpt2 is GPT-2: positions are learned and added to the embedding; LayerNorms, and biases everywhere.
func gpt2(b *builder) {
	x := b.embed("token_embd", 1)
	b.addPositions(x, "position_embd")
	for range b.layers() {
		h := b.heads(b.layerNorm(x, "attn_norm"), b.attention(), "attn_q", "attn_k", "attn_v")
		b.addProject(x, b.attendAsked(h), "attn_output")
		f := b.activated(b.layerNorm(x, "ffn_norm"), kernel.GELU, "ffn_up")
		b.addProject(x, f, "ffn_down")
	}
	b.head(b.layerNorm(x, "output_norm"), "output")
}
