package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// RopeStoreParams specialise RopeStore.
type RopeStoreParams struct {
	Layout    KVLayout
	Heads     int
	Group     int  // KV group whose slot mapping is written through
	Stride    int  // words from one token's row of qkv to the next
	RotaryDim int  // even, at most the head dim; what lies behind passes through; 0 rotates nothing
	Adjacent  bool // pairs (2i, 2i+1), as llama has them; otherwise (i, i + RotaryDim/2)
	Growing   bool // a position's row of the table ends with what q is multiplied by, and 0
	Bias      bool // add a bias vector [(Heads + 2·KVHeads)·HeadDim] first
	Queries   bool // rows hold q alone, and nothing is stored
	// Residual is the stride in words of the residual stream's rows: a token whose q, k or v is infinity or NaN gets a NaN into
	// its row. 0: none is bound.
	Residual int
}

// RopeStore rotates q in place by each token's position (RoFormer, arXiv 2104.09864), rotates k and writes k and v into
// the paged caches through the slot mapping; slot -1 writes nothing. Its table holds [position][RotaryDim/2](cos, sin).
type RopeStore struct {
	device *gpu.Device
	kernel *gpu.Kernel
	params RopeStoreParams
	groups uint32
}

// NewRopeStore starts compiling the kernel.
func NewRopeStore(d *gpu.Device, p RopeStoreParams) (*RopeStore, error) {
	if err := p.Layout.Check(); err != nil {
		return nil, err
	}
	dim, kvHeads := p.Layout.HeadDim, p.kvHeads()
	switch {
	case p.RotaryDim < 0 || p.RotaryDim%2 != 0 || p.RotaryDim > dim:
		return nil, fmt.Errorf("kernel: rope_store: rotary dim %d must be even and at most the head dim %d", p.RotaryDim, dim)
	case p.Heads < 1 || p.Heads%p.Layout.KVHeads != 0:
		return nil, fmt.Errorf("kernel: rope_store: %d heads do not share %d KV heads evenly", p.Heads, p.Layout.KVHeads)
	case p.Stride < (p.Heads+2*kvHeads)*dim:
		return nil, fmt.Errorf("kernel: rope_store: stride %d is less than a row of q, k and v", p.Stride)
	case p.Group < 0 || p.Group >= MaxGroups:
		return nil, fmt.Errorf("kernel: rope_store: KV group %d, there are at most %d", p.Group, MaxGroups)
	}
	spec := p.spec()
	if p.Bias {
		spec.Slots["bias"] = "bias_add"
		spec.Consts = append(spec.Consts, Const{"BIAS_BINDING", len(spec.Bindings)})
		spec.Bindings = append(spec.Bindings, gpu.ReadOnly)
	}
	if p.Residual > 0 {
		spec.Slots["spoil"] = "spoil_row"
		spec.Consts = append(spec.Consts, Const{"SPOIL_BINDING", len(spec.Bindings)}, Const{"SPOIL_STRIDE", p.Residual})
		spec.Bindings = append(spec.Bindings, gpu.ReadWrite)
	}
	m, err := Module(d, spec)
	if err != nil {
		return nil, err
	}
	return &RopeStore{device: d, kernel: d.Kernel(m), params: p, groups: p.groups()}, nil
}

// kvHeads are those whose k and v are stored.
func (p RopeStoreParams) kvHeads() int {
	if p.Queries {
		return 0
	}
	return p.Layout.KVHeads
}

func (p RopeStoreParams) spec() Spec {
	spec := Spec{
		File: "rope_store", Variant: "baseline",
		Consts: []Const{
			{"HEAD_DIM", p.Layout.HeadDim}, {"HEADS", p.Heads}, {"KV_HEADS", p.kvHeads()}, {"BLOCK_SIZE", p.Layout.BlockSize}, {"BLOCK_PAD", p.Layout.Pad},
			{"GROUP", p.Group}, {"STRIDE", p.Stride}, {"ROTARY_DIM", p.RotaryDim}, {"ADJACENT", p.Adjacent}, {"GROWING", p.Growing}, {"TABLE_ROW", p.tableRow()},
		},
		Slots:    map[string]string{"bias": "bias_none", "spoil": "spoil_none"},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite},
	}
	switch {
	case p.Queries:
		spec.Slots["kv_store"] = "kv_store_f32"
	case p.Layout.Type == KVQ8:
		spec.File = "rope_store_q8"
		spec.Consts = append(spec.Consts, Const{"LANES", p.lanes()})
	default:
		spec.Slots["kv_store"] = "kv_store_" + p.Layout.Type.String()
	}
	return spec
}

// tableRow is how many floats of the table a position has.
func (p RopeStoreParams) tableRow() int {
	if p.Growing {
		return p.RotaryDim + 2
	}
	return p.RotaryDim
}

// lanes is how many invocations share an 8-bit row, whose scale needs all its elements.
func (p RopeStoreParams) lanes() int {
	lanes := 1
	for lanes < min(64, p.Layout.RowWords()-1) {
		lanes *= 2
	}
	return lanes
}

// groups is the number of workgroups that a token takes.
func (p RopeStoreParams) groups() uint32 {
	queries := p.Heads * ((p.Layout.HeadDim + 1) / 2)
	if p.Layout.Type == KVQ8 && !p.Queries {
		return uint32(ceilDiv(queries, 64) + ceilDiv(2*p.Layout.KVHeads*p.lanes(), 64))
	}
	return uint32(ceilDiv(queries+2*p.kvHeads()*p.Layout.RowWords(), 64))
}

// Wait blocks until the kernel is compiled.
func (k *RopeStore) Wait(ctx context.Context) error { return k.kernel.Wait(ctx) }

// Bind binds the step buffer, qkv [token][stride], the cos/sin table and the caches; then the bias with
// RopeStoreParams.Bias, and the residual stream with RopeStoreParams.Residual.
func (k *RopeStore) Bind(step, qkv, table, kCache, vCache gpu.View, more ...gpu.View) (*gpu.BindGroup, error) {
	want := 0
	if k.params.Bias {
		want++
	}
	if k.params.Residual > 0 {
		want++
	}
	if len(more) != want {
		return nil, fmt.Errorf("kernel: rope_store: %d further buffers bound, Bias is %t and Residual %d", len(more), k.params.Bias, k.params.Residual)
	}
	return k.device.Bind(k.kernel, append([]gpu.View{step, qkv, table, kCache, vCache}, more...)...)
}

// Record records the kernel for the step's tokens.
func (k *RopeStore) Record(rec *gpu.Recorder, g *gpu.BindGroup, tokens int) {
	y, z := Fold(tokens)
	rec.Dispatch(k.kernel, g, k.groups, y, z)
}
