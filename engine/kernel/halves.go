package kernel

import (
	"fmt"
	mathbits "math/bits"
	"runtime"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// halvesShape is how a kernel with factors in f16 shares its work.
type halvesShape struct {
	rows, tile int // of x that a workgroup multiplies, and of W that an invocation does
	lanes      int // invocations that share them, each a part of K; at most a subgroup, and lanes·each a multiple of 4
	each       int // units that each of them takes at once: 1, or 2 of a word each
	workgroup  int
	fellows    int // groups of so many invocations that share the rows of x
}

// own is the rows of x that an invocation multiplies.
func (s halvesShape) own() int { return s.rows / s.fellows }

// columns is the rows of W that a workgroup multiplies.
func (s halvesShape) columns() int { return s.workgroup / (s.lanes * s.fellows) * s.tile }

// width is the columns that a turn takes, in fours.
func (s halvesShape) width() int { return 2 * s.lanes * s.each }

// room is the workgroup memory that a kernel takes, in bytes: for a copy of the weights' table, and for x, what is multiplied and what comes
// next.
func (s halvesShape) room(p *LinearParams) int {
	table, row := 0, 4*s.width()
	if words := len(p.Matrix.Type.Table()); words > 1 {
		table = words
	}
	if s.fellows > 1 {
		row += s.lanes
	}
	return 4*table + 2*s.rows/4*row*8
}

// halvesWay multiplies some rows with factors in f16, of at least so many and at most so many in all; 0: any number.
type halvesWay struct {
	halvesShape
	fewest, most int
}

func (w halvesWay) takes(_ *LinearParams, m int) bool { return m >= w.fewest && upTo(w.most, m) }
func (w halvesWay) norms() bool                       { return false }
func (w halvesWay) mostRows() int                     { return w.most }

func (w halvesWay) specs(p *LinearParams, piece Piece) ([]Spec, error) {
	return []Spec{w.inParts(p, piece, 1)}, nil
}

func (w halvesWay) groups(_ *LinearParams, piece Piece, m int) (x, y, z uint32) {
	x, y = Fold(ceilDiv(piece.Rows, w.columns()))
	return x, y, uint32(ceilDiv(m, w.rows))
}

// inParts specialises shaders/halves.wgsl.
func (w halvesWay) inParts(p *LinearParams, piece Piece, parts int) Spec {
	s := p.spec("halves", piece, true)
	s.Shape += fmt.Sprintf(" ×%d", w.rows)
	held := ceilDiv(w.rows/4*w.width(), w.workgroup)
	s.Consts = append(s.Consts, Const{"ROWS", w.rows}, Const{"FELLOWS", w.fellows}, Const{"OWN", w.own()}, Const{"QUADS", w.own() / 4}, Const{"PARTS", parts},
		Const{"LANES", w.lanes}, Const{"EACH", w.each}, Const{"TILE", w.tile}, Const{"WORKGROUP", w.workgroup}, Const{"SUMS", w.tile * w.own()},
		Const{"GATHER", p.Gather && !p.Norm}, Const{"HELD", held}, Const{"SOURCES", 4 * held}, Const{"SPANS", mathbits.TrailingZeros(uint(w.lanes))},
		Const{"EVEN", piece.Rows%w.columns() == 0})
	s.Slots["ends"], s.Slots["share"], s.Slots["factors"] = "ends_pairs", "share_unit", "factors_weights"
	if p.Matrix.Type == quant.Q4_0 {
		s.Slots["factors"], s.Slots["pair"] = "factors_nibbles", "pair_unpacked"
		if runtime.GOOS == "js" {
			s.Slots["pair"] = "pair_bitcast"
		}
	}
	if w.each > 1 {
		s.Slots["share"] = "share_pair"
	}
	if p.Adapters != nil {
		p.Adapters.adapt(&s, p.AdaptersAt)
	}
	s.Unrolled, s.MaxTurns = true, -1
	s.Variant, s.Needs = "halves", gpu.FeatureSubgroups|gpu.FeatureF16
	return s
}

// some is the way of 17 to 32 rows with factors in f16, as measured on an H200; where W has few rows, K is cut in parts. By name it is that
// of two rows and more, and of every type: only sums of Q4_0's codes cannot leave f16's range.
func (a arithmetic) some(p *LinearParams) (w splitWay, ok bool) {
	if !a.halves || p.Deterministic || !a.named && (p.Heads != nil || p.Matrix.Type != quant.Q4_0) {
		return w, false
	}
	s, parts := halvesShape{rows: 32, tile: 2, lanes: 4, each: 2, workgroup: 128, fellows: 1}, 16
	switch {
	case p.Matrix.Rows >= 65536:
		s.lanes, parts = 2, 1
	case p.Matrix.Rows >= 8192:
		s.tile, s.workgroup, s.fellows, parts = 4, 256, 2, 2
	case p.Matrix.Cols >= 4096:
		s.lanes, parts = 2, 32
	}
	if !unitIsWord(p.Matrix.Type) {
		s.lanes, s.each = 2*s.lanes, 1
	}
	if s.lanes > int(a.subgroup) || s.room(p) > max(a.memory, baselineMemory) {
		return w, false
	}
	few := halvesWay{s, 17, 32}
	if a.named {
		few.fewest, few.most, parts = 2, 0, 1
	}
	return splitWay{few, parts}, true
}
