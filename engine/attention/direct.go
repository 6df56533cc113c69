package attention

import (
	"fmt"
	"math/bits"

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

// inSubgroups fits a direct shape to an adapter's subgroups, with as many of its rows as the adapter has room for.
func (s shape) inSubgroups(headDim int, info gpu.AdapterInfo) shape {
	s.exchange = min(s.threadsX, info.SubgroupLanes())
	s.spread = info.Type == "discrete" || info.Type == "cpu" // elsewhere nobody has measured it
	s.near = info.Backend == "webgpu"                        // natively an H200 is slower by it
	for s.rows > 1 {
		if _, err := s.directTile(headDim, memoryLimit(info)); err == nil {
			break
		}
		s.rows = (s.rows + 1) / 2
	}
	return s
}

// directTile lays a direct shape out. Its keys become those that the workgroup takes at a time.
func (s shape) directTile(headDim, memory int) (tile, error) {
	t := tile{shape: s, columns: (headDim + 3) / 4, slabs: 1, element: 16, lanes: directLanes(headDim)}
	t.keys *= s.threadsX / t.lanes
	if t.directMemory() > memory {
		return t, fmt.Errorf("attention: tile %s does not fit %d bytes of workgroup memory at head dim %d", s.name, memory, headDim)
	}
	return t, nil
}

// directMemory returns the bytes of workgroup memory of a direct tile: of each subgroup the rows' states and outputs.
func (t tile) directMemory() int {
	return t.threadsX / max(1, t.exchange) * t.rows * (8 + 32*t.lanes)
}

// spreads reports whether the invocations that share a key of a direct tile share its scores: evenly, by whole rows.
func (t tile) spreads() bool {
	return t.spread && t.lanes > 1 && t.lanes%t.rows == 0 && t.scores()%t.lanes == 0
}

// scores are those of a group of lanes at a time.
func (t tile) scores() int { return t.keys * t.lanes / t.threadsX * t.rows }

// useWalk chooses who has scores and weights.
func (t tile) useWalk(s *kernel.Spec) {
	s.Slots["walk"], s.Slots["order"] = "decode_each", "none"
	if t.spreads() {
		s.Slots["walk"], s.Unrolled = "decode_spread", true
		s.Slots["order"] = "order_far"
		if t.near {
			s.Slots["order"] = "order_near"
		}
		s.Consts = append(s.Consts, kernel.Const{Name: "SCORES", Value: t.scores()}, kernel.Const{Name: "HALF", Value: t.scores() / 2},
			kernel.Const{Name: "OWN", Value: t.scores() / t.lanes}, kernel.Const{Name: "LEVELS", Value: bits.Len(uint(t.lanes)) - 1})
	}
}

// directSpec specialises shaders/attention_decode.wgsl for a tile, of which an item has several. Where a workgroup has few rows, their first keys
// are worth the registers to read them before the queries.
func (p Params) directSpec(t tile, parts int) kernel.Spec {
	s := p.itemSpec("attention_decode", t.name+"+subgroup", kernel.WordDecodeItems, []kernel.Const{
		{Name: "WORKGROUP", Value: t.threadsX}, {Name: "SUBGROUP", Value: t.exchange}, {Name: "LANES", Value: t.lanes},
		{Name: "ROWS", Value: t.rows}, {Name: "ITEM_TILES", Value: parts}, {Name: "EARLY", Value: t.early}, {Name: "KEYS", Value: t.keys * t.lanes / t.threadsX},
	}...)
	s.Needs = gpu.FeatureSubgroups
	s.Slots["finish"] = "attention_split"
	s.Bindings = append(s.Bindings, gpu.ReadWrite)
	t.useWalk(&s)
	switch {
	case p.HeadDim%8 == 0 && p.KVType == kernel.KVF16:
		s.Slots["eight"] = "eight_f16"
	case p.HeadDim%8 == 0 && p.KVType == kernel.KVBF16:
		s.Slots["eight"] = "eight_bf16"
	default:
		s.Slots["eight"], s.Slots["kv"] = "eight_any", p.kvLibrary()
	}
	p.keepLSE(&s)
	return s
}
