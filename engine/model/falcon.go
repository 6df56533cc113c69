package model

import "quire/engine/kernel"

func init() { register("falcon", falcon) }

// falcon is Falcon (arXiv 2311.16867): attention and feed-forward block read the same rows and are added together. The larger ones
// have a norm for each.
func falcon(b *builder) {
	attention := b.rotated(halves)
	const layout = "tensor_data_layout"
	if v, ok, _ := b.file.Metadata.String(b.key(layout)); ok && v != "jploski" {
		b.fail("%s.%s is %q, and only jploski runs: q, k and v after one another", b.arch, layout, v)
	}

	x := b.embed("token_embd", 1)
	for range b.layers() {
		norm := "attn_norm"
		if _, two := b.file.Tensor(b.name("attn_norm_2.weight")); two {
			norm = "attn_norm_2"
		}
		h := b.heads(b.layerNorm(x, norm), attention, "attn_q", "attn_k", "attn_v")
		f := b.activated(b.layerNorm(x, "attn_norm"), kernel.GELUErf, "ffn_up")
		b.addProject(x, b.attend(h), "attn_output")
		b.addProject(x, f, "ffn_down")
	}
	b.head(b.layerNorm(x, "output_norm"), "output")
}
