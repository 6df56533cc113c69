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
func (w skinnyWay) norms() bool { return false }

func (w skinnyWay) specs(p *LinearParams, piece Piece) ([]Spec, error) {
	return []Spec{skinnySpec(p, piece, w.skinnyShape, int(w.subgroup))}, nil
}

func (w skinnyWay) groups(_ *LinearParams, piece Piece, m int) (x, y, z uint32) {
	x, y = Fold(skinnyGroups(piece, w.skinnyShape))
	return x, y, uint32(ceilDiv(m, w.rows))
}

// skinnyShapeOf chooses for m rows of x. Fewer rows of W make fewer groups: more invocations share them.
func skinnyShapeOf(m *Matrix, rows int) skinnyShape {
	s := skinnyShape{rows: rows, tile: 8, lanes: 16, workgroup: 128}
	if rows <= 4 {
		s.tile = 4
	}
	for s.lanes < s.workgroup && m.Rows/s.tile*s.lanes < 1<<17 {
		s.lanes *= 2
	}
	return s
}

func skinnySpec(p *LinearParams, piece Piece, shape skinnyShape, subgroup int) Spec {
	s := p.spec("skinny", piece, true)
	s.Shape += fmt.Sprintf(" ×%d", shape.rows)
	s.Consts = append(s.Consts, Const{"ROWS", shape.rows}, Const{"LANES", shape.lanes}, Const{"TILE", shape.tile},
		Const{"WORKGROUP", shape.workgroup}, Const{"SUMS", shape.tile * shape.rows}, Const{"GATHER", p.Gather && !p.Norm},
		Const{"SPANS", mathbits.TrailingZeros(uint(min(shape.lanes, subgroup)))})
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
