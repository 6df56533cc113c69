package model

import (
	"math"
	"slices"

	"quire/engine/kernel"
)

func init() {
	register("gemma3", func(b *builder) { b.boundHead(gemma3(b, false), "output", 1, b.bound("final_logit_softcapping", 0)) })
	register("gemma-embedding", gemmaEmbedding)
}

// gemma3 is Gemma 3 (arXiv 2503.19786): most layers see a window and rotate by a base of their own, every sixth sees all;
// queries and keys are normalised as in Qwen3; a block's output is normalised, too, before it is added; gates go through
// GELU, and the embedding is scaled by the root of the width.
func gemma3(b *builder, bothWays bool) rows {
	c := b.config
	if c.Layers == gemma27B { // no key says it
		c.Scale = 1 / math.Sqrt(float64(c.Width/c.Heads))
	}
	global := b.attention()
	if bothWays {
		global = b.seesAll()
	}
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

	if bothWays { // half a window to either side
		local.window, local.reach = 0, local.window/2
	}

	x := b.embed("token_embd", float32(math.Sqrt(float64(c.Width))))
	for i := range b.layers() {
		attention := global
		if isLocal[i] {
			attention = local
		}
		h := b.heads(b.rmsNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		h = b.headNorm(h, "attn_q_norm", "attn_k_norm")
		b.addNorm(x, b.project(b.attendAsked(h), "attn_output", c.Width), "post_attention_norm")
		f := b.glu(b.rmsNorm(x, "ffn_norm"), kernel.GELU, "ffn_gate", "ffn_up")
		b.addNorm(x, b.project(f, "ffn_down", c.Width), "post_ffw_norm")
	}
	return b.rmsNorm(x, "output_norm")
}

// gemmaEmbedding is EmbeddingGemma (arXiv 2509.20354): Gemma 3's layers, whose tokens see those after them too, half a window
// to either side where they see a window. Up to two matrices follow the pooling.
func gemmaEmbedding(b *builder) {
	y := b.pool(gemma3(b, true))
	for _, name := range []string{"dense_2", "dense_3"} {
		t, ok := b.find(name + ".weight")
		in, out := b.integer(name+"_feat_in", y.width, 1, 1<<16), b.integer(name+"_feat_out", 0, 0, 1<<16)
		if !ok {
			continue
		}
		if len(t.Shape) == 2 && out == 0 {
			out = int(min(t.Shape[1], 1<<16))
		}
		if in != y.width {
			b.fail("%s.%s_feat_in is %d, and what comes before has %d", b.arch, name, in, y.width)
		}
		y = b.afterPooling(y, name, max(out, 1))
	}
	b.plan.pooled, b.plan.NoText = y, true
}

// gemma27B is the number of layers of the Gemma 3 whose scale of attention is by the width over the heads.
const gemma27B = 62
