package attention

import (
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// Of shaders/attention_wide.wgsl: elements of the head dim in a slab of Q and K, and bound of the vec4s in a piece of V.
const (
	wideDepth  = 32
	widePieces = 512
)

// wideTile lays a wide shape out.
func (s shape) wideTile(headDim, memory int) (tile, error) {
	t := tile{shape: s, columns: (headDim + 3) / 4, slabs: 1, element: 16}
	if t.memory() > memory {
		return t, fmt.Errorf("attention: tile %s does not fit %d bytes of workgroup memory at head dim %d", s.name, memory, headDim)
	}
	return t, nil
}

// wideStage returns the vectors of workgroup memory that take weights, or a slab of Q and K.
func (t tile) wideStage() int {
	line := t.rows/4 + 1
	return max(t.keys*line, wideDepth*(line+t.keys/4+1))
}

// wideMemory returns the bytes of workgroup memory of a wide tile: its stage and a piece of V.
func (t tile) wideMemory() int { return t.element * (t.wideStage() + t.wideKeys()*t.columns) }

// wideKeys is how many keys of V a wide tile stages at a time.
func (t tile) wideKeys() int {
	n := t.keys
	for n*t.columns > widePieces {
		n /= 2
	}
	return n
}

// wideSpec specialises shaders/attention_wide.wgsl for a tile, of which an item has so many.
func (p Params) wideSpec(t tile, c choice, info gpu.AdapterInfo, parts int) kernel.Spec {
	s := p.itemSpec("attention_wide", t.name, kernel.WordPrefillItems, []kernel.Const{
		{Name: "TY", Value: t.threadsY}, {Name: "RG", Value: t.rows / 4 / t.threadsY}, {Name: "RC", Value: (t.columns + 15) / 16},
		{Name: "DEPTH", Value: wideDepth}, {Name: "STAGE", Value: t.wideStage()}, {Name: "VK", Value: t.wideKeys()}, {Name: "ITEM_TILES", Value: parts},
	}...)
	s.Slots["kv"], s.Slots["rows"], s.Slots["finish"] = p.kvLibrary(), "wide_rows_workgroup", "attention_whole"
	if c.subgroup && info.SubgroupLanes() >= t.threadsX {
		s.Slots["rows"] = "wide_rows_subgroup"
		s.Variant, s.Needs = s.Variant+"+subgroup", gpu.FeatureSubgroups
	}
	p.keepLSE(&s)
	return s
}
