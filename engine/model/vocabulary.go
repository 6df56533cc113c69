package model

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// embed gives the tokens' rows of a matrix; scale 0 leaves them as they are.
func (b *builder) embed(name string, scale float32) rows {
	b.plan.embedding = b.embedding(name)
	x := tokens("residual", b.config.Width)
	b.plan.stream = scale
	b.lookUp(x, kernel.EmbedParams{XStride: kernel.RowStride(x.width), Scale: scale}, b.plan.embedding)
	return x
}

// addPositions adds each position's row of a matrix to x, which learned positions are.
func (b *builder) addPositions(x rows, name string) {
	t := b.tensor(name + ".weight")
	if len(t.Shape) != 2 || t.Shape[1] < uint64(b.config.Context) || t.Shape[1] > 1<<24 {
		b.refuse("tensor %s has shape %v, and must have a row for each of %d positions", t.Name, t.Shape, b.config.Context)
		return
	}
	rows := int(t.Shape[1])
	b.checkRows(t, rows, x.width)
	b.lookUp(x, kernel.EmbedParams{XStride: kernel.RowStride(x.width), Positions: true}, b.matrix("positions", rows, x.width, Part{Tensor: t, Stride: 1}))
}

// addFirst adds the first row of a matrix to x, where the file has the matrix: what tokens of the first type get.
func (b *builder) addFirst(x rows, name string) {
	t, ok := b.find(name + ".weight")
	if !ok {
		return
	}
	if len(t.Shape) != 2 || t.Shape[0] != uint64(x.width) || t.Shape[1] == 0 {
		b.refuse("tensor %s has shape %v, and must have rows of %d", t.Name, t.Shape, x.width)
		return
	}
	first := *t
	first.Shape, first.Bytes = []uint64{t.Shape[0], 1}, t.Bytes/int64(t.Shape[1])
	// Of a matrix of one row every position's is the first.
	b.lookUp(x, kernel.EmbedParams{XStride: kernel.RowStride(x.width), Positions: true}, b.matrix("first token type", 1, x.width, Part{Tensor: &first, Stride: 1}))
}

// lookUp gives rows of m, of tokens or of positions.
func (b *builder) lookUp(x rows, p kernel.EmbedParams, m *Matrix) {
	b.lookUpIn(func(g *Graph) gpu.View { return g.step }, x, p, m)
}

// lookUpIn is lookUp of the tokens of another step.
func (b *builder) lookUpIn(step func(*Graph) gpu.View, x rows, p kernel.EmbedParams, m *Matrix) {
	b.onDevice(func(g *Graph) {
		p := p
		p.Matrix = g.weights.matrix[m]
		e, err := kernel.NewEmbed(g.Device(), p)
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(e)
		of, view := step(g), g.view(x)
		var bound []*gpu.BindGroup
		g.Add(func() (err error) {
			bound, err = e.Bind(g.Resolve(of), g.lanes, g.Resolve(view))
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { e.Record(rec, bound, len(s.Tokens)) })
	})
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

// head gives embeddings, and the logits of the step's outputs.
func (b *builder) head(x rows, name string) { b.boundHead(x, name, 1, 0) }

// boundHead gives embeddings, and the logits of the step's outputs, from a matrix of its own, or the embedding's where the file has none; times
// scale, and then bounded softly to ±bound where that is not 0.
func (b *builder) boundHead(x rows, name string, scale, bound float64) {
	b.plan.rankLast = true // the first token has seen nothing else
	b.rank(b.pool(x))
	weights := b.plan.embedding
	if t, ok := b.find(name + ".weight"); ok {
		b.checkRows(t, b.config.Vocabulary, x.width)
		weights = b.matrix("head", b.config.Vocabulary, x.width, Part{Tensor: t, Stride: 1})
	} else {
		b.plan.Tied = true
	}
	b.plan.head = weights
	b.product(product{weights: []*Matrix{weights}, x: x, y: rows{label: "logits", width: b.config.Vocabulary, outputs: true},
		scale: float32(scale), cap: float32(bound)})
}
