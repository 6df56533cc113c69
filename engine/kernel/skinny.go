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
	const tiles = 250 // of 64 × 64 that are no slower
	return upTo(w.most, m) || m <= w.sparse && ceilDiv(m, matmulTile)*ceilDiv(p.Matrix.Rows, matmulTile) < tiles
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
// memory is what workgroups may have, in bytes.
func skinnyShapeOf(p *LinearParams, rows, memory int) skinnyShape {
	s := skinnyShape{rows: rows, tile: 8, lanes: 16, workgroup: 128}
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
	for s.staged(p) && s.stage() >= max(memory, baselineMemory) {
		s.lanes /= 2
	}
	return s
}

// staged says whether x goes through workgroup memory: where groups share it, and for its norm.
func (s skinnyShape) staged(p *LinearParams) bool { return p.Norm || s.lanes < s.workgroup }

// stage is how much of it that takes, in bytes: for what is multiplied and what comes next.
func (s skinnyShape) stage() int { return 2 * s.rows * s.lanes * 32 }

// baselineMemory is the workgroup memory that WebGPU promises.
const baselineMemory = 16 << 10

func skinnySpec(p *LinearParams, piece Piece, shape skinnyShape, subgroup int) Spec {
	s := p.spec("skinny", piece, true)
	s.Shape += fmt.Sprintf(" ×%d", shape.rows)
	held, starts := 1, shape.rows
	if shape.staged(p) {
		held = ceilDiv(2*shape.rows*shape.lanes, shape.workgroup)
		starts = held
	}
	s.Consts = append(s.Consts, Const{"ROWS", shape.rows}, Const{"QUADS", shape.rows / 4}, Const{"LANES", shape.lanes}, Const{"TILE", shape.tile},
		Const{"WORKGROUP", shape.workgroup}, Const{"SUMS", shape.tile * shape.rows}, Const{"GATHER", p.Gather}, Const{"STAGED", shape.staged(p)}, Const{"HELD", held}, Const{"STARTS", starts},
		Const{"SPANS", mathbits.TrailingZeros(uint(min(shape.lanes, subgroup)))}, Const{"FOLDS", mathbits.TrailingZeros(uint(min(2*shape.lanes, subgroup)))},
		Const{"NORM", p.Norm}, Const{"EPS", p.Eps}, Const{"K", p.Matrix.Cols})
	s.Slots["ends"] = "ends_pairs"
	s.Bindings = append(s.Bindings, gpu.ReadOnly)
	if p.storesHeads(shape.rows) {
		p.storeHeads(&s, "ends", "ends_heads")
	} else {
		s.Consts = append(s.Consts, Const{"EVEN", piece.Rows%(shape.workgroup/shape.lanes*shape.tile) == 0})
	}
	if p.Adapters != nil {
		p.Adapters.adapt(&s, p.AdaptersAt)
	}
	s.Unrolled, s.MaxTurns = true, -1
	s.Variant, s.Needs = "skinny", gpu.FeatureSubgroups
	return s
}

func skinnyGroups(piece Piece, shape skinnyShape) int {
	return ceilDiv(piece.Rows, shape.workgroup/shape.lanes*shape.tile)
}
