package model

import (
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
