package model

import "quire/engine/kernel"

// product is y = W·x, or y += W·x, with what is fused with it.
type product struct {
	weights []*Matrix // their rows lie one after the other in y
	x, y    rows
	add     bool
	gated   kernel.Activation // rows of W are gate and up in turn
}

// project is W·x.
func (b *builder) project(x rows, name string, width int) rows {
	y := tokens("projected", width)
	b.product(product{weights: b.stack(name, x.width, []string{name}, []int{width}), x: x, y: y})
	return y
}

// addProject is y += W·x, which closes a block.
func (b *builder) addProject(y, x rows, name string) {
	b.product(product{weights: b.stack(name, x.width, []string{name}, []int{y.width}), x: x, y: y, add: true})
}

// glu is activation(gate·x) ⊙ up·x, the inner half of a feed-forward block (arXiv 2002.05202).
func (b *builder) glu(x rows, a kernel.Activation, gate, up string) rows {
	h := tokens("ffn", b.config.FFN)
	weights := b.interleave("gate and up", x.width, [2]string{gate, up}, h.width)
	if len(weights) == 1 {
		b.product(product{weights: weights, x: x, y: h, gated: a})
		return h
	}
	g, u := tokens("gate", h.width), tokens("up", h.width)
	b.product(product{weights: weights[:1], x: x, y: g})
	b.product(product{weights: weights[1:], x: x, y: u})
	b.onDevice(func(graph *Graph) { graph.join(g, u, h, a) })
	return h
}

func (b *builder) product(p product) { b.onDevice(func(g *Graph) { g.product(p) }) }
