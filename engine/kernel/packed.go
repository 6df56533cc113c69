package kernel

import (
	"fmt"
	"slices"

	"quire/engine/gpu"
)

// packedWay multiplies tiles of 64·high rows of x and 64·broad of W, where there are so many of them, by dot products of packed
// 8-bit integers. Its x is rounded before, with a scale for every 32 numbers.
type packedWay struct{ high, broad, fewest int }

func (w packedWay) takes(p *LinearParams, m int) bool {
	return m <= p.Room && m > 64 && ceilDiv(m, 64*w.high)*ceilDiv(p.Matrix.Rows, 64*w.broad) >= w.fewest
}
func (w packedWay) norms() bool { return false }

func (w packedWay) specs(p *LinearParams, piece Piece) ([]Spec, error) {
	s := p.spec("packed", piece, false)
	if p.Adapters != nil {
		p.Adapters.adapt(&s, p.AdaptersAt)
	}
	s.Slots["rows"], s.Slots["stored"] = "rows_step", "stored_each"
	s.Variant = fmt.Sprintf("packed%dx%d", 64*w.high, 64*w.broad)
	s.Consts = append(s.Consts, Const{"GATHER", false}, Const{"OVER", false},
		Const{"HIGH", w.high}, Const{"BROAD", w.broad}, Const{"ROOM", p.Room})
	s.Consts = slices.DeleteFunc(s.Consts, func(c Const) bool { return c.Name == "X_STRIDE" })
	s.Unrolled, s.MaxTurns = true, -1
	return []Spec{s}, nil
}

func (w packedWay) groups(_ *LinearParams, piece Piece, m int) (x, y, z uint32) {
	return uint32(ceilDiv(piece.Rows, 64*w.broad)), uint32(ceilDiv(m, 64*w.high)), 1
}

// rounds says whether a shape's kernels multiply rounded x.
func rounds(s shape) bool {
	_, yes := s.(packedWay)
	return yes
}

// roundWorkgroup is how many strips a workgroup rounds.
const roundWorkgroup = 64

// rounds is in how many workgroups m rows are rounded.
func (p *LinearParams) rounds(m int) (x, y uint32) {
	return Fold(ceilDiv(m*p.Matrix.strips(), roundWorkgroup))
}

// RoundedWords is the size of room rows of x, rounded: whole vec4s.
func RoundedWords(columns, room int) int { return ceilDiv(room*stripsOf(columns)*10, 4) * 4 }

// roundSpec specialises shaders/round_rows.wgsl.
func roundSpec(p *LinearParams) Spec {
	return Spec{File: "round_rows", Variant: "baseline", Consts: []Const{{"M_WORD", p.MWord}, {"ROOM", p.Room}, {"STRIPS", p.Matrix.strips()}, {"X_STRIDE", p.XStride}, {"GATHER", p.Gather && !p.Norm}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite}}
}
