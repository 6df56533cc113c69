package model

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// behind is how few rows go through a product that adds to the residual stream on large GPUs, where adapters change it: without them, and what
// they add comes behind it. It is a dispatch more, but one that others wait for for less long than for a product that adds.
type behind struct {
	*linear
	add   *kernel.LoRAAdd
	bound *gpu.BindGroup
}

// behindFewest and behindMost bound its rows.
const (
	behindFewest = 5
	behindMost   = 8
)

// behind makes it, of a product's parameters and views; nil where the product goes as others do.
func (g *Graph) behind(p *product, in *room, params kernel.LinearParams, views func() kernel.LinearViews) *behind {
	if !p.add || p.joined() || p.x.norm != nil || len(p.weights) != 1 || p.scale != 0 && p.scale != 1 || g.options.Deterministic || !kernel.SharesFewRows(g.linearVariant, g.Device().Info()) {
		return nil
	}
	params.Adapters, params.MinRows, params.MaxRows = nil, behindFewest, behindMost
	add, err := kernel.NewLoRAAdd(g.Device(), in.params, params.YStride)
	if err != nil {
		g.Fail(err)
		return nil
	}
	g.Await(add)
	made := &behind{linear: g.linear(params, views), add: add}
	if made.linear == nil {
		return nil
	}
	y := g.view(p.y)
	g.Add(func() (err error) {
		made.bound, err = add.Bind(g.step, g.Resolve(y), in.b)
		return err
	}, nil)
	return made
}

// joined tells whether what comes out is no sum of what is added.
func (p *product) joined() bool { return p.gated != "" || p.activated != "" || p.cap > 0 }

// takes says whether rows of a step go so.
func (b *behind) takes(in *room, s *kernel.StepData, rows int) bool {
	return b != nil && in.used && s.Adapted() && rows >= behindFewest && rows <= behindMost
}

// record records them.
func (b *behind) record(g *Graph, in *room, rec *gpu.Recorder, s *kernel.StepData, rows int) {
	way := b.Way(b.linear.bound, rows)
	g.lacks = g.lacks || way.Late
	b.RecordBy(way, rec, b.linear.bound, rows)
	in.record(rec, s, rows, false) // behind the product, which it would delay
	b.add.Record(rec, b.bound, rows)
}
