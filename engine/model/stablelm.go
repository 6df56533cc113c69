package model

import "quire/engine/kernel"

func init() { register("stablelm", stablelm) }

// stablelm is StableLM 2 (arXiv 2402.17834): LayerNorms, and heads that are rotated in part. The largest normalises q and k head by
// head, and has no norm before the feed-forward block, which reads the same rows as attention.
func stablelm(b *builder) {
	attention := b.rotated(halves)
	b.key("use_parallel_residual") // ffn_norm tells: files say true of models that have one

	x := b.embed("token_embd", 1)
	for range b.layers() {
		h := b.heads(b.layerNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		if _, normed := b.file.Tensor(b.name("attn_q_norm.weight")); normed {
			h = b.headLayerNorm(h, "attn_q_norm", "attn_k_norm")
		}
		if _, after := b.file.Tensor(b.name("ffn_norm.weight")); after {
			b.addProject(x, b.attend(h), "attn_output")
			b.addProject(x, b.glu(b.layerNorm(x, "ffn_norm"), kernel.SiLU, "ffn_gate", "ffn_up"), "ffn_down")
			continue
		}
		f := b.glu(b.layerNorm(x, "attn_norm"), kernel.SiLU, "ffn_gate", "ffn_up")
		b.addProject(x, b.attend(h), "attn_output")
		b.addProject(x, f, "ffn_down")
	}
	b.head(b.layerNorm(x, "output_norm"), "output")
}
