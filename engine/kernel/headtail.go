package kernel

import (
	"slices"

	"quire/engine/gpu"
)

// HeadTail has a product's kernels for one row, and on large GPUs those for some, do what RopeStore does with the rows of q, k and v
// that come out: see shaders/lib/heads.wgsl. The product's YOffset is where its rows lie among those of q, k and v, and its x is the
// residual stream.
type HeadTail struct{ RopeStoreParams }

// HeadViews are the buffers of a HeadTail: those of a RopeStore but x, which is the Linear's. Bias is for RopeStoreParams.Bias only.
type HeadViews struct{ Table, K, V, Bias gpu.View }

// canStore says whether the product's kernels may have its HeadTail on this adapter. All of a word and both of a pair
// come out of one group's rows; a row of 8-bit integers needs more.
func (p *LinearParams) canStore(limits gpu.Limits) bool {
	h := p.Heads
	dim := h.Layout.HeadDim
	buffers := 9
	if h.Bias {
		buffers++
	}
	if p.Adapters != nil {
		buffers++
	}
	return p.Norm && !p.Gather && !p.Deterministic && p.Variant != "baseline" && len(p.Matrix.Pieces) == 1 && !h.Queries && h.Layout.Type != KVQ8 &&
		dim%4 == 0 && h.RotaryDim%4 == 0 && p.YOffset%dim == 0 && p.Matrix.Rows%dim == 0 && int(limits.MaxStorageBuffersPerShaderStage) >= buffers
}

// AgreeOnHeads has products that give the rows of q, k and v together do their HeadTail of the same numbers of rows: what one of them
// has turned and another has not is of no use to either kernel.
func AgreeOnHeads(limits gpu.Limits, all []LinearParams) {
	lacking := slices.ContainsFunc(all, func(p LinearParams) bool { return p.Heads == nil || !p.canStore(limits) })
	for i := range all {
		if lacking {
			all[i].Heads = nil
		}
		all[i].apart = len(all) > 1
	}
}

// storesHeads says whether kernels for m rows have the HeadTail. Of products that give q, k and v together all take the same ways for up to
// eight rows.
func (p *LinearParams) storesHeads(m int) bool {
	return p.Heads != nil && (m <= max(1, p.headRows) || p.large && (m <= 8 || !p.apart))
}

// ofHeads is the shape with a tail of heads: four rows are stored by an invocation of their own.
func (s matvecShape) ofHeads(m int, subgroup uint32) matvecShape {
	s.tile = max(4, s.tile)
	s.lanes = max(s.lanes, s.tile/4*m)
	if s.lanes > int(subgroup) && m > 4 { // sums go through workgroup memory, which has room for so many
		s.workgroup = 64
	}
	return s
}

// storeHeads makes of a kernel's spec one that stores heads, by a library of a slot.
func (p *LinearParams) storeHeads(s *Spec, slot, library string) {
	h := p.Heads
	unused := []string{"FIRST", "BIAS", "UPS", "SCALE", "ADD", "GATED", "ACTIVATED", "CAP"}
	if p.Adapters != nil {
		unused = unused[1:]
	}
	s.Consts = slices.DeleteFunc(s.Consts, func(c Const) bool { return slices.Contains(unused, c.Name) })
	delete(s.Slots, "activation")
	s.Bindings = []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite}
	s.Consts = append(s.Consts,
		Const{"HEADS", h.Heads}, Const{"KV_HEADS", h.kvHeads()}, Const{"HEAD_DIM", h.Layout.HeadDim}, Const{"GROUP", h.Group},
		Const{"BLOCK_SIZE", h.Layout.BlockSize}, Const{"BLOCK_PAD", h.Layout.Pad}, Const{"ROTARY_DIM", h.RotaryDim}, Const{"ADJACENT", h.Adjacent},
		Const{"TABLE_ROW", h.tableRow()}, Const{"GROWING", h.Growing}, Const{"TABLE_BINDING", 6}, Const{"K_BINDING", 7}, Const{"V_BINDING", 8})
	s.Slots[slot], s.Slots["kv_store"], s.Slots["bias"] = library, "kv_store_"+h.Layout.Type.String(), "bias_none"
	if h.Bias {
		s.Slots["bias"] = "bias_add"
		s.Consts = append(s.Consts, Const{"BIAS_BINDING", len(s.Bindings)})
		s.Bindings = append(s.Bindings, gpu.ReadOnly)
	}
	s.Shape, s.Variant = s.Shape+" heads", "heads" // no baseline: it binds more buffers
}

// headViews are what the kernels with a tail of heads bind of a piece.
func (p *LinearParams) headViews(v LinearViews, piece Piece) []gpu.View {
	views := []gpu.View{v.Step, piece.codes, piece.scales, v.X, v.Y, v.Norm, v.Heads.Table, v.Heads.K, v.Heads.V}
	if p.Heads.Bias {
		views = append(views, v.Heads.Bias)
	}
	return views
}

// stores says whether kernels of a way have the HeadTail.
func (w *way) stores(p *LinearParams) bool {
	switch few := w.shape.(type) {
	case matvecWay:
		return p.storesHeads(few.rows)
	case skinnyWay:
		return p.storesHeads(few.rows)
	case stripsWay:
		return p.storesHeads(few.rows)
	}
	return false
}
