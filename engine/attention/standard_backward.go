package attention

import (
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// standardBackward is what the gradients need beside the forward pass: a head's S and P are computed again, for they are
// kept for one head only (FlashAttention, arXiv 2205.14135, algorithm 3).
type standardBackward struct {
	dOut, rowsQ, rowsKV *gpu.Buffer // a head's rows: dO; a gradient of q; a gradient of k or v
	gradient, turned    *gpu.Buffer // dP, then dS; P and dS with rows and columns exchanged

	values      *product // dP = dO·Vᵀ
	dOutT       *product // dV = Pᵀ·dO
	keysT       *product // dQ = dS·K
	queriesT    *product // dK = dSᵀ·Q
	softmaxBack *gpu.Kernel
	turnQ       *gpu.Kernel // a query head's rows, as weights
	turnSquare  *gpu.Kernel
	unpackKV    *gpu.Kernel // adds: query heads share a KV head
}

func (b *standardBackward) products() []*product {
	return []*product{b.values, b.dOutT, b.keysT, b.queriesT}
}

func (m *maker) backward() *standardBackward {
	p := m.s.params
	width := kernel.RowStride(p.HeadDim)
	b := &standardBackward{
		dOut:     m.buffer("dO of a head", 4*p.Queries*width),
		rowsQ:    m.buffer("dQ of a head", 4*p.Queries*width),
		rowsKV:   m.buffer("dK or dV of a head", 4*p.Keys*width),
		turned:   m.square("turned"),
		gradient: m.s.scores,
	}
	if p.Softcap != 0 {
		b.gradient = m.square("gradient") // the cap's slope wants the scores once more
	}
	b.values = m.product("v of a head", p.Keys, p.HeadDim, kernel.RowStride(p.Keys), p.Queries, recordQueries)
	b.dOutT = m.product("dO of a head", p.HeadDim, p.Queries, width, p.Keys, recordKeys)
	b.keysT = m.product("k of a head", p.HeadDim, p.Keys, width, p.Queries, recordQueries)
	b.queriesT = m.product("q of a head", p.HeadDim, p.Queries, width, p.Keys, recordKeys)
	b.softmaxBack = m.kernel("standard_gradient", p.scoring(), 4, p.mostKeys())
	b.turnQ = m.transpose(recordQueries, recordHeadDim, recordHead, p.Heads*p.HeadDim, true)
	b.turnSquare = m.transpose(recordQueries, recordKeys, recordHead, 0, false)
	b.unpackKV = m.scatter(recordKeys, recordKVHead, p.KVHeads, true)
	return b
}

// StandardGradients are the inputs and outputs of the backward pass: dOut is like the output, dQ like q, dK and dV like k.
type StandardGradients struct{ DOut, DQ, DK, DV gpu.View }

// StandardBackwardBindings are a sequence's buffers bound for the backward pass.
type StandardBackwardBindings struct {
	forward *StandardBindings
	heads   []standardBackwardHead
	dK, dV  gpu.View
}

type standardBackwardHead struct {
	packDOut, packV, softmaxBack *gpu.BindGroup
	turnDOut, turnQ, turnK       *gpu.BindGroup
	turnWeights, turnGradient    *gpu.BindGroup
	unpackDQ, unpackDK, unpackDV *gpu.BindGroup
	gradient, dQ, dK, dV         *kernel.LinearBind
}

// BindBackward binds the gradients beside what Bind has bound, whose q, k and v they are of. It needs
// StandardParams.Backward.
func (s *Standard) BindBackward(forward *StandardBindings, q, k, v gpu.View, g StandardGradients) (*StandardBackwardBindings, error) {
	back := s.back
	if back == nil {
		return nil, fmt.Errorf("standard attention: made without StandardParams.Backward")
	}
	b := &binder{s: s}
	all := &StandardBackwardBindings{forward: forward, dK: g.DK, dV: g.DV}
	scores := s.scores.All()
	if s.params.Softcap == 0 {
		scores = s.weights.All() // the gradient lies where the scores were
	}
	for h := range s.params.Heads {
		record := s.record(h)
		all.heads = append(all.heads, standardBackwardHead{
			packDOut:     b.bind(s.packQ, record, g.DOut, back.dOut.All()),
			packV:        b.bind(s.packWeightsKV, record, v, back.values.target()),
			gradient:     b.product(back.values, record, back.dOut, back.gradient),
			softmaxBack:  b.bind(back.softmaxBack, record, s.weights.All(), scores, back.gradient.All()),
			turnDOut:     b.bind(back.turnQ, record, g.DOut, back.dOutT.target()),
			turnQ:        b.bind(back.turnQ, record, q, back.queriesT.target()),
			turnK:        b.bind(s.turnKV, record, k, back.keysT.target()),
			turnWeights:  b.bind(back.turnSquare, record, s.weights.All(), back.turned.All()),
			turnGradient: b.bind(back.turnSquare, record, back.gradient.All(), back.turned.All()),
			dV:           b.product(back.dOutT, record, back.turned, back.rowsKV),
			dQ:           b.product(back.keysT, record, back.gradient, back.rowsQ),
			dK:           b.product(back.queriesT, record, back.turned, back.rowsKV),
			unpackDQ:     b.bind(s.unpackQ, record, back.rowsQ.All(), g.DQ),
			unpackDK:     b.bind(back.unpackKV, record, back.rowsKV.All(), g.DK),
			unpackDV:     b.bind(back.unpackKV, record, back.rowsKV.All(), g.DV),
		})
	}
	if b.err != nil {
		return nil, fmt.Errorf("standard attention: %w", b.err)
	}
	return all, nil
}

// RecordBackward records the backward pass; it needs nothing of a forward pass.
func (s *Standard) RecordBackward(rec *gpu.Recorder, b *StandardBackwardBindings) {
	p, back := s.params, s.back
	width := kernel.RowStride(p.HeadDim)
	for _, v := range []gpu.View{b.dK, b.dV} {
		rec.Clear(v.Buffer, v.Offset, v.Size)
	}
	for h := range b.heads {
		bound := &b.heads[h]
		s.recordWeights(rec, &b.forward.heads[h], h)
		if h%(p.Heads/p.KVHeads) == 0 {
			s.copy(rec, s.packWeightsKV, bound.packV, p.Keys, width)
			s.turn(rec, s.turnKV, bound.turnK, p.Keys, p.HeadDim)
		}
		s.copy(rec, s.packQ, bound.packDOut, p.Queries, width)
		s.turn(rec, back.turnQ, bound.turnDOut, p.Queries, p.HeadDim)
		s.turn(rec, back.turnQ, bound.turnQ, p.Queries, p.HeadDim)

		s.turn(rec, back.turnSquare, bound.turnWeights, p.Queries, p.Keys)
		back.dOutT.record(rec, bound.dV)
		s.copy(rec, back.unpackKV, bound.unpackDV, p.Keys, p.HeadDim)

		back.values.record(rec, bound.gradient)
		x, y := kernel.Fold(p.Queries)
		rec.Dispatch(back.softmaxBack, bound.softmaxBack, x, y, 1)
		back.keysT.record(rec, bound.dQ)
		s.copy(rec, s.unpackQ, bound.unpackDQ, p.Queries, p.HeadDim)

		s.turn(rec, back.turnSquare, bound.turnGradient, p.Queries, p.Keys)
		back.queriesT.record(rec, bound.dK)
		s.copy(rec, back.unpackKV, bound.unpackDK, p.Keys, p.HeadDim)
	}
}
