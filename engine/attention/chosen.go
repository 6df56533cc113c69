package attention

// Chosen names the kernels that run rows of several tokens and rows of few, as file and variant: what Params.Variant, or the
// adapter, came to. In deterministic mode they are the same.
func (a *Attention) Chosen() (prefill, decode string) {
	prefill = a.prefill.Label()
	if a.decode == nil {
		return prefill, prefill
	}
	return prefill, a.decode.Label()
}

// Chosen names the kernel that gives dK and dV; that of dQ has the same variant.
func (b *Backward) Chosen() string { return b.keys.Label() }
