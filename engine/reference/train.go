package reference

import (
	"fmt"
	"math"
)

// Weights are tensors by their names in a GGUF file: a model's parameters, their gradients, or an optimizer's moments.
// Matrices are [output][input]. Without "output.weight", the embedding is the output matrix too.
type Weights[T Float] map[string][]T

// layerName is a tensor's name in a layer.
func layerName(layer int, name string) string { return fmt.Sprintf("blk.%d.%s.weight", layer, name) }

const (
	embeddingName  = "token_embd.weight"
	outputName     = "output.weight"
	outputNormName = "output_norm.weight"
)

// Gradient gives the mean cross-entropy of a llama without biases over sequences of length tokens, each token's target
// beside it, and the gradient by all weights.
func Gradient[T Float](c Config, w Weights[T], tokens, targets []int32, length int) (loss T, gradient Weights[T]) {
	g := newGraph(c, w, len(tokens)/length, length)
	x := make([]T, 0, len(tokens)*c.Width)
	for _, token := range tokens {
		x = append(x, w[embeddingName][int(token)*c.Width:][:c.Width]...)
	}
	layers := make([]trainLayer[T], c.Layers)
	for i := range layers {
		x = g.forward(i, &layers[i], x)
	}
	normed := RMSNorm(x, w[outputNormName], g.eps)
	output := outputName
	if w[output] == nil {
		output = embeddingName
	}
	loss, dy := CrossEntropy(MatMul(w[output], normed, c.Width), targets)

	g.gradient[output], dy = MatMulBackward(w[output], normed, dy, c.Width)
	dy, g.gradient[outputNormName] = RMSNormBackward(x, w[outputNormName], dy, g.eps)
	for i := c.Layers - 1; i >= 0; i-- {
		dy = g.backward(i, &layers[i], dy)
	}
	embedding := EmbedBackward(dy, tokens, c.Vocabulary, c.Width)
	if output == embeddingName {
		embedding = Add(embedding, g.gradient[output])
	}
	g.gradient[embeddingName] = embedding
	return loss, g.gradient
}

// graph is what the layers of one Gradient share.
type graph[T Float] struct {
	Config
	weights, gradient Weights[T]
	eps               T
	sequences, length int
	cos, sin          []T
	attention         AttentionParams
}

func newGraph[T Float](c Config, w Weights[T], sequences, length int) *graph[T] {
	positions := make([]int, sequences*length)
	for i := range positions {
		positions[i] = i % length
	}
	cos, sin := RopeTable(c.Rope, positions)
	return &graph[T]{
		Config: c, weights: w, gradient: Weights[T]{}, eps: T(c.Eps), sequences: sequences, length: length,
		cos: convert[T](cos), sin: convert[T](sin),
		attention: AttentionParams{Heads: c.Heads, KVHeads: c.KVHeads, HeadDim: c.HeadDim, Causal: true, Scale: 1 / math.Sqrt(float64(c.HeadDim))},
	}
}

func convert[T Float](x []float64) []T {
	out := make([]T, len(x))
	for i, f := range x {
		out[i] = T(f)
	}
	return out
}

// trainLayer is what a layer's backward pass takes from its forward pass.
type trainLayer[T Float] struct {
	x, attnNormed, q, k, v, attended []T // q and k rotated
	middle, ffnNormed                []T // the residual stream after attention, and it normed
	gate, up, inner                  []T
}

// forward runs layer i on the residual stream x.
func (g *graph[T]) forward(i int, l *trainLayer[T], x []T) []T {
	w := func(name string) []T { return g.weights[layerName(i, name)] }
	l.x = x
	l.attnNormed = RMSNorm(x, w("attn_norm"), g.eps)
	l.q = RoPE(MatMul(w("attn_q"), l.attnNormed, g.Width), g.Heads, g.HeadDim, g.cos, g.sin, g.Pairing)
	l.k = RoPE(MatMul(w("attn_k"), l.attnNormed, g.Width), g.KVHeads, g.HeadDim, g.cos, g.sin, g.Pairing)
	l.v = MatMul(w("attn_v"), l.attnNormed, g.Width)
	qs, kvs := g.length*g.Heads*g.HeadDim, g.length*g.KVHeads*g.HeadDim
	for s := range g.sequences {
		out, _ := Attention(l.q[s*qs:][:qs], l.k[s*kvs:][:kvs], l.v[s*kvs:][:kvs], g.attention)
		l.attended = append(l.attended, out...)
	}
	l.middle = Add(x, MatMul(w("attn_output"), l.attended, g.Heads*g.HeadDim))
	l.ffnNormed = RMSNorm(l.middle, w("ffn_norm"), g.eps)
	l.gate = MatMul(w("ffn_gate"), l.ffnNormed, g.Width)
	l.up = MatMul(w("ffn_up"), l.ffnNormed, g.Width)
	l.inner = SwiGLU(l.gate, l.up)
	return Add(l.middle, MatMul(w("ffn_down"), l.inner, g.FFN))
}

// backward takes the gradient by layer i's result to that by its input, and fills in the gradients by its weights.
func (g *graph[T]) backward(i int, l *trainLayer[T], dy []T) []T {
	product := func(name string, x, dy []T, k int) (dx []T) {
		name = layerName(i, name)
		g.gradient[name], dx = MatMulBackward(g.weights[name], x, dy, k)
		return dx
	}
	norm := func(name string, x, dy []T) (dx []T) {
		name = layerName(i, name)
		dx, g.gradient[name] = RMSNormBackward(x, g.weights[name], dy, g.eps)
		return dx
	}
	dgate, dup := SwiGLUBackward(l.gate, l.up, product("ffn_down", l.inner, dy, g.FFN))
	dnormed := Add(product("ffn_gate", l.ffnNormed, dgate, g.Width), product("ffn_up", l.ffnNormed, dup, g.Width))
	dy = Add(dy, norm("ffn_norm", l.middle, dnormed))

	dout := product("attn_output", l.attended, dy, g.Heads*g.HeadDim)
	qs, kvs := g.length*g.Heads*g.HeadDim, g.length*g.KVHeads*g.HeadDim
	var dq, dk, dv []T
	for s := range g.sequences {
		a, b, c := AttentionBackward(l.q[s*qs:][:qs], l.k[s*kvs:][:kvs], l.v[s*kvs:][:kvs], dout[s*qs:][:qs], g.attention)
		dq, dk, dv = append(dq, a...), append(dk, b...), append(dv, c...)
	}
	dq = RoPEBackward(dq, g.Heads, g.HeadDim, g.cos, g.sin, g.Pairing)
	dk = RoPEBackward(dk, g.KVHeads, g.HeadDim, g.cos, g.sin, g.Pairing)
	dnormed = Add(product("attn_q", l.attnNormed, dq, g.Width), product("attn_k", l.attnNormed, dk, g.Width))
	dnormed = Add(dnormed, product("attn_v", l.attnNormed, dv, g.Width))
	return Add(dy, norm("attn_norm", l.x, dnormed))
}
