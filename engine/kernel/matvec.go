package kernel

import (
	"fmt"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// matvecWay multiplies rows at a time, of at most so many in all; 0: any number.
type matvecWay struct {
	rows, most int
	subgroup   uint32
}

func (w matvecWay) takes(_ *LinearParams, m int) bool { return upTo(w.most, m) }
func (w matvecWay) norms() bool                       { return true }

func (w matvecWay) specs(p *LinearParams, piece Piece) ([]Spec, error) {
	return []Spec{matvecSpec(p, piece, w.rows, w.subgroup)}, nil
}

func (w matvecWay) groups(p *LinearParams, piece Piece, m int) (x, y, z uint32) {
	x, y = Fold(matvecGroups(p, piece, w.rows, w.subgroup))
	return x, y, uint32(ceilDiv(m, w.rows))
}

// matvecShape is how a matrix × vector kernel shares its work.
type matvecShape struct {
	lanes     int // invocations along K of a row
	tile      int // rows of W a group of lanes owns
	workgroup int
	batch     int  // units of each row that an invocation reads at once; 0: as it comes
	strips    bool // a strip of each row instead
}

// groups is how many workgroups so many rows take.
func (s matvecShape) groups(rows int) int { return ceilDiv(rows, s.workgroup/s.lanes*s.tile) }

const matvecWorkgroup = 128

// widestTile is the most rows of W that a group of lanes owns; narrower tiles divide it.
const widestTile = 8

// matvecShapeOf chooses from the matrix and the rows of x alone, so that the baseline is the same on every adapter. The
// subgroup variant adds up inside a subgroup: small ones bound the lanes, and where large ones would, sums go through workgroup
// memory instead, for more lanes gain more.
func matvecShapeOf(blocks, rows, m int, subgroup uint32) matvecShape {
	units := blocks * 4
	s := matvecShape{lanes: 4, tile: 4, workgroup: matvecWorkgroup}
	for s.lanes < 32 && s.lanes*4 <= units {
		s.lanes *= 2
	}
	if rows < 16384 && units >= 64*8 {
		s.lanes = 64
	}
	if subgroup > 0 && subgroup < largeSubgroup {
		s.lanes = min(s.lanes, int(subgroup))
	}
	if m >= 4 || rows < 16384 {
		s.tile = 2
	}
	return s
}

// heldTable is how many words a table has that the invocations of a subgroup may hold. All must be active to the end, which they are
// where their shares of K are equal. Decoding with IQ4_XS takes 4 % less time on an H200 than with the table in workgroup memory.
const heldTable = 16

// largeSubgroup is the size from which a subgroup does not bound a group of lanes.
const largeSubgroup = 32

// matvecShape is that of the product's kernel for m rows.
func (p *LinearParams) matvecShape(m int, subgroup uint32) matvecShape {
	if m == 1 && p.Row != nil {
		return p.Row.shape()
	}
	if m == 1 && p.large && subgroup == largeSubgroup {
		if s, ok := p.oneRowShape(); ok {
			return s
		}
	}
	s := matvecShapeOf(p.Matrix.strips(), p.Matrix.Rows, m, subgroup)
	if p.storesHeads(m) {
		s = s.ofHeads(m, subgroup)
	}
	return s
}

// matvecSpec specialises shaders/matvec.wgsl for a piece of the matrix and m rows of x.
func matvecSpec(p *LinearParams, piece Piece, m int, subgroup uint32) Spec {
	return matvecSpecOf(p, piece, m, subgroup, p.matvecShape(m, subgroup))
}

// matvecSpecOf takes a shape.
func matvecSpecOf(p *LinearParams, piece Piece, m int, subgroup uint32, shape matvecShape) Spec {
	blocks := p.Matrix.strips()
	lanesHold := subgroup >= heldTable
	parts := subgroup // of a group of lanes that is larger
	if shape.lanes > int(subgroup) {
		subgroup = 0
	}
	sums := shape.tile * m
	if p.Norm {
		sums += m
	}
	s := p.spec("matvec", piece, true)
	if m > 1 {
		s.Shape += fmt.Sprintf(" ×%d", m)
	}
	s.Consts = append(s.Consts,
		Const{"ROWS", m}, Const{"LANES", shape.lanes}, Const{"TILE", shape.tile}, Const{"WORKGROUP", shape.workgroup}, Const{"SUMS", sums},
		Const{"NORM", p.Norm}, Const{"EPS", p.Eps}, Const{"K", p.Matrix.Cols}, Const{"GATHER", p.Gather})
	s.Slots["tail"] = "tail_rows"
	s.Slots["multiply"] = "multiply_each"
	units := 1
	switch {
	case shape.strips:
		stripsOfType(&s, p.Matrix.Type)
		s.Consts = append(s.Consts, Const{"TURNS", blocks / shape.lanes})
	case shape.batch > 0:
		s.Slots["multiply"], s.Unrolled = "multiply_batch", true
		s.Consts = append(s.Consts, Const{"BATCH", shape.batch}, Const{"TURNS", blocks * 4 / shape.lanes / shape.batch})
	case m <= 2:
		s.Slots["multiply"] = "multiply_shared"
		if manyScales(p.Matrix.Type) && 2*shape.lanes <= blocks*4 {
			units = 2
		}
		s.Consts = append(s.Consts, Const{"UNITS", units})
	}
	s.Bindings = append(s.Bindings, gpu.ReadOnly)
	if p.storesHeads(m) {
		p.storeHeads(&s, "tail", "tail_heads")
	}
	if p.Adapters != nil {
		p.Adapters.adapt(&s, p.AdaptersAt)
	}
	useReduce(&s, subgroup)
	if subgroup == 0 && parts > 0 && (shape.batch > 0 || shape.strips) {
		s.Slots["reduce"], s.Variant, s.Needs = "reduce_both", "subgroup", gpu.FeatureSubgroups
		s.Consts = append(s.Consts, Const{"SUBGROUP", int(parts)})
	}
	if len(p.Matrix.Type.Table()) == heldTable && lanesHold && blocks*4/units%shape.lanes == 0 {
		s.Slots["table"] = "table_lanes"
		s.Variant, s.Needs = "subgroup", gpu.FeatureSubgroups
	}
	return s
}

// manyScales says whether finding a type's scales and minima costs so much that two units should share them.
func manyScales(t quant.Type) bool {
	switch t {
	case quant.F32, quant.F16, quant.BF16, quant.Q8_0, quant.Q4_0, quant.Q4_1, quant.Q5_0, quant.Q5_1:
		return false
	}
	return true
}

// matvecGroups returns the workgroups along the rows of the piece.
func matvecGroups(p *LinearParams, piece Piece, m int, subgroup uint32) int {
	return p.matvecShape(m, subgroup).groups(piece.Rows)
}
