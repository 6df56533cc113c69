package model

import "quire/engine/kernel"

func init() { register("gpt-oss", gptoss) }

// gptoss is gpt-oss (arXiv 2508.10925): attention with a sink a head, every other layer with a window, and experts of clamped
// SwiGLUs, chosen by their scores and weighted by the softmax of the chosen ones'. All products have biases. YaRN blends by
// frequencies that are not rounded, which no key says: so the model was trained.
func gptoss(b *builder) {
	attention := b.rotated(halves)
	if attention.rope.Yarn != nil {
		attention.rope.Yarn.Exact = true
	}
	window := b.need("attention.sliding_window", 1, 1<<24)
	local := b.pattern("attention.sliding_window_pattern", 2)
	mixture := b.mixture(true)

	x := b.embed("token_embd", 1)
	for i := range b.layers() {
		s := attention
		if local[i] {
			s.window = window
		}
		s.sinks = b.vector(s.heads, b.name("attn_sinks.weight"))
		h := b.heads(b.rmsNorm(x, "attn_norm"), s, "attn_q", "attn_k", "attn_v")
		b.addProject(x, b.attendAsked(h), "attn_output")
		n := b.rmsNorm(x, "post_attention_norm")
		c := b.choose(b.router(n, mixture, "ffn_gate_inp"), mixture)
		b.addExperts(x, n, c, kernel.Clamped, "ffn_gate_exps", "ffn_up_exps", "ffn_down_exps")
	}
	b.head(b.rmsNorm(x, "output_norm"), "output")
}
