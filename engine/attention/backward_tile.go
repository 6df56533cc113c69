package attention

import (
	"fmt"
	"slices"
	"strings"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// backwardShape is how a workgroup of the backward pass shares a tile of scores: an invocation has 4·ownQuads of the rows
// that its workgroup owns and 4·walkQuads of those that it walks.
type backwardShape struct {
	name                string
	tx, ty              int // invocations along the own and the walked rows
	ownQuads, walkQuads int
	stage               int  // bound of the vec4s through which rows go
	ahead               bool // rows are read into registers ahead of their use, which is much more to compile
}

// backwardShapes are the named tiles, own × walked rows. Where an invocation has 4 × 4 scores, it makes 16 products of four
// elements out of eight reads of four, where it has 8 × 4, 32 out of twelve: more work a byte, more registers.
var backwardShapes = []backwardShape{
	{name: "baseline", tx: 8, ty: 8, ownQuads: 1, walkQuads: 1, stage: 768},
	{name: "tile64x64x256", tx: 16, ty: 16, ownQuads: 1, walkQuads: 1, stage: 1024, ahead: true},
	{name: "tile64x64", tx: 8, ty: 16, ownQuads: 2, walkQuads: 1, stage: 1024, ahead: true},
	{name: "tile128x64", tx: 16, ty: 16, ownQuads: 2, walkQuads: 1, stage: 1024, ahead: true},
}

// backwardDeep is the baseline past a head dim of 128: fewer own rows, whose gradients an invocation keeps.
var backwardDeep = backwardShape{name: "baseline", tx: 4, ty: 16, ownQuads: 1, walkQuads: 1, stage: 768}

// backwardDiscrete is what discrete GPUs take.
const backwardDiscrete = "tile64x64x256"

// BackwardTiles lists the variants that an adapter runs for a backward pass, the baseline first.
func BackwardTiles(info gpu.AdapterInfo, p Params) []string {
	var names []string
	for _, s := range backwardShapes {
		p.Variant = s.name
		if _, err := p.backwardTile(info); err == nil {
			names = append(names, s.name)
		}
	}
	return names
}

// backwardTile returns the tile that p asks for, or the adapter's.
func (p Params) backwardTile(info gpu.AdapterInfo) (backwardTile, error) {
	name := p.Variant
	if name == "" {
		name = "baseline"
		if q := p; info.Type == "discrete" {
			q.Variant = backwardDiscrete
			if t, err := q.backwardTile(info); err == nil {
				return t, nil
			}
		}
	}
	i := slices.IndexFunc(backwardShapes, func(s backwardShape) bool { return s.name == name })
	if i < 0 {
		var names []string
		for _, s := range backwardShapes {
			names = append(names, s.name)
		}
		return backwardTile{}, fmt.Errorf("attention: backward: no variant %q; there are %s", name, strings.Join(names, ", "))
	}
	shape := backwardShapes[i]
	if i == 0 && p.HeadDim > 128 {
		shape = backwardDeep
	}
	t := newBackwardTile(shape, p.HeadDim)
	if most := info.Limits.MaxComputeWorkgroupStorageSize; i > 0 && t.memory() > int(most) {
		return backwardTile{}, fmt.Errorf("attention: backward: %s needs %d bytes of workgroup memory, adapter %s has %d", name, t.memory(),
			info.Name, most)
	}
	return t, nil
}

// backwardTile is a shape for a head dim.
type backwardTile struct {
	backwardShape
	slabs, slab int  // of columns of four elements, for the scores
	swizzle     bool // slabs have no padding but an exchange of columns
	tc, to      int  // invocations along the columns and own quads of the gradients
	columns     int  // an invocation has, of the gradients
	quads       int  // own quads an invocation has, of the gradients
	depth       int  // walked rows in stage at a time, for the gradients
	staged      int  // vec4s of stage
}

func newBackwardTile(s backwardShape, headDim int) backwardTile {
	t := backwardTile{backwardShape: s}
	columns := (headDim + 3) / 4
	most := s.stage / (t.own() + t.walked())
	t.swizzle = most == swizzled
	if !t.swizzle && most%2 == 0 {
		most--
	}
	t.slabs = (columns + most - 1) / most
	t.slab = (columns + t.slabs - 1) / t.slabs
	t.shareGradients(columns)
	width := t.tc * t.columns
	for t.depth = t.walked(); t.depth*width > s.stage; {
		t.depth /= 2
	}
	t.staged = max((t.own()+t.walked())*t.stride(), t.depth*width)
	return t
}

// shareGradients spreads own quads × columns over the invocations: as little as possible for each, then as near to a
// square as possible, which reads least.
func (t *backwardTile) shareGradients(columns int) {
	threads, quads := t.tx*t.ty, t.own()/4
	for tc := 1; tc <= threads && tc < 2*columns; tc *= 2 {
		to := min(quads, threads/tc)
		each, across := quads/to, (columns+tc-1)/tc
		if t.tc == 0 || each*across < t.quads*t.columns || each*across == t.quads*t.columns && each+across < t.quads+t.columns {
			t.tc, t.to, t.quads, t.columns = tc, to, each, across
		}
	}
}

// swizzled is the stride of slabs whose rows an exchange of columns keeps in different banks.
const swizzled = 8

// stride is the distance in columns of a slab's rows in workgroup memory.
func (t backwardTile) stride() int {
	if t.swizzle {
		return swizzled
	}
	return t.slab | 1
}

func (t backwardTile) own() int    { return 4 * t.tx * t.ownQuads }
func (t backwardTile) walked() int { return 4 * t.ty * t.walkQuads }

// memory returns the bytes of workgroup memory.
func (t backwardTile) memory() int { return 16*t.staged + 4*t.own()*t.walked() }

func (t backwardTile) consts(ownKeys bool) []kernel.Const {
	states, swizzle := 4*t.ownQuads, 0
	if t.swizzle {
		swizzle = swizzled - 1
	}
	if ownKeys {
		states = 4 * t.walkQuads
	}
	own, walked, rows := 1, 0, 1
	if t.ahead {
		reads := func(n int) int { return (n + t.tx*t.ty - 1) / (t.tx * t.ty) }
		own, walked, rows = reads(t.own()*t.slab), reads(t.walked()*t.slab), reads(t.depth*t.tc*t.columns)
	}
	return []kernel.Const{
		{Name: "TX", Value: t.tx}, {Name: "TY", Value: t.ty}, {Name: "OWN_QUADS", Value: t.ownQuads}, {Name: "WALK_QUADS", Value: t.walkQuads},
		{Name: "SLABS", Value: t.slabs}, {Name: "SLAB", Value: t.slab}, {Name: "SLAB_STRIDE", Value: t.stride()}, {Name: "SWIZZLE", Value: swizzle},
		{Name: "TC", Value: t.tc}, {Name: "TO", Value: t.to}, {Name: "COLUMNS_EACH", Value: t.columns}, {Name: "QUADS_EACH", Value: t.quads},
		{Name: "DEPTH", Value: t.depth}, {Name: "STAGE", Value: t.staged}, {Name: "WEIGHTS", Value: t.own() * t.walked() / 4},
		{Name: "STATES", Value: states}, {Name: "AHEAD", Value: t.ahead}, {Name: "OWN_READS", Value: own}, {Name: "READS", Value: own + walked},
		{Name: "ROW_READS", Value: rows},
	}
}
