package model

// Qwen2 (arXiv 2407.10671) is a llama whose q, k and v have biases, and whose heads are rotated by halves.
func init() {
	register("qwen2", func(b *builder) {
		s := b.rotated(halves)
		b.ropeFactors(s.rope)
		llama(b, s, mixture{})
	})
}
