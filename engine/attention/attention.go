// Package attention is the Go side of flash attention: its parameters and tiles, the work items that a launch's sequences
// become, and the recording of prefill, decode and merge.
package attention

import (
	"context"
	"fmt"
	"slices"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// Attention is flash attention for the layers of one KV group, or on its own.
type Attention struct {
	device                  *gpu.Device
	params                  Params
	prefill, decode, merge  *gpu.Kernel
	prefillTile, decodeTile tile
	walk                    walk // of prefill
	many                    many
	few                     few
	launches                []gpu.View // what tells a walk in parts which launch it is
	splitMost, mergeMost    int        // keys of a decode item, and partial results of a merge

	// Of keys that rows share.
	sharedModule *gpu.Module // nil: they do not
	shared       *gpu.Kernel // nil: it does not compile before they do
	sharedTile   tile
	sharedMost   int         // keys of an item
	unshared     []*Bindings // that wait for the kernel
}

// New starts compiling the kernels.
func New(d *gpu.Device, p Params) (*Attention, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	c, err := p.choose(d.Info())
	if err != nil {
		return nil, err
	}
	return newOf(d, p, c)
}

// newOf takes a choice.
func newOf(d *gpu.Device, p Params, c choice) (a *Attention, err error) {
	a = &Attention{device: d, params: p}
	if err = a.newMany(c); err != nil {
		return nil, err
	}
	if a.prefillTile, err = c.prefill.tile(p.HeadDim, memoryLimit(d.Info()), c.f16); err != nil {
		return nil, err
	}
	if a.decodeTile, err = c.decode.tile(p.HeadDim, memoryLimit(d.Info()), c.f16); err != nil {
		return nil, err
	}
	prefill := p.spec(a.prefillTile, c, d.Info())
	if c.prefill.wide {
		prefill = p.wideSpec(a.prefillTile, c, d.Info(), a.many.parts)
	}
	if c.prefill.square {
		prefill = p.squareSpec(a.prefillTile, c, d.Info())
	}
	if c.matrix != nil {
		a.prefillTile = tile{shape: shape{name: c.matrix.name, rows: c.matrix.rows(), keys: c.matrix.keys}}
		prefill = p.matrixSpec(*c.matrix, int(d.Info().SubgroupMax), false)
		a.walk = walk{tiles: farthest / c.matrix.keys, keys: c.matrix.keys}
	} else if a.walk, err = p.walked(&prefill, a.prefillTile); err != nil {
		return nil, err
	}
	if a.walk.parts {
		if a.launches, err = kernel.NewSpans(d, a.walk.launches(p.MaxKeys)); err != nil {
			return nil, err
		}
	}
	if a.prefill, err = a.compile(prefill); err != nil || p.Deterministic {
		return a, err
	}
	decode := p.directSpec(a.decodeTile, 1)
	if !c.decode.direct {
		decode = p.spec(a.decodeTile, c, d.Info())
		decode.Slots["walk"] = "walk_whole"
	}
	w, err := p.whole(&decode, a.decodeTile.keys)
	if err != nil {
		return nil, err
	}
	a.splitMost = w.most()
	if a.decode, err = a.compile(decode); err != nil {
		return nil, err
	}
	if err = a.newFew(c); err != nil {
		return nil, err
	}
	merge := p.mergeSpec(a.decodeTile)
	if a.mergeMost, err = p.fit(p.mergeLanes(), func(n int) kernel.Spec { return atMost(merge, "MERGED", n) }); err != nil {
		return nil, err
	}
	if a.merge, err = a.compile(atMost(merge, "MERGED", a.mergeMost)); err != nil {
		return nil, err
	}
	return a, a.newShared(c)
}

// mergeLanes is how many items attention_merge takes at a time: as many as invocations, which own a row's columns.
func (p Params) mergeLanes() int {
	if p.HeadDim > 256 {
		return 128
	}
	return 64
}

// Release gives what Attention has on the GPU beside its kernels back.
func (a *Attention) Release() { kernel.ReleaseSpans(a.launches) }

func (a *Attention) compile(s kernel.Spec) (*gpu.Kernel, error) {
	m, err := kernel.Module(a.device, s)
	if err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	return a.device.Kernel(m), nil
}

// Wait blocks until the kernels are compiled.
func (a *Attention) Wait(ctx context.Context) error {
	kernels := []*gpu.Kernel{a.prefill, a.decode, a.merge, a.shared, a.few.kernel}
	if !a.params.ManyLate {
		kernels = append(kernels, a.many.kernel)
	}
	for _, k := range kernels {
		if k == nil {
			continue
		}
		if err := k.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// spec specialises shaders/attention.wgsl for a tile.
func (p Params) spec(t tile, c choice, info gpu.AdapterInfo) kernel.Spec {
	items, finish := kernel.WordPrefillItems, "attention_whole"
	if t.decode {
		items, finish = kernel.WordDecodeItems, "attention_split"
	}
	s := p.itemSpec("attention", t.name, items, t.consts()...)
	s.Slots["kv"], s.Slots["stage"], s.Slots["rows"], s.Slots["finish"] = p.kvLibrary(), "stage_f32", "attention_rows_workgroup", finish
	if t.decode {
		s.Bindings = append(s.Bindings, gpu.ReadWrite)
	}
	if c.f16 {
		s.Slots["stage"] = "stage_f16"
		s.Variant, s.Needs = s.Variant+"+f16", s.Needs|gpu.FeatureF16
	}
	if c.subgroup {
		s.Slots["rows"] = "attention_rows_subgroup"
		s.Consts = append(s.Consts, kernel.Const{Name: "LANES", Value: min(t.threadsX, info.SubgroupLanes())})
		s.Variant, s.Needs = s.Variant+"+subgroup", s.Needs|gpu.FeatureSubgroups
	}
	p.keepLSE(&s)
	return s
}

func (p Params) mergeSpec(t tile) kernel.Spec {
	s := kernel.Spec{
		File: "attention_merge", Variant: "baseline",
		Consts: append(p.shapeConsts(), kernel.Const{Name: "BQ", Value: t.rows}, kernel.Const{Name: "LANES", Value: p.mergeLanes()},
			kernel.Const{Name: "MERGES_WORD", Value: kernel.ListWord(kernel.WordMerges, p.List)}),
		Slots:    map[string]string{},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	}
	p.keepLSE(&s)
	return s
}

// Operands are the buffers of a launch: the step buffer, the queries [token][QStride], K and V, the output
// [token][OutStride], the partial results of split rows (PartialBytes; unused in deterministic mode), with Params.LSE the
// log-sum-exp [token][Heads], and the states of walks in parts (WalkBytes; unused where that is 0).
type Operands struct{ Step, Q, K, V, Out, Partials, LSE, Walks gpu.View }

// Bindings are one layer's buffers bound to attention's kernels.
type Bindings struct {
	prefill       []*gpu.BindGroup // a launch of a walk each
	many          *gpu.BindGroup   // nil: not yet
	decode, merge *gpu.BindGroup
	shared, few   *gpu.BindGroup
	operands      Operands
}

// Bind binds a layer's buffers; it waits for kernels that still compile.
func (a *Attention) Bind(o Operands) (*Bindings, error) {
	var lse []gpu.View
	if a.params.LSE {
		lse = []gpu.View{o.LSE}
	}
	b := &Bindings{operands: o}
	var err error
	views := []gpu.View{o.Step, o.Q, o.K, o.V, o.Out}
	whole := append(slices.Clip(views), lse...)
	if a.walk.parts {
		b.prefill, err = kernel.BindSpans(a.device, a.prefill, a.launches, append(whole, o.Walks))
	} else {
		b.prefill = make([]*gpu.BindGroup, 1)
		b.prefill[0], err = a.device.Bind(a.prefill, whole...)
	}
	if err != nil || a.params.Deterministic {
		return b, err
	}
	whole = append(append(views, o.Partials), lse...)
	if b.decode, err = a.device.Bind(a.decode, whole...); err != nil {
		return nil, err
	}
	if a.few.kernel != nil {
		if b.few, err = a.device.Bind(a.few.kernel, whole...); err != nil {
			return nil, err
		}
	}
	if b.merge, err = a.device.Bind(a.merge, append([]gpu.View{o.Step, o.Partials, o.Out}, lse...)...); err != nil {
		return nil, err
	}
	if a.shared == nil {
		a.unshared = append(a.unshared, b)
		return b, nil
	}
	return b, a.bindShared(b)
}

// Record records a step's attention: its prefill items, its decode items, those of shared keys, and the merges of those that
// are split. At most four dispatches, and where a sequence has more keys than one launch walks, another for each further part; kinds of
// which there are none cost nothing.
func (a *Attention) Record(rec *gpu.Recorder, b *Bindings, s *kernel.StepData) {
	list := s.List(a.params.List)
	a.record(rec, b, s, a.useMany(b, list.Prefill), a.useFew(list.Decode))
}

// record takes the kernels of many rows and of few items, or the others.
func (a *Attention) record(rec *gpu.Recorder, b *Bindings, s *kernel.StepData, many, few bool) {
	heads, list := uint32(a.params.KVHeads), s.List(a.params.List)
	y, z := kernel.Fold(len(list.Prefill))
	if many {
		rec.Dispatch(a.many.kernel, b.many, heads, y, z)
	} else {
		for _, group := range b.prefill[:min(a.walk.launches(longest(list.Prefill)), len(b.prefill))] {
			rec.Dispatch(a.prefill, group, heads*uint32(a.many.parts), y, z)
		}
	}
	if a.params.Deterministic {
		return
	}
	y, z = kernel.Fold(len(list.Decode))
	if few {
		rec.Dispatch(a.few.kernel, b.few, heads*uint32(a.few.parts), y, z)
	} else {
		rec.Dispatch(a.decode, b.decode, heads, y, z)
	}
	if len(list.Shared) > 0 {
		y, z = kernel.Fold(len(list.Shared))
		rec.Dispatch(a.shared, b.shared, heads, y, z)
	}
	x, z := kernel.Fold(len(list.Merges))
	rec.Dispatch(a.merge, b.merge, x, heads*uint32(a.decodeTile.rows), z)
}

// longest is the most keys of an item.
func longest(items []kernel.Item) int {
	most := uint32(0)
	for i := range items {
		most = max(most, items[i].KeyEnd-items[i].KeyBegin)
	}
	return int(most)
}
