package kernel

import (
	"fmt"

	"quire/engine/gpu"
)

// matrixWay multiplies tiles with subgroup matrices, where there are so many of them.
type matrixWay struct {
	high, side   int  // subgroups along x and along W
	down, across int  // fragments of a subgroup
	units        int  // units of a row that are staged at a time
	subgroup     int  // invocations of a subgroup
	plain        bool // by an emulation of subgroup matrices, for tests
	fewest       int
}

func (w matrixWay) tall() int { return w.high * w.down * 16 }
func (w matrixWay) wide() int { return w.side * w.across * 16 }

func (w matrixWay) takes(p *LinearParams, m int) bool {
	least := w.tall() / 4
	if w.tall() > matmulTile { // of half the rows, a tile half as tall is as fast for each
		least = w.tall() / 2
	}
	return m > least && ceilDiv(m, w.tall())*ceilDiv(p.Matrix.Rows, w.wide()) >= w.fewest
}
func (w matrixWay) norms() bool { return false }

func (w matrixWay) specs(p *LinearParams, piece Piece) ([]Spec, error) {
	s := p.spec("product_matrix", piece, false)
	if p.Adapters != nil {
		p.Adapters.adapt(&s, p.AdaptersAt)
	}
	s.Slots["rows"], s.Slots["parts"] = "rows_step", "parts_none"
	s.Slots["fragments"] = "product_fragments_subgroup"
	s.Variant = fmt.Sprintf("matrix%dx%dx%d", w.tall(), w.wide(), w.units*8)
	work := w.high * w.side * w.subgroup
	s.Consts = append(s.Consts, Const{"GATHER", p.Gather && !p.Norm}, Const{"K_BEGIN", 0}, Const{"K_END", p.Matrix.strips() * strip / 4}, Const{"TALL", w.tall()}, Const{"WIDE", w.wide()},
		Const{"DOWN", w.down}, Const{"ACROSS", w.across}, Const{"FRAGMENTS", w.down * w.across}, Const{"SIDE", w.side},
		Const{"SUBGROUP", w.subgroup}, Const{"WORKGROUP", work}, Const{"UNITS", w.units}, Const{"KS", w.units / 2},
		Const{"XS", ceilDiv(w.tall()*2*w.units, work)}, Const{"WS", ceilDiv(w.wide()*w.units, work)},
		Const{"ROOM", (w.tall() + w.wide()) * (w.units*8 + 8)}, Const{"FLOATS", w.high * w.side * 16 * 20},
		Const{"ROW_LANES", 16}, Const{"LANES_A_ROW", w.subgroup / 16})
	s.Unrolled, s.Needs = true, gpu.FeatureF16|gpu.FeatureSubgroups|gpu.FeatureSubgroupMatrix
	s.MaxTurns = -1
	if w.plain {
		s.Slots["fragments"], s.Needs, s.Unrolled = "product_fragments_plain", 0, false
	} else {
		s.Consts = append(s.Consts, Const{"SUBGROUPS", w.high * w.side})
	}
	return []Spec{s}, nil
}

func (w matrixWay) groups(_ *LinearParams, piece Piece, m int) (x, y, z uint32) {
	return uint32(ceilDiv(piece.Rows, w.wide())), uint32(ceilDiv(m, w.tall())), 1
}
