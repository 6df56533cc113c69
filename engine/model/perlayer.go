package model

import (
	"math"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// perLayer are a token's embeddings for each layer (Gemma 3n), one after the other.
type perLayer struct {
	rows
	width int // of a layer's
}

// perLayerEmbeddings gives a token a row of its own for each layer: half of the power is from its table, half from its
// embedding x. nil where width is 0.
func (b *builder) perLayerEmbeddings(x rows, width int) *perLayer {
	if width == 0 {
		return nil
	}
	layers := b.config.Layers
	e := &perLayer{tokens("per-layer embeddings", layers*width), width}
	table := b.tensor("per_layer_token_embd.weight")
	b.checkRows(table, b.config.Vocabulary, e.rows.width)
	b.lookUp(e.rows, kernel.EmbedParams{XStride: kernel.RowStride(e.rows.width), Scale: float32(math.Sqrt(float64(width)))},
		b.matrix("per-layer embeddings", b.config.Vocabulary, e.rows.width, Part{Tensor: table, Stride: 1}))
	own := tokens("projected", e.rows.width)
	p := b.projection(own, x, "per_layer_model_proj")
	p.scale = float32(1 / math.Sqrt(float64(x.width)))
	b.product(p)
	weight, eps := b.vector(width, "per_layer_proj_norm.weight"), b.rmsEps()
	b.onDevice(func(g *Graph) {
		n, err := kernel.NewSliceNorm(g.Device(), kernel.SliceNormParams{Slices: layers, Width: width, Stride: kernel.RowStride(e.rows.width),
			Eps: eps, Scale: math.Sqrt2 / 2, Variant: g.normVariant()})
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(n)
		from, to := g.view(own), g.view(e.rows)
		var bound *gpu.BindGroup
		g.Add(func() (err error) {
			bound, err = n.Bind(g.step, g.Resolve(from), g.weights.vector[weight].All(), g.Resolve(to))
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { n.Record(rec, bound, len(s.Tokens)) })
	})
	return e
}

// perLayer gates the layer's embedding by x: activation(gate·x) ⊙ embedding.
func (b *builder) perLayer(x rows, e *perLayer, a kernel.Activation, gate string) rows {
	g, h := tokens("per-layer gate", e.width), tokens("per-layer", e.width)
	layer := b.at
	b.product(b.projection(g, x, gate))
	b.onDevice(func(graph *Graph) { graph.join(g, e.rows, layer*e.width, h, a) })
	return h
}
