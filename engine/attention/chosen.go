package attention

import "quire/engine/kernel"

// Chosen names the kernel that runs a step's rows of several tokens, or where there are none those of few, as file and variant: what
// Params.Variant, or the adapter, came to.
func (a *Attention) Chosen(s *kernel.StepData) string {
	items, decode := s.List(a.params.List).Prefill, s.List(a.params.List).Decode
	switch {
	case a.suits(items) && a.many.taken.Load():
		return a.many.kernel.Label()
	case len(items) > 0 || a.decode == nil:
		return a.prefill.Label()
	case a.useFew(decode):
		return a.few.kernel.Label()
	}
	return a.decode.Label()
}

// Chosen names the kernel that gives dK and dV; that of dQ has the same variant.
func (b *Backward) Chosen() string { return b.keys.Label() }
