package model

// norm is a normalisation of rows.
type norm struct {
	weight *Vector
	eps    float32
}

// rmsNorm is x / rms(x) · weight (arXiv 1910.07467).
func (b *builder) rmsNorm(x rows, name string) rows {
	x.norm = &norm{weight: b.vector(x.width, b.name(name+".weight")), eps: b.config.NormEps}
	return x
}
