// Package attention is the Go side of flash attention over block tables: its parameters and tiles, the work items that
// a step's rows become, and the recording of prefill, decode and merge.
package attention

import (
	"context"
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// Params specialise attention for the layers of one KV group.
type Params struct {
	HeadDim       int // up to MaxHeadDim
	Heads         int // query heads, a multiple of KVHeads
	KVHeads       int
	BlockSize     int
	KVType        kernel.KVType
	Group         int     // KV group whose block tables are walked
	QStride       int     // words from one token's queries to the next
	QOffset       int     // words before the first query head in a token's row
	OutStride     int     // words from one token's output to the next
	Scale         float32 // of q·k, usually 1/√HeadDim
	Window        int     // a query sees itself and Window-1 keys before it; 0 sees all
	Softcap       float32 // scores are bounded to ±Softcap by tanh; 0 leaves them
	Variant       string  // "" or "baseline"
	Deterministic bool    // every row through the prefill kernel, unsplit: one order of summation for each element
}

// MaxHeadDim is the largest head dim that the tiles serve.
const MaxHeadDim = 256

func (p Params) check() error {
	layout := kernel.KVLayout{HeadDim: p.HeadDim, KVHeads: p.KVHeads, BlockSize: p.BlockSize, Type: p.KVType}
	if err := layout.Check(); err != nil {
		return fmt.Errorf("attention: %w", err)
	}
	switch {
	case p.HeadDim > MaxHeadDim:
		return fmt.Errorf("attention: head dim %d, at most %d is supported", p.HeadDim, MaxHeadDim)
	case p.Heads < 1 || p.Heads%p.KVHeads != 0:
		return fmt.Errorf("attention: %d heads do not share %d KV heads evenly", p.Heads, p.KVHeads)
	case p.Group < 0 || p.Group >= kernel.MaxGroups:
		return fmt.Errorf("attention: KV group %d, there are at most %d", p.Group, kernel.MaxGroups)
	case p.QOffset < 0 || p.QStride < p.QOffset+p.Heads*p.HeadDim:
		return fmt.Errorf("attention: q stride %d is less than offset %d and the query heads", p.QStride, p.QOffset)
	case p.OutStride < p.Heads*p.HeadDim:
		return fmt.Errorf("attention: output stride %d is less than the query heads", p.OutStride)
	case p.Window < 0:
		return fmt.Errorf("attention: window %d is negative", p.Window)
	case !(p.Softcap >= 0):
		return fmt.Errorf("attention: softcap %v is negative", p.Softcap)
	case p.Variant != "" && p.Variant != "baseline":
		return fmt.Errorf("attention: no variant %q", p.Variant)
	}
	return nil
}

// Attention is flash attention for the layers of one KV group.
type Attention struct {
	device                 *gpu.Device
	params                 Params
	prefill, decode, merge *gpu.Kernel
	prefillTile            tile
	decodeTile             tile
}

// New starts compiling the kernels.
func New(d *gpu.Device, p Params) (*Attention, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	a := &Attention{device: d, params: p, prefillTile: prefillTile(p.HeadDim), decodeTile: decodeTile(p.HeadDim, p.Heads/p.KVHeads)}
	m, err := kernel.Module(d, p.spec(a.prefillTile, false))
	if err != nil {
		return nil, err
	}
	a.prefill = d.Kernel(m)
	if p.Deterministic {
		return a, nil
	}
	if m, err = kernel.Module(d, p.spec(a.decodeTile, true)); err != nil {
		return nil, err
	}
	a.decode = d.Kernel(m)
	if m, err = kernel.Module(d, p.mergeSpec(a.decodeTile)); err != nil {
		return nil, err
	}
	a.merge = d.Kernel(m)
	return a, nil
}

// Wait blocks until the kernels are compiled.
func (a *Attention) Wait(ctx context.Context) error {
	for _, k := range []*gpu.Kernel{a.prefill, a.decode, a.merge} {
		if k == nil {
			continue
		}
		if err := k.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p Params) spec(t tile, decode bool) kernel.Spec {
	items, finish := kernel.WordPrefillItems, "attention_direct"
	bindings := []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite}
	if decode {
		items, finish = kernel.WordDecodeItems, "attention_split"
		bindings = append(bindings, gpu.ReadWrite)
	}
	kv := "kv_" + p.KVType.String()
	if p.HeadDim%4 == 0 {
		kv += "x4"
	}
	return kernel.Spec{
		File: "attention", Variant: "baseline",
		Consts: append([]kernel.Const{
			{Name: "HEAD_DIM", Value: p.HeadDim}, {Name: "HEADS_PER_KV", Value: p.Heads / p.KVHeads},
			{Name: "KV_HEADS", Value: p.KVHeads}, {Name: "BLOCK_SIZE", Value: p.BlockSize}, {Name: "GROUP", Value: p.Group},
			{Name: "Q_STRIDE", Value: p.QStride}, {Name: "Q_OFFSET", Value: p.QOffset}, {Name: "OUT_STRIDE", Value: p.OutStride},
			{Name: "SCALE", Value: p.Scale}, {Name: "WINDOW", Value: p.Window}, {Name: "SOFTCAP", Value: p.Softcap},
			{Name: "ITEMS_WORD", Value: items},
		}, t.consts()...),
		Use:      map[string]string{"kv": kv, "finish": finish},
		Bindings: bindings,
	}
}

func (p Params) mergeSpec(t tile) kernel.Spec {
	return kernel.Spec{
		File: "attention_merge", Variant: "baseline",
		Consts: []kernel.Const{
			{Name: "HEAD_DIM", Value: p.HeadDim}, {Name: "HEADS_PER_KV", Value: p.Heads / p.KVHeads},
			{Name: "KV_HEADS", Value: p.KVHeads}, {Name: "OUT_STRIDE", Value: p.OutStride}, {Name: "BQ", Value: t.rows},
		},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	}
}

// Bindings are one layer's buffers bound to attention's kernels.
type Bindings struct{ prefill, decode, merge *gpu.BindGroup }

// Bind binds the step buffer, the queries [token][QStride], one layer's caches, the output [token][OutStride] and the
// partial results of split rows (PartialBytes; unused, and may be zero, in deterministic mode).
func (a *Attention) Bind(step, q, kCache, vCache, out, partials gpu.View) (*Bindings, error) {
	b := &Bindings{}
	var err error
	if b.prefill, err = a.device.Bind(a.prefill, step, q, kCache, vCache, out); err != nil {
		return nil, err
	}
	if a.params.Deterministic {
		return b, nil
	}
	if b.decode, err = a.device.Bind(a.decode, step, q, kCache, vCache, out, partials); err != nil {
		return nil, err
	}
	if b.merge, err = a.device.Bind(a.merge, step, partials, out); err != nil {
		return nil, err
	}
	return b, nil
}

// Record records a step's attention: its prefill items, its decode items, and the merges of those that are split. At
// most three dispatches; kinds of which there are none cost nothing.
func (a *Attention) Record(rec *gpu.Recorder, b *Bindings, prefillItems, decodeItems, merges int) {
	heads := uint32(a.params.KVHeads)
	x, z := kernel.Fold(prefillItems)
	rec.Dispatch(a.prefill, b.prefill, x, heads, z)
	if a.params.Deterministic {
		return
	}
	x, z = kernel.Fold(decodeItems)
	rec.Dispatch(a.decode, b.decode, x, heads, z)
	x, z = kernel.Fold(merges)
	rec.Dispatch(a.merge, b.merge, x, heads, z)
}
