package model

import "quire/engine/kernel"

func init() {
	register("bert", bert)
	register("nomic-bert", nomicBERT)
}

// bert is BERT (arXiv 1810.04805): tokens see all of a text, positions are learned, norms follow the sums. Of the two kinds of
// token only the first is used.
func bert(b *builder) {
	x := b.embed("token_embd", 1)
	b.addPositions(x, "position_embd")
	b.embeddings(encoder(b, x, b.seesAll(), func(x rows) rows { return b.activated(x, kernel.GELUErf, "ffn_up") }))
}

// nomicBERT is Nomic Embed (arXiv 2402.01613): a BERT with RoPE and a SwiGLU.
func nomicBERT(b *builder) {
	attention := b.seesAll()
	attention.rope = b.rope("rope.freq_base", halves)
	b.scaleRope(attention.rope)
	b.embeddings(encoder(b, b.embed("token_embd", 1), attention, func(x rows) rows { return b.glu(x, kernel.SiLU, "ffn_gate", "ffn_up") }))
}

// encoder is what BERTs share: inner is the first half of a feed-forward block.
func encoder(b *builder, x rows, attention span, inner func(rows) rows) rows {
	b.addFirst(x, "token_types")
	y := b.layerNormed("normed residual", x, "token_embd_norm")
	for range b.layers() {
		b.addProject(y, b.attend(b.heads(y, attention, "attn_q", "attn_k", "attn_v")), "attn_output")
		x = b.layerNormed("residual", y, "attn_output_norm")
		b.addProject(x, inner(x), "ffn_down")
		y = b.layerNormed("normed residual", x, "layer_output_norm")
	}
	return y
}
