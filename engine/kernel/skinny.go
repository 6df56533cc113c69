package kernel

import (
	"fmt"
	mathbits "math/bits"

	"quire/engine/gpu"
)

// skinnyShape is how a kernel for some rows shares its work.
type skinnyShape struct {
	rows, tile int // of x and of W that an invocation multiplies
	lanes      int // invocations that share them, each a part of K
	each       int // units that each of them takes at once: 1, or 2 of a word each
	workgroup  int
}

// skinnyWay multiplies a few rows at a time, of at most so many in all; 0: any number. It takes up to sparse where tiles would leave a large
// GPU idle.
type skinnyWay struct {
	skinnyShape
	most, sparse int
	subgroup     uint32
}

func (w skinnyWay) takes(p *LinearParams, m int) bool {
	return upTo(w.most, m) || m <= w.sparse && ceilDiv(m, matmulTile)*ceilDiv(p.Matrix.Rows, matmulTile) < manyTiles // which are no slower
}
func (w skinnyWay) norms() bool { return true }

func (w skinnyWay) specs(p *LinearParams, piece Piece) ([]Spec, error) {
	return []Spec{skinnySpec(p, piece, w.skinnyShape, int(w.subgroup))}, nil
}

func (w skinnyWay) groups(_ *LinearParams, piece Piece, m int) (x, y, z uint32) {
	x, y = Fold(skinnyGroups(piece, w.skinnyShape))
	return x, y, uint32(ceilDiv(m, w.rows))
}

// skinnyShapeOf chooses for so many rows of x, as measured on an H200. Fewer rows of W make fewer groups: more invocations share them.
// memory is what workgroups may have, in bytes; subgroup is how many invocations add up without it.
func skinnyShapeOf(p *LinearParams, rows, memory int, subgroup uint32) skinnyShape {
	s := skinnyShape{rows: rows, tile: 8, lanes: 16, each: 1, workgroup: 128}
	switch {
	case p.Matrix.Rows >= 65536:
		s.lanes = 8
		if rows <= 8 {
			s.workgroup = 64
		}
	case p.Matrix.Rows >= 8192:
	case p.Norm:
		s.tile = 4
		if rows <= 8 {
			s.lanes = 32
		}
	default:
		s.lanes = 128
		if rows <= 8 && p.Matrix.Cols < 4096 { // whose turns are few
			s.tile = 4
		}
	}
	if rows == 8 && p.Matrix.Rows >= 8192 && p.Matrix.Cols < 4096 && unitIsWord(p.Matrix.Type) { // longer rows gain nothing
		s.lanes, s.workgroup, s.each = 16, 128, 2
	}
	for s.room(p, int(subgroup)) > max(memory, baselineMemory) {
		if s.each > 1 {
			s.each = 1
		} else {
			s.lanes /= 2
		}
	}
	return s
}

// staged says whether x goes through workgroup memory: where groups share it, and for its norm.
func (s skinnyShape) staged(p *LinearParams) bool { return p.Norm || s.lanes < s.workgroup }

// width is the vec4s of a row of x that are multiplied in a turn.
func (s skinnyShape) width() int { return 2 * s.lanes * s.each }

// grains are how many of a group's grains end in an invocation: two rows of W, or four of heads, with one of x each.
func (s skinnyShape) grains(p *LinearParams, subgroup int) int {
	sums, grain := s.tile*s.rows, 2
	if p.storesHeads(s.rows) {
		grain = 4
	}
	if s.lanes > subgroup {
		return ceilDiv(sums/grain, s.lanes)
	}
	return max(1, sums/s.lanes/grain)
}

// room is the workgroup memory that a kernel takes, in bytes: for a copy of the weights' table, for x, what is multiplied and what comes next,
// for its squares, and for sums of several subgroups.
func (s skinnyShape) room(p *LinearParams, subgroup int) int {
	table, vectors, part := 0, 1, min(s.lanes, subgroup)
	if words := len(p.Matrix.Type.Table()); words > 1 {
		table = words
	}
	if s.staged(p) {
		vectors = 2 * s.rows * s.each * 2 * (s.lanes + s.each - 1)
	}
	squares, sums := s.rows*s.width()/min(s.width(), subgroup), 1
	if s.lanes > part {
		sums += s.workgroup / part * s.tile * s.rows
	}
	return 4 * (table + 4*vectors + squares + sums)
}

// baselineMemory is the workgroup memory that WebGPU promises.
const baselineMemory = 16 << 10

func skinnySpec(p *LinearParams, piece Piece, shape skinnyShape, subgroup int) Spec {
	s := p.spec("skinny", piece, true)
	s.Shape += fmt.Sprintf(" ×%d", shape.rows)
	held, starts := 1, shape.rows
	if shape.staged(p) {
		held = ceilDiv(shape.rows*shape.width(), shape.workgroup)
		starts = held
	}
	s.Consts = append(s.Consts, Const{"ROWS", shape.rows}, Const{"QUADS", shape.rows / 4}, Const{"LANES", shape.lanes}, Const{"EACH", shape.each}, Const{"TILE", shape.tile},
		Const{"WORKGROUP", shape.workgroup}, Const{"SUMS", shape.tile * shape.rows}, Const{"GATHER", p.Gather}, Const{"STAGED", shape.staged(p)}, Const{"HELD", held}, Const{"STARTS", starts},
		Const{"SPANS", mathbits.TrailingZeros(uint(min(shape.lanes, subgroup)))}, Const{"FOLDS", mathbits.TrailingZeros(uint(min(shape.width(), subgroup)))},
		Const{"NORM", p.Norm}, Const{"EPS", p.Eps}, Const{"K", p.Matrix.Cols})
	s.Slots["ends"], s.Slots["share"] = "ends_pairs", "share_unit"
	if shape.each > 1 {
		s.Slots["share"] = "share_pair"
	}
	s.Bindings = append(s.Bindings, gpu.ReadOnly)
	if p.storesHeads(shape.rows) {
		p.storeHeads(&s, "ends", "ends_heads")
	} else {
		s.Consts = append(s.Consts, Const{"EVEN", piece.Rows%(shape.workgroup/shape.lanes*shape.tile) == 0})
	}
	s.Slots["added"] = "added_none"
	s.Consts = append(s.Consts, Const{"GRAINS", shape.grains(p, subgroup)})
	if p.Adapters != nil {
		s.Slots["added"] = "added_lora"
		p.Adapters.adapt(&s, p.AdaptersAt)
	}
	s.Unrolled, s.MaxTurns = true, -1
	s.Variant, s.Needs = "skinny", gpu.FeatureSubgroups
	return s
}

func skinnyGroups(piece Piece, shape skinnyShape) int {
	return ceilDiv(piece.Rows, shape.workgroup/shape.lanes*shape.tile)
}
