package model

import "quire/engine/kernel"

func init() { register("lfm2", lfm2) }

// lfm2 is LFM2 (arXiv 2511.23404): most layers have a short gated convolution, those with KV heads attention like qwen3's.
// Its last norm is called as if it were the embedding's.
func lfm2(b *builder) {
	attention := b.attention()
	attention.rope = b.rope("rope.freq_base", halves)
	b.scaleRope(attention.rope)
	taps := b.need("shortconv.l_cache", 2, 64)

	x := b.embed("token_embd", 1)
	for range b.layers() {
		if normed := b.rmsNorm(x, "attn_norm"); b.config.KVHeads > 0 {
			h := b.heads(normed, attention, "attn_q", "attn_k", "attn_v")
			h = b.headNorm(h, "attn_q_norm", "attn_k_norm")
			b.addProject(x, b.attend(h), "attn_output")
		} else {
			gates := b.project(normed, "shortconv.in_proj", 3*x.width)
			b.addProject(x, b.gatedConvolution(gates, "shortconv.conv", taps), "shortconv.out_proj")
		}
		f := b.glu(b.rmsNorm(x, "ffn_norm"), kernel.SiLU, "ffn_gate", "ffn_up")
		b.addProject(x, f, "ffn_down")
	}
	b.head(b.rmsNorm(x, "token_embd_norm"), "output")
}
