package kernel

import "quire/engine/gpu"

// RowShape is how a kernel shares the product of a matrix with one row of x.
type RowShape struct {
	Lanes     int  `json:"lanes"` // invocations along K of a row
	Tile      int  `json:"tile"`  // rows of W that they own
	Workgroup int  `json:"workgroup"`
	Batch     int  `json:"batch,omitempty"`  // units of each row that an invocation reads at once; 0: as it comes
	Strips    bool `json:"strips,omitempty"` // a strip of each row instead
}

func (s RowShape) shape() matvecShape {
	return matvecShape{lanes: s.Lanes, tile: s.Tile, workgroup: s.Workgroup, batch: s.Batch, strips: s.Strips}
}

func (s matvecShape) exported() RowShape {
	return RowShape{s.lanes, s.tile, s.workgroup, s.batch, s.strips}
}

// RowMatrix is what a RowShape is measured for.
type RowMatrix struct {
	Type    string `json:"type"`
	Rows    int    `json:"rows"`
	Columns int    `json:"columns"`
	Gated   bool   `json:"gated,omitempty"`
	Heads   bool   `json:"heads,omitempty"` // the product stores its rows of q, k and v
}

// TunedRow is the shape that was fastest.
type TunedRow struct {
	RowMatrix
	RowShape
	Quick bool `json:"quick,omitempty"` // only some shapes were measured
}

// RowMatrix tells products apart whose shapes of one row may differ.
func (p *LinearParams) RowMatrix() RowMatrix {
	return RowMatrix{Type: p.Matrix.Type.String(), Rows: p.Matrix.Rows, Columns: p.Matrix.Cols, Gated: p.Gated != "", Heads: p.Heads != nil}
}

// fits says whether a kernel for one row of the product may have the shape.
func (p *LinearParams) fits(s matvecShape, limits gpu.Limits) bool {
	units := p.Matrix.strips() * 4
	switch {
	case s.lanes < 1 || s.tile < 1 || s.batch < 0 || s.batch > mostHeld || s.lanes&(s.lanes-1) > 0 || widestTile%s.tile > 0 || s.lanes > units,
		s.workgroup != max(matvecWorkgroup, s.lanes) && (!s.strips || s.workgroup != stripsWorkgroup) || s.workgroup > int(limits.MaxComputeInvocationsPerWorkgroup),
		p.Gated != "" && s.tile%2 > 0 || p.Heads != nil && (s.tile%4 > 0 || s.lanes < s.tile/4),
		s.strips && (s.batch > 0 || s.lanes > stripsLanes || p.Matrix.strips()%s.lanes > 0),
		s.batch > 0 && (units%(s.lanes*s.batch) > 0 || s.tile*s.batch > mostHeld):
		return false
	}
	return true
}

// What reads strips may have a larger workgroup, and no more lanes, whose shares of x are held in workgroup memory.
const stripsWorkgroup, stripsLanes = 256, 64

// mostHeld is how many units an invocation reads at once at most.
const mostHeld = 32
