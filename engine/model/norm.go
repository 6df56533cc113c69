package model

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

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

// addNorm is x += y / rms(y) · weight, which closes a block whose output is normalised.
func (b *builder) addNorm(x, y rows, name string) {
	weight := b.vector(y.width, b.name(name+".weight"))
	b.onDevice(func(g *Graph) {
		n, err := kernel.NewRMSNorm(g.Device(), kernel.RMSNormParams{K: y.width, XStride: Stride(y.width), YStride: Stride(x.width),
			MWord: kernel.WordTokens, Eps: b.config.NormEps, Add: true, Variant: g.normVariant()})
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(n)
		from, to := g.view(y), g.view(x)
		var bound *gpu.BindGroup
		g.Add(func() (err error) {
			bound, err = n.Bind(g.step, g.Resolve(from), g.weights.vector[weight].All(), g.Resolve(to))
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { n.Record(rec, bound, len(s.Tokens)) })
	})
}

// normVariant is the variant of norms that are no part of a product.
func (g *Graph) normVariant() string {
	if g.options.Deterministic {
		return "baseline"
	}
	return g.linearVariant
}
