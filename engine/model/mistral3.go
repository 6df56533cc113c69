package model

func init() { register("mistral3", mistral3) }

// mistral3 is Ministral 3: a llama whose queries grow with their positions.
func mistral3(b *builder) {
	s := b.rotated(neighbours)
	s.window = b.window()
	const length = "rope.scaling.original_context_length"
	if grow := b.positive("attention.temperature_scale", 0); grow > 0 {
		s.rope.Grow, s.rope.GrowEvery = grow, b.integer(length, b.config.Context, 1, 1<<24)
	}
	llama(b, s, b.someMixture(true))
}
