package model

import (
	"math"

	"quire/engine/kernel"
)

func init() { register("gemma2", gemma2) }

// gemma2 is Gemma 2 (arXiv 2408.00118): every second layer, from the first on, sees a window; scores of attention and logits
// are bounded softly; what a block gives is normalised before it is added; gates go through GELU, and the embedding is scaled by
// the root of the width. Files may leave out the window and the bounds, which are then those of the models that Google published.
func gemma2(b *builder) {
	c := b.config
	if c.Layers == gemma2_27B { // no key says it
		c.Scale = 1 / math.Sqrt(float64(c.Width/c.Heads))
	}
	global := b.rotated(halves)
	global.softcap = float32(b.bound("attn_logit_softcapping", 50))
	local := global
	local.window = b.integer("attention.sliding_window", 4096, 0, math.MaxInt32)
	isLocal := b.pattern("attention.sliding_window_pattern", 2)

	x := b.embed("token_embd", float32(math.Sqrt(float64(c.Width))))
	for i := range b.layers() {
		attention := global
		if isLocal[i] {
			attention = local
		}
		h := b.heads(b.rmsNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		b.addNorm(x, b.project(b.attendAsked(h), "attn_output", c.Width), "post_attention_norm")
		f := b.glu(b.rmsNorm(x, "ffn_norm"), kernel.GELU, "ffn_gate", "ffn_up")
		b.addNorm(x, b.project(f, "ffn_down", c.Width), "post_ffw_norm")
	}
	b.boundHead(b.rmsNorm(x, "output_norm"), "output", 1, b.bound("final_logit_softcapping", 30))
}

// gemma2_27B is the number of layers of the Gemma 2 whose scale of attention is by the width over the heads.
const gemma2_27B = 46
