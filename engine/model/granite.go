package model

import (
	"quire/engine/gguf"
	"quire/engine/kernel"
)

func init() { register("granite", granite) }

// granite is Granite 3 and 4: a llama with four factors (arXiv 2408.13359). The embedding is multiplied by one, what each block
// adds to the residual stream by another; one stands for attention's usual scale, and the logits are divided by the last.
// Granite 4's models without Mamba-2 come from the hybrid's configuration, whose sizes of states their files carry without meaning.
func granite(b *builder) {
	for _, key := range []string{"conv_kernel", "state_size", "group_count", "inner_size", "time_step_rank"} {
		b.key("ssm." + key)
	}
	attention := b.graniteAttention()

	x := b.embed("token_embd", float32(b.positive("embedding_scale", 1)))
	for range b.layers() {
		h := b.heads(b.rmsNorm(x, "attn_norm"), attention, "attn_q", "attn_k", "attn_v")
		b.addProject(x, b.attendAsked(h), "attn_output")
		f := b.glu(b.rmsNorm(x, "ffn_norm"), kernel.SiLU, "ffn_gate", "ffn_up")
		b.addProject(x, f, "ffn_down")
	}
	b.boundHead(b.rmsNorm(x, "output_norm"), "output", 1/b.positive("logit_scale", 1), 0)
}

// graniteAttention reads attention and the factor of what blocks add. A key that sounds as if it were of something else says whether
// heads are rotated.
func (b *builder) graniteAttention() span {
	attention := b.attention()
	if v, ok := b.file.Metadata.Get(b.key("rope.scaling.finetuned")); ok && v.Type == gguf.Bool && v.Any() == false {
		b.key("rope.freq_base")
		b.key("rope.dimension_count")
	} else {
		attention.rope = b.rope("rope.freq_base", neighbours)
		b.scaleRope(attention.rope)
	}
	attention.scale = float32(b.positive("attention.scale", b.config.Scale))
	b.residual = float32(b.positive("residual_scale", 1))
	return attention
}
