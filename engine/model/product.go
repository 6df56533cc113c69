package model

import "quire/engine/kernel"

// product is y = W·x, or y += W·x, with what is fused with it.
type product struct {
	weights   []*Matrix // their rows lie one after the other in y
	bias      *Vector   // of a single matrix
	x, y      rows
	scale     float32           // factor of what is above; 0: 1
	activated kernel.Activation // of what comes out
	cap       float32           // what comes out is bounded softly; 0: not
	add       bool
	gated     kernel.Activation // rows of W are gate and up in turn
	tail      *headTail         // what else may be done with rows of q, k and v; nil: nothing
	adaptable *adaptable        // what LoRA adapters may change; nil: nothing
}

// projection is W·x, with a bias where the file has one.
func (b *builder) projection(y, x rows, name string) product {
	names, lengths := []string{name}, []int{y.width}
	return product{weights: b.stack(name, x.width, names, lengths), bias: b.biases(name+" bias", names, lengths), x: x, y: y}
}

// project is W·x.
func (b *builder) project(x rows, name string, width int) rows {
	y := tokens("projected", width)
	b.product(b.projection(y, x, name))
	return y
}

// addProject is y += W·x, which closes a block; where the architecture scales what blocks give, y += residual · W·x.
func (b *builder) addProject(y, x rows, name string) {
	p := b.projection(y, x, name)
	p.add, p.scale = true, b.residual
	b.product(p)
}

// activated is activation(W·x), the inner half of a feed-forward block without gates.
func (b *builder) activated(x rows, a kernel.Activation, name string) rows {
	h := tokens("ffn", b.config.FFN)
	p := b.projection(h, x, name)
	p.activated = a
	b.product(p)
	return h
}

// glu is activation(gate·x) ⊙ up·x, the inner half of a feed-forward block (arXiv 2002.05202).
func (b *builder) glu(x rows, a kernel.Activation, gate, up string) rows {
	return b.gluOf(x, b.config.FFN, a, gate, up)
}

// gluOf is glu of another width.
func (b *builder) gluOf(x rows, width int, a kernel.Activation, gate, up string) rows {
	h := tokens("ffn", width)
	weights := b.interleave("gate and up", x.width, [2]string{gate, up}, h.width)
	if len(weights) == 1 {
		bias := b.biases("gate and up bias", []string{gate, up}, []int{h.width, h.width})
		b.product(product{weights: weights, bias: bias, x: x, y: h, gated: a})
		return h
	}
	g, u := tokens("gate", h.width), tokens("up", h.width)
	for i, part := range []struct {
		name string
		y    rows
	}{{gate, g}, {up, u}} {
		bias := b.biases(part.name+" bias", []string{part.name}, []int{h.width})
		b.product(product{weights: weights[i : i+1], bias: bias, x: x, y: part.y})
	}
	b.onDevice(func(graph *Graph) { graph.join(g, u, 0, h, a) })
	return h
}

// fusedGLU is glu with gates, and after them ups, in one tensor.
func (b *builder) fusedGLU(x rows, a kernel.Activation, name string) rows {
	h := tokens("ffn", b.config.FFN)
	weights := []*Matrix{b.gatesAndUps(name, x.width, h.width)}
	bias := b.biases(name+" bias", []string{name}, []int{2 * h.width})
	b.product(product{weights: weights, bias: bias, x: x, y: h, gated: a})
	return h
}

func (b *builder) product(p product) {
	b.adapt(&p)
	b.onDevice(func(g *Graph) { g.product(p) })
}
