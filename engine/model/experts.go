package model

import (
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// experts gives the sum, by their weights, of what the chosen experts make of x: down·(activation(gate·x) ⊙ up·x), with the
// biases that the file has. Gates and ups may lie in one tensor, expert by expert one after the other.
func (b *builder) experts(x rows, c *choices, a kernel.Activation, gate, up, down string) rows {
	y := tokens("experts", x.width)
	b.expertFFN(y, x, c, a, gate, up, down, false)
	return y
}

// addExperts is y += what experts gives, which closes a block.
func (b *builder) addExperts(y, x rows, c *choices, a kernel.Activation, gate, up, down string) {
	b.expertFFN(y, x, c, a, gate, up, down, true)
}

// addMixture is y += the experts of SwiGLUs that most files have, by a router that sees their x.
func (b *builder) addMixture(y, x rows, m mixture) {
	c := b.choose(b.router(x, m, "ffn_gate_inp"), m)
	b.addExperts(y, x, c, kernel.SiLU, "ffn_gate_exps", "ffn_up_exps", "ffn_down_exps")
}

func (b *builder) expertFFN(y, x rows, c *choices, a kernel.Activation, gate, up, down string, add bool) {
	h := rows{label: "experts' ffn", width: c.ffn, each: c.used}
	if t, fused := b.find(b.name("ffn_gate_up_exps.weight")); fused {
		b.checkExperts(t, c, 2*c.ffn, x.width)
		var parts []Part
		for e := range c.experts {
			at := 2 * e * c.ffn
			parts = append(parts, Part{Tensor: t, First: at, Rows: c.ffn, Offset: at, Stride: 2},
				Part{Tensor: t, First: at + c.ffn, Rows: c.ffn, Offset: at + 1, Stride: 2})
		}
		both := b.expertMatrix("experts' gate and up", c, 2*c.ffn, x.width, parts...)
		b.onDevice(func(g *Graph) { g.expertProduct(expertProduct{weights: both, choices: c, x: x, y: h, gated: a}) })
		b.expertsDown(y, h, c, down, add)
		return
	}
	first, second := b.expertTensor(gate, c, c.ffn, x.width), b.expertTensor(up, c, c.ffn, x.width)
	if first.Type == second.Type {
		both := b.expertMatrix("experts' gate and up", c, 2*c.ffn, x.width, Part{Tensor: first, Stride: 2}, Part{Tensor: second, Offset: 1, Stride: 2})
		bias := b.biases("experts' gate and up bias", []string{gate, up}, []int{c.experts * c.ffn, c.experts * c.ffn})
		b.onDevice(func(g *Graph) {
			g.expertProduct(expertProduct{weights: both, bias: bias, choices: c, x: x, y: h, gated: a})
		})
	} else {
		gates := b.expertMatrix("experts' gate", c, c.ffn, x.width, Part{Tensor: first, Stride: 1})
		ups := b.expertMatrix("experts' up", c, c.ffn, x.width, Part{Tensor: second, Stride: 1})
		gateBias, upBias := b.expertBiases(gate, c, c.ffn), b.expertBiases(up, c, c.ffn)
		b.onDevice(func(g *Graph) {
			g.expertProduct(expertProduct{weights: gates, bias: gateBias, choices: c, x: x, y: h})
			g.expertProduct(expertProduct{weights: ups, bias: upBias, choices: c, x: x, y: h, over: a})
		})
	}
	b.expertsDown(y, h, c, down, add)
}

// expertsDown gives y, or adds to it, the sum of what the chosen experts make of h.
func (b *builder) expertsDown(y, h rows, c *choices, down string, add bool) {
	last := b.expertMatrix("experts' down", c, y.width, c.ffn, Part{Tensor: b.expertTensor(down, c, y.width, c.ffn), Stride: 1})
	bias := b.expertBiases(down, c, y.width)
	b.onDevice(func(g *Graph) {
		g.expertProduct(expertProduct{weights: last, bias: bias, choices: c, x: h, y: y, sum: true, add: add})
	})
}

// sharedExpert is the inner half of an expert of a width that all tokens have, times the sigmoid of its gate, one row, where the
// file has one. It is described before what it reads is added to.
func (b *builder) sharedExpert(x rows, ffn int) rows {
	h := b.gluOf(x, ffn, kernel.SiLU, "ffn_gate_shexp", "ffn_up_shexp")
	const gate = "ffn_gate_inp_shexp"
	if _, ok := b.find(b.name(gate + ".weight")); !ok {
		return h
	}
	g := tokens("shared expert's gate", 1)
	b.product(b.projection(g, x, gate))
	b.onDevice(func(graph *Graph) { graph.gateRows(g, h) })
	return h
}

// gateRows records x *= sigmoid(g), a gate a row.
func (g *Graph) gateRows(gates, x rows) {
	k, err := kernel.NewGateRows(g.Device(), kernel.GateRowsParams{Width: x.width, GStride: kernel.RowStride(gates.width), XStride: kernel.RowStride(x.width),
		MWord: kernel.WordTokens})
	if err != nil {
		g.Fail(err)
		return
	}
	g.Await(k)
	from, to := g.view(gates), g.view(x)
	var bound *gpu.BindGroup
	g.Add(func() (err error) {
		bound, err = k.Bind(g.step, g.Resolve(from), g.Resolve(to))
		return err
	}, func(rec *gpu.Recorder, s *kernel.StepData) { k.Record(rec, bound, len(s.Tokens)) })
}

// expertTensor finds the stack of all experts' matrices.
func (b *builder) expertTensor(name string, c *choices, rows, cols int) *gguf.Tensor {
	t := b.tensor(b.name(name + ".weight"))
	b.checkExperts(t, c, rows, cols)
	return t
}

func (b *builder) checkExperts(t *gguf.Tensor, c *choices, rows, cols int) {
	if len(t.Shape) != 3 || t.Shape[0] != uint64(cols) || t.Shape[1] != uint64(rows) || t.Shape[2] != uint64(c.experts) {
		b.refuse("tensor %s has shape %v, want [%d %d %d]", t.Name, t.Shape, cols, rows, c.experts)
	}
}

// expertBiases plans what is added to rows of all experts; nil where the file has nothing.
func (b *builder) expertBiases(name string, c *choices, rows int) *Vector {
	return b.biases(name+" bias", []string{name}, []int{c.experts * rows})
}

// expertMatrix plans the matrices of all experts, rows × cols each.
func (b *builder) expertMatrix(label string, c *choices, rows, cols int, parts ...Part) *Matrix {
	m := b.matrix(label, c.experts*rows, cols, parts...)
	m.Experts = c.experts
	return m
}

// expertProduct is y = W·x by the chosen experts: a row of x a token and one of y a choice, or, summed, the other way round.
type expertProduct struct {
	weights     *Matrix
	bias        *Vector // nil: none
	choices     *choices
	x, y        rows
	sum, add    bool
	gated, over kernel.Activation // see kernel.ExpertLinearParams
}

// expertProduct records one. An RMSNorm of x is done on the way, or for many tokens before.
func (g *Graph) expertProduct(p expertProduct) {
	to := g.routed[p.choices]
	x, y, norm := g.view(p.x), g.view(p.y), p.x.norm
	if norm != nil && norm.bias != nil {
		x, norm = g.layerNorm(p.x, false, func(s *kernel.StepData) int { return len(s.Tokens) }), nil
	}
	params := kernel.ExpertLinearParams{Router: to.router, Matrix: g.weights.matrix[p.weights], XStride: kernel.RowStride(p.x.width),
		YStride: kernel.RowStride(p.y.width), Sum: p.sum, Add: p.add, Norm: norm != nil, Bias: p.bias != nil, Gated: p.gated, Over: p.over,
		Variant: kernel.Arithmetic(g.linearVariant), Deterministic: g.options.Deterministic}
	if norm != nil {
		params.Eps = norm.eps
	}
	l, err := kernel.NewExpertLinear(g.Device(), params)
	if err != nil {
		g.Fail(err)
		return
	}
	g.Await(l)
	var normed, summed gpu.View
	var norms *kernel.RMSNorm
	if norm != nil {
		normed = g.scratch("normed", p.x.count(g), p.x.width)
		norms, err = kernel.NewRMSNorm(g.Device(), kernel.RMSNormParams{K: p.x.width, XStride: params.XStride, YStride: params.XStride,
			MWord: kernel.WordTokens, Eps: norm.eps, Variant: g.normVariant()})
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(norms)
	}
	if p.sum && !g.options.Deterministic {
		summed = g.view(rows{label: "experts' rows", width: p.y.width, each: p.choices.used})
	}
	var bound *kernel.ExpertLinearBind
	var boundNorm *gpu.BindGroup
	g.Add(func() (err error) {
		v := kernel.ExpertLinearViews{Step: g.step, Routing: g.Resolve(to.routing), Sorted: g.Resolve(to.sorted), X: g.Resolve(x), Y: g.Resolve(y),
			Choices: g.Resolve(summed)}
		if p.bias != nil {
			v.Bias = g.weights.vector[p.bias].All()
		}
		if norm != nil {
			v.Norm, v.Normed = g.weights.vector[norm.weight].All(), g.Resolve(normed)
			if boundNorm, err = norms.Bind(g.step, v.X, v.Norm, v.Normed); err != nil {
				return err
			}
		}
		bound, err = l.Bind(v)
		return err
	}, func(rec *gpu.Recorder, s *kernel.StepData) {
		many := g.sorts(to.router, len(s.Tokens))
		if many && norm != nil {
			norms.Record(rec, boundNorm, len(s.Tokens))
		}
		l.Record(rec, bound, len(s.Tokens), many)
	})
}
