package model

import (
	"math"
	"slices"

	"quire/engine/kernel"
)

func init() { register("gemma3", gemma3) }

// gemma3 is Gemma 3 (arXiv 2503.19786): most layers see a window and rotate by a base of their own, every sixth sees all;
// queries and keys are normalised as in Qwen3; a block's output is normalised, too, before it is added; gates go through
// GELU, and the embedding is scaled by the root of the width.
func gemma3(b *builder) {
	c := b.config
	if c.Layers == gemma27B { // no key says it
		c.Scale = 1 / math.Sqrt(float64(c.Width/c.Heads))
	}
	global := b.attention()
	global.rope = b.rope("rope.freq_base", halves)
	b.scaleRope(global.rope)
	local := global
	const window, pattern, base = "attention.sliding_window", "attention.sliding_window_pattern", "rope.freq_base_swa"
	var windows bool
	local.window, windows = b.read(window, 0, math.MaxInt32)
	isLocal := b.pattern(pattern, 6)
	switch _, told := b.file.Metadata.Get(b.key(pattern)); {
	case local.window > 0:
		local.rope = b.rope(base, halves)
	case !windows && told && slices.Contains(isLocal, true):
		b.missing(window)
	default: // every layer sees all, and the base may be there all the same
		clear(isLocal)
		b.key(base)
	}

	x := b.embed("token_embd", float32(math.Sqrt(float64(c.Width))))
	for i := range b.layers() {
		attention := global
		if isLocal[i] {
			attention = local
		}
		h := b.heads(b.rmsNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		h = b.headNorm(h, "attn_q_norm", "attn_k_norm")
		b.addNorm(x, b.project(b.attend(h), "attn_output", c.Width), "post_attention_norm")
		f := b.glu(b.rmsNorm(x, "ffn_norm"), kernel.GELU, "ffn_gate", "ffn_up")
		b.addNorm(x, b.project(f, "ffn_down", c.Width), "post_ffw_norm")
	}
	b.head(b.rmsNorm(x, "output_norm"), "output")
}

// gemma27B is the number of layers of the Gemma 3 whose scale of attention is by the width over the heads.
const gemma27B = 62
