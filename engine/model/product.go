package model

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

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

// embed gives the tokens' rows of a matrix; scale 0 leaves them as they are.
func (b *builder) embed(name string, scale float32) rows {
	b.plan.embedding = b.embedding(name)
	x := tokens("residual", b.config.Width)
	b.onDevice(func(g *Graph) {
		e, err := kernel.NewEmbed(g.Device(), kernel.EmbedParams{Matrix: g.weights.matrix[b.plan.embedding], XStride: kernel.RowStride(x.width), Scale: scale})
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(e)
		view := g.view(x)
		var bound []*gpu.BindGroup
		g.Add(func() (err error) {
			bound, err = e.Bind(g.step, g.lanes, g.Resolve(view))
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { e.Record(rec, bound, len(s.Tokens)) })
	})
	return x
}

// embedding plans the embedding's matrix, whose rows say how large the vocabulary is.
func (b *builder) embedding(name string) *Matrix {
	t := b.tensor(name + ".weight")
	if len(t.Shape) != 2 || t.Shape[1] == 0 || t.Shape[1] > 1<<24 {
		b.refuse("tensor %s has shape %v", t.Name, t.Shape)
		return &Matrix{}
	}
	c := b.config
	c.Vocabulary = int(t.Shape[1])
	if names, ok, err := b.file.Metadata.Strings("tokenizer.ggml.tokens"); err != nil {
		b.failed(err)
	} else if ok && len(names) > c.Vocabulary {
		b.refuse("the vocabulary has %d tokens, %s %d rows", len(names), t.Name, c.Vocabulary)
	}
	b.checkRows(t, c.Vocabulary, c.Width)
	return b.matrix("embedding", c.Vocabulary, c.Width, Part{Tensor: t, Stride: 1})
}

// head gives the logits of the step's outputs: from a matrix of its own, or the embedding's where the file has none.
func (b *builder) head(x rows, name string) {
	weights := b.plan.embedding
	if t, ok := b.find(name + ".weight"); ok {
		b.checkRows(t, b.config.Vocabulary, x.width)
		weights = b.matrix("head", b.config.Vocabulary, x.width, Part{Tensor: t, Stride: 1})
	} else {
		b.plan.Tied = true
	}
	b.product(product{weights: []*Matrix{weights}, x: x, y: rows{label: "logits", width: b.config.Vocabulary, outputs: true}})
}

func (b *builder) product(p product) { b.onDevice(func(g *Graph) { g.product(p) }) }
