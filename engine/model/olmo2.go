package model

import "quire/engine/kernel"

func init() { register("olmo2", olmo2) }

// olmo2 is OLMo 2 (arXiv 2501.00656): blocks read the residual stream as it is, and what they give is normalised; q and k are
// normalised over all of their heads. In OLMo 3 all but every fourth layer see a window, and only the others scale positions.
func olmo2(b *builder) {
	c := b.config
	global := b.rotated(halves)
	local := global
	isLocal := make([]bool, c.Layers)
	if local.window = b.window(); local.window > 0 {
		isLocal = b.pattern("attention.sliding_window_pattern", 4)
		local.rope = b.localRope("rope.freq_base", halves)
	}

	x := b.embed("token_embd", 1)
	for i := range b.layers() {
		attention := global
		if isLocal[i] {
			attention = local
		}
		h := b.wholeNorm(b.heads(x, attention, "attn_q", "attn_k", "attn_v"), "attn_q_norm", "attn_k_norm")
		b.addNorm(x, b.project(b.attendAsked(h), "attn_output", c.Width), "post_attention_norm")
		f := b.glu(x, kernel.SiLU, "ffn_gate", "ffn_up")
		b.addNorm(x, b.project(f, "ffn_down", c.Width), "post_ffw_norm")
	}
	b.head(b.rmsNorm(x, "output_norm"), "output")
}
