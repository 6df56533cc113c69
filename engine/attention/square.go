package attention

import (
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// squareDepth is, of shaders/attention_square.wgsl, the elements of the head dim in a slab, and the most keys in a piece of V.
const squareDepth = 16

// squareTile lays a square shape out, with pieces of V as large as fit.
func (s shape) squareTile(headDim, memory int) (tile, error) {
	t := tile{shape: s, columns: (headDim + 3) / 4, slabs: 1, element: 16}
	for t.piece = min(squareDepth, s.keys/squareTurns/2); t.piece > 4 && (t.memory() > memory || t.piece*t.columns > 2*t.threads()); t.piece /= 2 {
	}
	if t.memory() > memory {
		return t, fmt.Errorf("attention: tile %s does not fit %d bytes of workgroup memory at head dim %d", s.name, memory, headDim)
	}
	return t, nil
}

// squareTurns are the parts of a square tile's weights that go through workgroup memory one after another.
const squareTurns = 2

// squareSpread is what a line of workgroup memory is longer by than what is in it, in vec4s.
const squareSpread = 2

// squareLines are the lines of two slabs of Q and K, or of a part of the weights; squareLine is how many vec4s one has.
func (t tile) squareLines() int { return max(4*squareDepth, t.keys/squareTurns) }
func (t tile) squareLine() int  { return max(t.rows, t.keys)/4 + squareSpread }

// squareMemory returns the bytes of workgroup memory of a square tile: its stage and two pieces of V.
func (t tile) squareMemory() int {
	return t.element * (t.squareLines()*t.squareLine() + 2*t.piece*t.squareColumns()*t.threadsX)
}

// squareColumns are the columns of the output that an invocation owns.
func (t tile) squareColumns() int { return (t.columns + t.threadsX - 1) / t.threadsX }

// squareSpec specialises shaders/attention_square.wgsl for a tile.
func (p Params) squareSpec(t tile, c choice, info gpu.AdapterInfo) kernel.Spec {
	quads, own := t.rows/4, t.keys/t.threadsX
	slabs := (4*t.columns + squareDepth - 1) / squareDepth
	reads := ((quads+t.keys/4)*squareDepth/4 + t.threads() - 1) / t.threads()
	vReads := (t.piece*t.columns + t.threads() - 1) / t.threads()
	s := p.itemSpec("attention_square", t.name, kernel.WordPrefillItems, []kernel.Const{
		{Name: "TX", Value: t.threadsX}, {Name: "TY", Value: t.threadsY}, {Name: "RG", Value: quads / t.threadsY}, {Name: "KG", Value: own / 4},
		{Name: "KEYS", Value: own}, {Name: "TURNS", Value: squareTurns}, {Name: "TURN_KEYS", Value: own / squareTurns},
		{Name: "DEPTH", Value: squareDepth}, {Name: "LINE", Value: t.squareLine()}, {Name: "PLANES", Value: t.squareLines() / t.piece},
		{Name: "SLABS", Value: slabs + slabs%2}, {Name: "STEP", Value: t.piece}, {Name: "STEPS", Value: squareDepth / t.piece},
		{Name: "READS", Value: reads}, {Name: "V_READS", Value: vReads}, {Name: "FETCHED", Value: max(4*reads, vReads)},
		{Name: "RC", Value: t.squareColumns()},
	}...)
	s.Slots["kv"], s.Slots["rows"], s.Slots["finish"] = p.kvLibrary(), "square_rows_workgroup", "attention_whole"
	s.Unrolled = info.Type != "cpu" // whose compilers take long for it
	if c.subgroup && info.SubgroupLanes() >= t.threadsX {
		s.Slots["rows"] = "square_rows_subgroup"
		s.Variant, s.Needs = s.Variant+"+subgroup", gpu.FeatureSubgroups
	}
	p.keepLSE(&s)
	return s
}
