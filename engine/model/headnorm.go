package model

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// headNorm normalises q and k head by head, with the same weights for each; biases come before.
func (b *builder) headNorm(h heads, q, k string) heads {
	return b.normHeads(h, kernel.HeadNormParams{Eps: b.rmsEps()}, q, k, h.headDim, h.headDim)
}

// headNorms is headNorm, and v goes through a norm without weights, too; values says of what.
func (b *builder) headNorms(h heads, q, k string, values kernel.ValueNorm) heads {
	return b.normHeads(h, kernel.HeadNormParams{Eps: b.rmsEps(), Values: values}, q, k, h.headDim, h.headDim)
}

// wholeNorm normalises q, and k, over all heads at once.
func (b *builder) wholeNorm(h heads, q, k string) heads {
	return b.normHeads(h, kernel.HeadNormParams{Eps: b.rmsEps(), Whole: true}, q, k, h.heads*h.headDim, h.kvHeads*h.headDim)
}

// headLayerNorm is a LayerNorm of q and k head by head, each with weights of its own.
func (b *builder) headLayerNorm(h heads, q, k string) heads {
	p := kernel.HeadNormParams{Eps: b.layerEps(), Stacked: true, Centered: true}
	return b.normHeads(h, p, q, k, h.heads*h.headDim, h.kvHeads*h.headDim)
}

// normHeads normalises q and k, which have so many weights.
func (b *builder) normHeads(h heads, p kernel.HeadNormParams, q, k string, qWeights, kWeights int) heads {
	weight := b.newVector(b.label("q and k norm"), qWeights+kWeights)
	b.part(weight, b.tensor(b.name(q+".weight")), 0, qWeights)
	if h.owner == nil {
		b.part(weight, b.tensor(b.name(k+".weight")), qWeights, kWeights)
	}
	bias := h.bias
	h.bias, h.tail = nil, nil
	p.Heads, p.KVHeads, p.HeadDim, p.Stride, p.Bias = h.heads, h.stored(), h.headDim, kernel.RowStride(h.width), bias != nil
	b.onDevice(func(g *Graph) {
		p := p
		p.Variant = g.normVariant()
		n, err := kernel.NewHeadNorm(g.Device(), p)
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(n)
		qkv := g.view(h.rows)
		var bound *gpu.BindGroup
		g.Add(func() (err error) {
			var added gpu.View
			if bias != nil {
				added = g.weights.vector[bias].All()
			}
			bound, err = n.Bind(g.step, g.Resolve(qkv), g.weights.vector[weight].All(), added)
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { n.Record(rec, bound, len(s.Tokens)) })
	})
	return h
}
