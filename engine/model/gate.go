package model

import (
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// gatedHeads is heads for a q whose matrix has for each head its rows, and then those of a gate. The gates' rows come behind v.
// All may lie in one tensor, attn_qkv.
func (b *builder) gatedHeads(x rows, s span, q, k, v string) heads {
	all, kv := s.heads*s.headDim, s.kvHeads*s.headDim
	h := heads{rows: tokens("qkv and gate", 2*all+2*kv), kvLayer: &kvLayer{span: s}, residual: x}
	h.residual.norm = nil
	b.plan.kv = append(b.plan.kv, h.kvLayer)

	part := func(name string, rows int) Part {
		t := b.tensor(b.name(name + ".weight"))
		b.checkRows(t, rows, x.width)
		return Part{Tensor: t, Stride: 1}
	}
	var t *gguf.Tensor
	var keys, values Part
	if b.fusedHeads() {
		keys = part(fusedHeads, 2*all+2*kv)
		t, values = keys.Tensor, keys
		keys.First, keys.Rows, values.First, values.Rows = 2*all, kv, 2*all+kv, kv
	} else {
		t, keys, values = part(q, 2*all).Tensor, part(k, kv), part(v, kv)
	}
	var queries, gates []Part
	for i := range s.heads {
		queries = append(queries, Part{Tensor: t, Offset: i * s.headDim, Stride: 1, First: 2 * i * s.headDim, Rows: s.headDim})
		gates = append(gates, Part{Tensor: t, Offset: i * s.headDim, Stride: 1, First: (2*i + 1) * s.headDim, Rows: s.headDim})
	}
	b.product(product{weights: b.below("qkv and gate", x.width, []block{{q, all, queries}, {k, kv, []Part{keys}},
		{v, kv, []Part{values}}, {q + " gate", all, gates}}), x: x, y: h.rows})
	return h
}

// gate is x *= sigmoid(z), for gates that lie at a place in rows of their own.
func (b *builder) gate(x, z rows, at int) {
	b.onDevice(func(g *Graph) {
		k, err := kernel.NewGate(g.Device(), kernel.GateParams{Width: x.width, XStride: kernel.RowStride(x.width), ZStride: kernel.RowStride(z.width), ZOffset: at})
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(k)
		rows, gates := g.view(x), g.view(z)
		var bound *gpu.BindGroup
		g.Add(func() (err error) {
			bound, err = k.Bind(g.step, g.Resolve(rows), g.Resolve(gates))
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { k.Record(rec, bound, len(s.Tokens)) })
	})
}
