package model

import "math"

func init() { register("llama", func(b *builder) { llama(b, neighbours) }) }

// llama is LLaMA (arXiv 2302.13971): attention with RoPE and a SwiGLU, each behind an RMSNorm and added to the residual
// stream.
func llama(b *builder, pairs bool) {
	c := b.config
	attention := span{heads: c.Heads, kvHeads: c.KVHeads, headDim: c.HeadDim, scale: usualScale(c.HeadDim), rope: b.rope(pairs)}

	x := b.embed("token_embd", 1)
	for range b.layers() {
		h := b.heads(b.rmsNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		b.addProject(x, b.attend(h), "attn_output")
		f := b.swiglu(b.rmsNorm(x, "ffn_norm"), "ffn_gate", "ffn_up", c.FFN)
		b.addProject(x, f, "ffn_down")
	}
	b.head(b.rmsNorm(x, "output_norm"), "output")
}

// usualScale is 1/√(head dim), of q·k.
func usualScale(headDim int) float32 { return float32(1 / math.Sqrt(float64(headDim))) }
