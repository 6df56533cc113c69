package model

import (
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// mixture is a layer's mixture of experts (arXiv 1701.06538): how many there are, and how a token's are chosen.
type mixture struct {
	experts, used int
	ffn           int     // an expert's inner width
	sigmoid       bool    // weights are sigmoids of the scores, not their softmax
	whole         bool    // weights are shares of all experts, not of the chosen ones
	bias          string  // a tensor that joins for the choice only; "" for none
	scales        string  // a tensor with a factor for each expert's weight; "" for none
	scale         float32 // of all weights
	least         float32 // is added to the sum that sigmoids are divided by
}

// The values of expert_gating_func.
const (
	gateUnsaid  = 0
	gateSoftmax = 1
	gateSigmoid = 2
	gateChosen  = 3 // the softmax of the chosen experts' scores, which the shares of the chosen ones among them are, too
)

// mixture is what the usual keys say: a softmax over all experts' scores, of which the chosen ones' shares count, divided by
// their sum if normalised says so, and where no key says otherwise.
func (b *builder) mixture(normalised bool) mixture {
	m := mixture{experts: b.need("expert_count", 1, kernel.MaxExperts)}
	m.used = b.need("expert_used_count", 1, max(m.experts, 1))
	m.ffn = b.integer("expert_feed_forward_length", b.config.FFN, 1, 1<<18)
	m.whole = !b.boolean("expert_weights_norm", normalised)
	switch gate := b.integer("expert_gating_func", gateUnsaid, 0, 1<<31-1); gate {
	case gateUnsaid, gateSoftmax:
	case gateSigmoid:
		m.sigmoid = true
	case gateChosen:
		m.whole = false
	default:
		b.fail("%s.expert_gating_func is %d; 1 (softmax), 2 (sigmoid) and 3 (softmax of the chosen) run", b.arch, gate)
	}
	if m.scale = float32(b.float("expert_weights_scale", 1)); m.scale == 0 { // some writers' word for none
		m.scale = 1
	}
	return m
}

// someMixture is the mixture of a file that may be without experts.
func (b *builder) someMixture(normalised bool) mixture {
	if b.integer("expert_count", 0, 0, kernel.MaxExperts) == 0 {
		return mixture{}
	}
	return b.mixture(normalised)
}

// choices are the experts of each token, and what they count for.
type choices struct{ mixture }

// router gives the scores that experts are chosen by, with a bias where the file has one.
func (b *builder) router(x rows, m mixture, name string) rows {
	y := tokens("scores", m.experts)
	b.product(b.projection(y, x, name))
	return y
}

// choose chooses experts by their scores. Where the architecture scales what blocks give, their weights are scaled.
func (b *builder) choose(scores rows, m mixture) *choices {
	if b.residual != 0 {
		m.scale *= b.residual
	}
	c := &choices{m}
	var bias, scales *Vector
	if m.bias != "" {
		bias = b.vector(m.experts, b.name(m.bias))
	}
	if m.scales != "" {
		scales = b.vector(m.experts, b.name(m.scales))
	}
	b.onDevice(func(g *Graph) { g.choose(scores, c, bias, scales) })
	return c
}

// experts gives the sum, by their weights, of what the chosen experts make of x: down·(activation(gate·x) ⊙ up·x), with the
// biases that the file has.
func (b *builder) experts(x rows, c *choices, a kernel.Activation, gate, up, down string) rows {
	y := tokens("experts", x.width)
	b.expertFFN(y, x, c, a, gate, up, down, false)
	return y
}

// fusedExperts is experts with the gates and ups of each expert in one tensor, one after the other.
func (b *builder) fusedExperts(x rows, c *choices, a kernel.Activation, gateUp, down string) rows {
	t := b.expertTensor(gateUp, c, 2*c.ffn, x.width)
	var parts []Part
	for e := range c.experts {
		at := 2 * e * c.ffn
		parts = append(parts, Part{Tensor: t, First: at, Rows: c.ffn, Offset: at, Stride: 2},
			Part{Tensor: t, First: at + c.ffn, Rows: c.ffn, Offset: at + 1, Stride: 2})
	}
	h, y := rows{label: "experts' ffn", width: c.ffn, each: c.used}, tokens("experts", x.width)
	both := b.expertMatrix("experts' gate and up", c, 2*c.ffn, x.width, parts...)
	b.onDevice(func(g *Graph) { g.expertProduct(expertProduct{weights: both, choices: c, x: x, y: h, gated: a}) })
	b.expertsDown(y, h, c, down, false)
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
	if len(t.Shape) != 3 || t.Shape[0] != uint64(cols) || t.Shape[1] != uint64(rows) || t.Shape[2] != uint64(c.experts) {
		b.refuse("tensor %s has shape %v, want [%d %d %d]", t.Name, t.Shape, cols, rows, c.experts)
	}
	return t
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

// routed is a router on a device, and the buffers that its choices lie in.
type routed struct {
	router          *kernel.Router
	routing, sorted gpu.View
}

// choose records a choice. Choices that many tokens make are sorted at once, for all products that follow.
func (g *Graph) choose(scores rows, c *choices, bias, scales *Vector) {
	r, err := kernel.NewRouter(g.Device(), kernel.RouterParams{Experts: c.experts, Used: c.used, Stride: kernel.RowStride(scores.width),
		Sigmoid: c.sigmoid, Whole: c.whole, Bias: bias != nil, Scaled: scales != nil, Scale: c.scale, Least: c.least, MaxTokens: g.options.MaxTokens})
	if err != nil {
		g.Fail(err)
		return
	}
	g.Await(r)
	to := routed{router: r, routing: g.Scratch("experts chosen", r.RoutingWords()), sorted: g.Scratch("experts' choices", r.SortedWords())}
	g.routed[c] = to
	from := g.view(scores)
	var bound kernel.RouterBind
	g.Add(func() (err error) {
		var biases, factors gpu.View
		if bias != nil {
			biases = g.weights.vector[bias].All()
		}
		if scales != nil {
			factors = g.weights.vector[scales].All()
		}
		bound, err = r.Bind(g.step, g.Resolve(from), biases, factors, g.Resolve(to.routing), g.Resolve(to.sorted))
		return err
	}, func(rec *gpu.Recorder, s *kernel.StepData) {
		r.Record(rec, bound, len(s.Tokens))
		if g.sorts(r, len(s.Tokens)) {
			r.Sort(rec, bound)
		}
	})
}

// sorts tells whether products by experts of so many tokens go by sorted choices.
func (g *Graph) sorts(r *kernel.Router, tokens int) bool {
	return !g.options.Deterministic && r.Many(tokens)
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
		Variant: g.linearVariant, Deterministic: g.options.Deterministic}
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
