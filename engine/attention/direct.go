package attention

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// directLanes is how many invocations share a key of a direct tile, eight elements each; a power of two.
func directLanes(headDim int) int {
	lanes := 1
	for 8*lanes < headDim {
		lanes *= 2
	}
	return lanes
}

// directTile lays a direct shape out. Its keys become those that the workgroup takes at a time.
func (s shape) directTile(headDim int) tile {
	t := tile{shape: s, columns: (headDim + 3) / 4, slabs: 1, element: 16, lanes: directLanes(headDim)}
	t.keys *= s.threadsX / t.lanes
	return t
}

// directSpec specialises shaders/attention_decode.wgsl for a tile.
func (p Params) directSpec(t tile, info gpu.AdapterInfo) kernel.Spec {
	s := kernel.Spec{
		File: "attention_decode", Variant: t.name + "+subgroup",
		Consts: append(append(p.shapeConsts(), p.sightConsts()...), []kernel.Const{
			{Name: "BLOCK_SIZE", Value: p.BlockSize}, {Name: "GROUP", Value: p.Group},
			{Name: "Q_STRIDE", Value: p.QStride}, {Name: "Q_OFFSET", Value: p.QOffset},
			{Name: "SCALE", Value: p.Scale}, {Name: "ITEMS_WORD", Value: kernel.WordDecodeItems},
			{Name: "WORKGROUP", Value: t.threadsX}, {Name: "SUBGROUP", Value: min(t.threadsX, subgroupLanes(info))}, {Name: "LANES", Value: t.lanes},
			{Name: "ROWS", Value: t.rows}, {Name: "KEYS", Value: t.keys * t.lanes / t.threadsX},
		}...),
		Use: map[string]string{
			"keys": "keys_blocks", "kv": p.kvLibrary(), "q": p.qLibrary(), "eight": "eight_any", "lse": "lse_none", "finish": "attention_split",
		},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite},
		Needs:    gpu.FeatureSubgroups,
	}
	if p.Contiguous {
		s.Use["keys"] = "keys_rows"
	}
	if p.HeadDim%8 == 0 {
		switch p.KVType {
		case kernel.KVF16:
			s.Use["eight"] = "eight_f16"
		case kernel.KVBF16:
			s.Use["eight"] = "eight_bf16"
		}
	}
	p.keepLSE(&s)
	return s
}
