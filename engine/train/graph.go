package train

import "quire/engine/gpu"

// graph is a step's work on a model: what it computes lies in the program's buffers.
type graph struct {
	*builder
	model  *Model
	layout batchLayout
	tokens int // sequences · length
	scored int // steps up to the loss
	table  gpu.View

	batch     gpu.View
	settings  gpu.View
	gradients gpu.View
	results   gpu.View // the sum of the tokens' losses; at resultAlign bytes, that of the gradients' squares
	losses    gpu.View

	attending     *attending
	layers        []layer
	last, normed  matrix // the residual stream behind the layers, and it normed
	logits        matrix // then the gradient by them
	dx, dnormed   matrix // gradients by the residual stream, and by what is normed
	dq, dk, dv    matrix
	dout, dhidden matrix // gradients by attention's output, and by what SwiGLU gives
}

// layer is what a layer's backward pass takes from its forward pass. gate and up become their gradients.
type layer struct {
	x, attnNormed, q, k, v, attended matrix   // q and k rotated
	lse                              gpu.View // [tokens][Heads]
	middle, ffnNormed                matrix   // the residual stream after attention, and it normed
	gate, up, hidden                 matrix
}

const resultAlign = 4 * tensorAlign

func newGraph(m *Model, sequences int) *graph {
	p := newBuilder(m.device)
	n := sequences * m.Length
	g := &graph{builder: p, model: m, tokens: n, layout: newBatchLayout(n, m.Vocabulary)}
	g.batch = p.Buffer("batch", g.layout.size)
	g.settings = p.Uniform("settings", settingsWords)
	g.gradients = p.Buffer("gradients", m.size)
	g.results = p.Buffer("results", 2*tensorAlign)
	g.losses = p.Buffer("losses", (n+3)/4*4)
	g.table = p.ropeTable(m.Config)
	g.attending = p.attention(m.Config, sequences)
	q, kv := m.Heads*m.HeadDim, m.KVHeads*m.HeadDim
	for range m.Layers {
		g.layers = append(g.layers, layer{
			x: p.matrix("residual", n, m.Width), attnNormed: p.matrix("attention norm", n, m.Width),
			q: p.matrix("q", n, q), k: p.matrix("k", n, kv), v: p.matrix("v", n, kv),
			attended: p.matrix("attention", n, q), lse: p.Buffer("lse", n*m.Heads),
			middle: p.matrix("residual", n, m.Width), ffnNormed: p.matrix("feed-forward norm", n, m.Width),
			gate: p.matrix("gate", n, m.FFN), up: p.matrix("up", n, m.FFN), hidden: p.matrix("hidden", n, m.FFN),
		})
	}
	g.last, g.normed = p.matrix("residual", n, m.Width), p.matrix("output norm", n, m.Width)
	g.logits = p.matrix("logits", n, m.Vocabulary)
	g.dx, g.dnormed = p.matrix("residual gradient", n, m.Width), p.matrix("norm gradient", n, m.Width)
	g.dq, g.dk, g.dv = p.matrix("q gradient", n, q), p.matrix("k gradient", n, kv), p.matrix("v gradient", n, kv)
	g.dout, g.dhidden = p.matrix("attention gradient", n, q), p.matrix("hidden gradient", n, m.FFN)
	return g
}

// weight and gradient view a tensor of the model and the gradient by it.
func (g *graph) weight(name string) matrix   { return g.model.in(g.model.parameters.All(), name) }
func (g *graph) gradient(name string) matrix { return g.model.in(g.gradients, name) }

// part views a part of the batch.
func (g *graph) part(from, words int) gpu.View {
	return gpu.View{Buffer: g.batch.Buffer, Offset: 4 * uint64(from), Size: 4 * uint64(words)}
}

// result views one of the results.
func (g *graph) result(i int) gpu.View {
	return gpu.View{Buffer: g.results.Buffer, Offset: uint64(i) * resultAlign, Size: 16}
}

// output names the matrix that gives the logits.
func (g *graph) output() string {
	if g.model.Tied {
		return embeddingName
	}
	return outputName
}

