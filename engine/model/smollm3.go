package model

import "quire/engine/kernel"

func init() { register("smollm3", smollm3) }

// smollm3 is SmolLM3: a llama of which every fourth layer has no positions (arXiv 2501.18795). No key says which.
func smollm3(b *builder) {
	attention := b.rotated(neighbours)
	const every = 4

	x := b.embed("token_embd", 1)
	for i := range b.layers() {
		s := attention
		if i%every == every-1 {
			s.rope = nil
		}
		h := b.heads(b.rmsNorm(x, "attn_norm"), s, "attn_q", "attn_k", "attn_v")
		b.addProject(x, b.attendAsked(h), "attn_output")
		f := b.glu(b.rmsNorm(x, "ffn_norm"), kernel.SiLU, "ffn_gate", "ffn_up")
		b.addProject(x, f, "ffn_down")
	}
	b.head(b.rmsNorm(x, "output_norm"), "output")
}
