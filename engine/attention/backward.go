package attention

import (
	"context"
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// Backward is the backward pass of flash attention over contiguous sequences (FlashAttention-2, arXiv 2307.08691,
// algorithm 2). P is recomputed from the LSE and nothing quadratic is stored; instead of atomic sums one dispatch owns dK
// and dV by key tile, another dQ by query tile, so that gradients have the same bits on every run.
type Backward struct {
	device               *gpu.Device
	params               Params
	tile                 backwardTile
	delta, keys, queries *gpu.Kernel

	keysWalk, queriesWalk walk       // the queries that key tiles walk, and the keys that query tiles walk
	launches              []gpu.View // what tells walks in parts which launch they are
}

// NewBackward starts compiling the kernels. p is the forward pass's, contiguous and with its LSE; Variant is "" or one of
// BackwardTiles.
func NewBackward(d *gpu.Device, p Params) (*Backward, error) {
	if err := p.checkBackward(); err != nil {
		return nil, err
	}
	t, err := p.backwardTile(d.Info())
	if err != nil {
		return nil, err
	}
	b := &Backward{device: d, params: p, tile: t}
	if kind := d.Info().Type; p.MaxTurns == 0 && (kind == "discrete" || kind == "integrated") {
		p.MaxTurns = backwardTurns
	}
	keys, queries := p.backwardSpec(t, true), p.backwardSpec(t, false)
	if b.keysWalk, err = p.walkedBackward(&keys, t.walked()); err != nil {
		return nil, err
	}
	if b.queriesWalk, err = p.walkedBackward(&queries, t.walked()); err != nil {
		return nil, err
	}
	if n := max(b.keysWalk.launches(p.MaxKeys), b.queriesWalk.launches(p.MaxKeys)); n > 1 {
		if b.launches, err = kernel.NewSpans(d, n); err != nil {
			return nil, err
		}
	}
	for _, k := range []struct {
		kernel **gpu.Kernel
		spec   kernel.Spec
	}{
		{&b.delta, p.deltaSpec()},
		{&b.keys, keys},
		{&b.queries, queries},
	} {
		m, err := kernel.Module(d, k.spec)
		if err != nil {
			return nil, err
		}
		*k.kernel = d.Kernel(m)
	}
	return b, nil
}

// backwardTurns bounds the turns on GPUs, whose drivers count none: there each launch more only costs time, and a backward
// pass, which walks all query heads of a KV head, would need many.
const backwardTurns = 16 * kernel.MaxTurns

func (p Params) checkBackward() error {
	if err := p.check(); err != nil {
		return err
	}
	switch {
	case p.HeadDim > maxBackwardDim:
		return fmt.Errorf("attention: backward: head dim %d, at most %d has gradients", p.HeadDim, maxBackwardDim)
	case !p.Contiguous:
		return fmt.Errorf("attention: backward: K and V in blocks: only Contiguous has gradients")
	case !p.LSE:
		return fmt.Errorf("attention: backward: it starts from the forward pass's LSE: set LSE")
	case p.KVType == kernel.KVQ8:
		return fmt.Errorf("attention: backward: K and V of type %v have no gradients", p.KVType)
	}
	return nil
}

// Wait blocks until the kernels are compiled.
func (b *Backward) Wait(ctx context.Context) error {
	for _, k := range []*gpu.Kernel{b.delta, b.keys, b.queries} {
		if err := k.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p Params) deltaSpec() kernel.Spec {
	return kernel.Spec{
		File: "attention_backward_delta", Variant: "baseline",
		Consts:   []kernel.Const{{Name: "HEAD_DIM", Value: p.HeadDim}, {Name: "HEADS", Value: p.Heads}, {Name: "OUT_STRIDE", Value: p.OutStride}},
		Slots:    map[string]string{"gradient": p.gradientRows()},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	}
}

func (p Params) backwardSpec(t backwardTile, ownKeys bool) kernel.Spec {
	side, items := "backward_queries", kernel.WordPrefillItems
	if ownKeys {
		side, items = "backward_keys", kernel.WordDecodeItems
	}
	s := p.itemSpec("attention_backward_tile", t.name, items, append(t.consts(ownKeys), kernel.Const{Name: "HEADS", Value: p.Heads})...)
	s.Slots["kv"], s.Slots["gradient"], s.Slots["side"] = p.kvLibrary(), p.gradientRows(), side
	s.Bindings = []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite}
	if ownKeys {
		s.Bindings = append(s.Bindings, gpu.ReadWrite)
	}
	return s
}

func (p Params) gradientRows() string {
	if p.HeadDim%4 == 0 && p.OutStride%4 == 0 {
		return "gradient_f32x4"
	}
	return "gradient_f32"
}

// Gradients are the buffers of a backward pass. Step is Plan's, Q, K, V, Out and LSE are the forward pass's, DOut is the
// gradient by Out and has its form. DQ comes out as [token][Heads][HeadDim], DK and DV as [token][KVHeads][HeadDim], f32
// without gaps. Scratch has ScratchBytes.
type Gradients struct{ Step, Q, K, V, Out, LSE, DOut, DQ, DK, DV, Scratch gpu.View }

// BackwardBindings are Gradients bound to the kernels.
type BackwardBindings struct {
	delta         *gpu.BindGroup
	keys, queries []*gpu.BindGroup // a launch of a walk each
}

// ScratchBytes returns the size of the scratch buffer for so many query tokens: what grows is linear.
func (b *Backward) ScratchBytes(tokens int) uint64 {
	return 8 * uint64(max(1, tokens)) * uint64(b.params.Heads)
}

// Bind binds the buffers; it waits for kernels that still compile.
func (b *Backward) Bind(g Gradients) (*BackwardBindings, error) {
	var bound BackwardBindings
	var err error
	if bound.delta, err = b.device.Bind(b.delta, g.Step, g.Out, g.DOut, g.LSE, g.Scratch); err != nil {
		return nil, err
	}
	if bound.keys, err = b.bindWalk(b.keys, b.keysWalk, g.Step, g.Q, g.K, g.V, g.DOut, g.Scratch, g.DK, g.DV); err != nil {
		return nil, err
	}
	if bound.queries, err = b.bindWalk(b.queries, b.queriesWalk, g.Step, g.Q, g.K, g.V, g.DOut, g.Scratch, g.DQ); err != nil {
		return nil, err
	}
	return &bound, nil
}

func (b *Backward) bindWalk(k *gpu.Kernel, w walk, views ...gpu.View) ([]*gpu.BindGroup, error) {
	if w.parts {
		return kernel.BindSpans(b.device, k, b.launches, views)
	}
	group, err := b.device.Bind(k, views...)
	return []*gpu.BindGroup{group}, err
}

// Release gives what Backward has on the GPU beside its kernels back.
func (b *Backward) Release() { kernel.ReleaseSpans(b.launches) }

// deltaRows is how many query rows a workgroup of the delta kernel takes.
const deltaRows = 64

// Record records the gradients of a launch that Plan laid out in d: three dispatches, and where a sequence is longer than one
// launch walks, more.
func (b *Backward) Record(rec *gpu.Recorder, bound *BackwardBindings, d *kernel.StepData) {
	x, z := kernel.Fold((len(d.Tokens)*b.params.Heads + deltaRows - 1) / deltaRows)
	rec.Dispatch(b.delta, bound.delta, x, 1, z)
	queries, keys := 0, 0
	for i := range d.Rows {
		r := &d.Rows[i]
		queries, keys = max(queries, int(r.Count)), max(keys, int(int32(r.Start))+int(r.Count))
	}
	y, z := kernel.Fold(len(d.Decode))
	for _, group := range bound.keys[:b.keysWalk.launches(queries)] {
		rec.Dispatch(b.keys, group, uint32(b.params.KVHeads), y, z)
	}
	y, z = kernel.Fold(len(d.Prefill))
	for _, group := range bound.queries[:b.queriesWalk.launches(keys)] {
		rec.Dispatch(b.queries, group, uint32(b.params.Heads), y, z)
	}
}