// build appends the whole step: forward, loss, backward, and AdamW with moments of its own.
func (g *graph) build() {
	m, l := g.model, g.layout
	if g.Err() != nil {
		return
	}
	g.embed(g.part(l.tokens, g.tokens), g.weight(embeddingName), g.layers[0].x)
	for i := range g.layers {
		next := g.last
		if i+1 < len(g.layers) {
			next = g.layers[i+1].x
		}
		g.forward(i, &g.layers[i], next)
		g.split()
	}
	g.norm(g.last, g.weight(outputNormName).View, g.normed, m.Eps)
	g.project(g.normed, g.weight(g.output()), g.logits, false)
	g.crossEntropy(g.part(l.targets, g.tokens), g.logits, g.losses)
	g.total(g.losses, false, g.result(0))
	g.scored = g.Len()

	g.clear(g.dx.View)
	g.projectWeight(g.logits, g.normed, g.gradient(g.output()))
	g.projectInput(g.logits, g.weight(g.output()), g.dnormed, false)
	g.normGradient(outputNormName, g.last)
	for i := len(g.layers) - 1; i >= 0; i-- {
		g.backward(i, &g.layers[i])
		g.split()
	}
	g.embedBackward(g.part(l.starts, m.Vocabulary+1), g.part(l.order, g.tokens), g.dx, g.gradient(embeddingName), m.Tied)

	g.total(g.gradients, true, g.result(1))
	g.adamw(g.settings, g.result(1), g.gradients, g.Buffer("first moments", m.size), g.Buffer("second moments", m.size),
		m.parameters.All(), m.decayed)
}

// normGradient appends the backward pass of a norm of x, from dnormed, onto dx.
func (g *graph) normGradient(name string, x matrix) {
	g.normBackward(x, g.weight(name).View, g.dnormed, g.dx, g.gradient(name).View, g.model.Eps)
}

// forward appends layer i, from its x to the next residual stream.
func (g *graph) forward(i int, l *layer, next matrix) {
	w := func(name string) matrix { return g.weight(layerName(i, name)) }
	g.norm(l.x, w("attn_norm").View, l.attnNormed, g.model.Eps)
	g.project(l.attnNormed, w("attn_q"), l.q, false)
	g.project(l.attnNormed, w("attn_k"), l.k, false)
	g.project(l.attnNormed, w("attn_v"), l.v, false)
	g.rope(g.model.Config, g.table, l.q, false)
	g.rope(g.model.Config, g.table, l.k, false)
	g.attend(l)
	g.copy(l.x.View, l.middle.View)
	g.project(l.attended, w("attn_output"), l.middle, true)
	g.norm(l.middle, w("ffn_norm").View, l.ffnNormed, g.model.Eps)
	g.project(l.ffnNormed, w("ffn_gate"), l.gate, false)
	g.project(l.ffnNormed, w("ffn_up"), l.up, false)
	g.swiglu(l.gate, l.up, l.hidden)
	g.copy(l.middle.View, next.View)
	g.project(l.hidden, w("ffn_down"), next, true)
}

// backward appends layer i's backward pass: dx, the gradient by what the layer gives, becomes that by its x.
func (g *graph) backward(i int, l *layer) {
	w := func(name string) matrix { return g.weight(layerName(i, name)) }
	learn := func(name string, dy, x matrix) { g.projectWeight(dy, x, g.gradient(layerName(i, name))) }

	learn("ffn_down", g.dx, l.hidden)
	g.projectInput(g.dx, w("ffn_down"), g.dhidden, false)
	g.swigluBackward(l.gate, l.up, g.dhidden)
	learn("ffn_gate", l.gate, l.ffnNormed)
	learn("ffn_up", l.up, l.ffnNormed)
	g.projectInput(l.gate, w("ffn_gate"), g.dnormed, false)
	g.projectInput(l.up, w("ffn_up"), g.dnormed, true)
	g.normGradient(layerName(i, "ffn_norm"), l.middle)

	learn("attn_output", g.dx, l.attended)
	g.projectInput(g.dx, w("attn_output"), g.dout, false)
	g.attendBackward(l)
	g.rope(g.model.Config, g.table, g.dq, true)
	g.rope(g.model.Config, g.table, g.dk, true)
	learn("attn_q", g.dq, l.attnNormed)
	learn("attn_k", g.dk, l.attnNormed)
	learn("attn_v", g.dv, l.attnNormed)
	g.projectInput(g.dq, w("attn_q"), g.dnormed, false)
	g.projectInput(g.dk, w("attn_k"), g.dnormed, true)
	g.projectInput(g.dv, w("attn_v"), g.dnormed, true)
	g.normGradient(layerName(i, "attn_norm"), l.x)
}
