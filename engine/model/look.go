package model

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/quant"
	"quire/paging"
)

// Sight is what attention of a layer is like.
type Sight struct {
	Heads, KVHeads, HeadDim int
	Scale, Softcap          float32 // as q·k are scaled, and bounded by tanh; 0: not
	Window                  int     // tokens that a query sees, itself included; 0: all before it
	Group                   int     // of KV
}

// Sight describes a layer's attention; ok is false where it has none.
func (p *Plan) Sight(layer int) (s Sight, ok bool) {
	l := p.attends(layer)
	if l == nil {
		return s, false
	}
	return Sight{l.heads, l.kvHeads, l.headDim, l.scale, l.softcap, l.window, l.group}, true
}

// attends gives a layer that has attention, or nil.
func (p *Plan) attends(layer int) *kvLayer {
	for _, l := range slices.Concat(p.kv, p.shared) {
		if l.layer == layer {
			return l
		}
	}
	return nil
}

// Look reads what a layer's attention makes of one token of a step.
type Look struct {
	Layer int
	Token int     // of the step
	Table []int32 // the blocks that the token's sequence has in the layer's KV group
	Keys  int     // that there are, from the first block on

	layout kernel.KVLayout
	sinks  bool
	back   *gpu.Readback
}

// Seen is what came of it, each a row after another.
type Seen struct {
	Query, Out   []float32 // [heads][headDim]
	Keys, Values []float32 // [keys][kvHeads][headDim]; zero where a window has left the block behind
	Sinks        []float32 // a logit a head, or none
}

// Look gives a look room for what it finds.
func (g *Graph) Look(l *Look) (err error) {
	at := g.plan.attends(l.Layer)
	l.layout, l.sinks = g.layout(at.group), at.sinks != nil
	row := 4 * at.heads * at.headDim
	size := uint64(2*row) + 2*l.layout.Bytes(len(l.Table))
	if l.sinks {
		size += uint64(4 * at.heads)
	}
	l.back, err = g.Device().NewReadback("look", size)
	return err
}

// seen records the copies behind attention of a layer, where it is looked at.
func (g *Graph) seen(h heads, q, out gpu.View) {
	g.Add(nil, func(rec *gpu.Recorder, _ *kernel.StepData) {
		l := g.look
		if l == nil || l.Layer != h.layer {
			return
		}
		to := uint64(0)
		copied := func(from gpu.View, offset, size uint64) {
			rec.Copy(from.Buffer, from.Offset+offset, l.back.Buffer(), to, size)
			to += size
		}
		row := uint64(4 * h.heads * h.headDim)
		copied(g.Resolve(q), uint64(4*l.Token*kernel.RowStride(h.width)), row)
		copied(g.Resolve(out), uint64(4*l.Token*kernel.RowStride(h.heads*h.headDim)), row)
		if l.sinks {
			copied(g.weights.vector[h.sinks].All(), 0, uint64(4*h.heads))
		}
		block := l.layout.Bytes(1)
		for _, cache := range []*gpu.Buffer{g.K[h.place], g.V[h.place]} {
			for _, id := range l.Table {
				copied(cache.All(), uint64(id)*block, block)
			}
		}
		rec.Map(l.back, l.back.Size())
	})
}

// Seen waits until the step has been computed, and reads it. It may be asked once.
func (l *Look) Seen(ctx context.Context, p *Plan) (s Seen, err error) {
	defer l.back.Release()
	data := make([]byte, l.back.Size())
	if err := l.back.Wait(ctx, data); err != nil {
		return s, err
	}
	at := p.attends(l.Layer)
	floats := func(n int) []float32 {
		list := make([]float32, n)
		for i := range list {
			list[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		data = data[4*n:]
		return list
	}
	s.Query, s.Out = floats(at.heads*at.headDim), floats(at.heads*at.headDim)
	if l.sinks {
		s.Sinks = floats(at.heads)
	}
	half := int(l.layout.Bytes(len(l.Table)))
	s.Keys, s.Values = l.rows(data[:half]), l.rows(data[half:])
	return s, nil
}

// rows puts blocks in the order of tokens, as floats.
func (l *Look) rows(blocks []byte) []float32 {
	o := l.layout
	rows := make([]float32, l.Keys*o.KVHeads*o.HeadDim)
	size := int(o.Bytes(1))
	for key := range l.Keys {
		place := key / o.BlockSize
		if l.Table[place] == paging.NullBlock {
			continue
		}
		for head := range o.KVHeads {
			at := place*size + 4*(head*o.BlockSize+key%o.BlockSize)*o.RowWords()
			decode(o.Type, blocks[at:at+4*o.RowWords()], rows[(key*o.KVHeads+head)*o.HeadDim:][:o.HeadDim])
		}
	}
	return rows
}

// decode reads a row of the KV cache.
func decode(t kernel.KVType, row []byte, to []float32) {
	scale := quant.F16ToF32(binary.LittleEndian.Uint16(row[len(row)-4:])) // of 8-bit rows
	for i := range to {
		switch t {
		case kernel.KVF16:
			to[i] = quant.F16ToF32(binary.LittleEndian.Uint16(row[2*i:]))
		case kernel.KVBF16:
			to[i] = quant.BF16ToF32(binary.LittleEndian.Uint16(row[2*i:]))
		case kernel.KVQ8:
			to[i] = scale * float32(int(row[i])-128)
		default:
			to[i] = math.Float32frombits(binary.LittleEndian.Uint32(row[4*i:]))
		}
	}
}
