package model

import (
	"math"
	"slices"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// norm is a normalisation of rows.
type norm struct {
	weight *Vector
	bias   *Vector // of a LayerNorm, which takes the mean away; nil: an RMSNorm
	eps    float32
}

// rmsNorm is x / rms(x) · weight (arXiv 1910.07467).
func (b *builder) rmsNorm(x rows, name string) rows {
	x.norm = &norm{weight: b.vector(x.width, b.name(name+".weight")), eps: b.rmsEps()}
	return x
}

// layerNorm is (x − mean) / deviation · weight + bias (arXiv 1607.06450); a file may leave the bias out.
func (b *builder) layerNorm(x rows, name string) rows {
	n := &norm{weight: b.vector(x.width, b.name(name+".weight")), eps: b.layerEps()}
	if n.bias = b.biases(name+" bias", []string{name}, []int{x.width}); n.bias == nil {
		n.bias = b.newVector(b.label(name+" bias"), x.width)
	}
	x.norm = n
	return x
}

func (b *builder) layerEps() float32 { return b.epsilon("attention.layer_norm_epsilon") }

func (b *builder) rmsEps() float32 { return b.epsilon("attention.layer_norm_rms_epsilon") }

// epsilon reads what is added to a variance.
func (b *builder) epsilon(key string) float32 {
	eps := float32(b.needFloat(key))
	if b.reader.err == nil && (!(eps > 0) || math.IsInf(float64(eps), 0)) {
		b.fail("%s.%s is %g, and must be positive", b.arch, key, eps)
	}
	return eps
}

// layerNormed is a LayerNorm of x in memory of its own: what a stream becomes where norms follow its sums.
func (b *builder) layerNormed(label string, x rows, name string) rows {
	x = b.layerNorm(x, name)
	y := tokens(label, x.width)
	b.onDevice(func(g *Graph) { g.layerNormTo(g.view(y), x, false, y.of) })
	return y
}

// layerNorm records a norm of the rows that a step has into memory of its own, for what cannot do it on the way.
func (g *Graph) layerNorm(x rows, outputs bool, count func(*kernel.StepData) int) gpu.View {
	most := g.options.MaxTokens
	if outputs {
		most = g.options.MaxOutputs
	}
	to := g.scratch("normed", most, x.width)
	g.layerNormTo(to, x, outputs, count)
	return to
}

func (g *Graph) layerNormTo(to gpu.View, x rows, outputs bool, count func(*kernel.StepData) int) {
	p := kernel.LayerNormParams{K: x.width, XStride: kernel.RowStride(x.width), YStride: kernel.RowStride(x.width), MWord: kernel.WordTokens, Eps: x.norm.eps, Variant: g.normVariant()}
	if outputs {
		p.MWord, p.Gather = kernel.WordOutputs, true
	}
	n, err := kernel.NewLayerNorm(g.Device(), p)
	if err != nil {
		g.Fail(err)
		return
	}
	g.Await(n)
	from := g.view(x)
	var bound *gpu.BindGroup
	g.Add(func() (err error) {
		v := g.weights.vector
		bound, err = n.Bind(g.step, g.Resolve(from), v[x.norm.weight].All(), v[x.norm.bias].All(), g.Resolve(to))
		return err
	}, func(rec *gpu.Recorder, s *kernel.StepData) { n.Record(rec, bound, count(s)) })
}

// of is how many of such rows a step has.
func (r rows) of(s *kernel.StepData) int {
	switch {
	case r.outputs:
		return len(s.Outputs)
	case r.pooled:
		return len(s.Pools)
	}
	return len(s.Tokens)
}

// addNorm is x += y / rms(y) · weight, which closes a block whose output is normalised.
func (b *builder) addNorm(x, y rows, name string) { b.normInto(x, y, name, true, nil) }

// addNormTimes is addNorm, and after it x is multiplied by a factor, where there is one.
func (b *builder) addNormTimes(x, y rows, name string, factor *Vector) {
	b.normInto(x, y, name, true, factor)
}

// setNorm is x = y / rms(y) · weight.
func (b *builder) setNorm(x, y rows, name string) { b.normInto(x, y, name, false, nil) }

func (b *builder) normInto(x, y rows, name string, add bool, factor *Vector) {
	weight, eps := b.vector(y.width, b.name(name+".weight")), b.rmsEps()
	b.onDevice(func(g *Graph) {
		n, err := kernel.NewRMSNorm(g.Device(), kernel.RMSNormParams{K: y.width, XStride: kernel.RowStride(y.width), YStride: kernel.RowStride(x.width),
			MWord: kernel.WordTokens, Eps: eps, Add: add, Scaled: factor != nil, Variant: g.normVariant()})
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(n)
		from, to := g.view(y), g.view(x)
		var bound *gpu.BindGroup
		g.Add(func() (err error) {
			var more []gpu.View
			if factor != nil {
				more = append(more, g.weights.vector[factor].All())
			}
			bound, err = n.Bind(g.step, g.Resolve(from), g.weights.vector[weight].All(), g.Resolve(to), more...)
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { n.Record(rec, bound, len(s.Tokens)) })
	})
}

// normVariant is the variant of norms that are no part of a product.
func (g *Graph) normVariant() string {
	if g.options.Deterministic || slices.Contains(g.options.Baseline, kernel.GroupRows) {
		return "baseline"
	}
	return kernel.Arithmetic(g.linearVariant)
}
