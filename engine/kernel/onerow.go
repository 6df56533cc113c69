package kernel

// oneRowShape is how a large GPU multiplies one row fastest, as measured on an H200 with ten types for matrices of 2048 to 14336 columns.
// What counts where rows are few is how many loads are under way, so that many invocations share a row, and read what they need of it at
// once. ok is false for what was not measured, or gains nothing.
func (p *LinearParams) oneRowShape() (s matvecShape, ok bool) {
	units, wide := p.Matrix.strips()*4, p.Matrix.unitBytes()
	s = matvecShape{lanes: 128, tile: 2, workgroup: matvecWorkgroup, batch: 2}
	switch {
	case units%256 != 0 || wide > 16 || len(p.Matrix.Type.Table()) > heldTable:
		return s, false
	case p.Matrix.Rows >= 16384:
		s.lanes, s.tile, s.batch = 64, 8, 1
		if wide == 4 && !manyScales(p.Matrix.Type) {
			s.batch = 2
			if p.Matrix.Rows >= 65536 {
				s.lanes = 32
			}
		}
		return s, wide < 16 || units > 256
	case p.storesHeads(1):
		s.tile = 4
		switch {
		case wide > 4 && wide < 16:
			s.batch = 1
		case wide == 4 && !manyScales(p.Matrix.Type) && units%512 == 0:
			s.batch = 4
		}
	case wide == 4 && manyScales(p.Matrix.Type) && units > 1024: // finding scales is most of the work, which units share as it is
		return s, false
	}
	return s, true
}

// unitBytes is what codes of a unit take.
func (m *Matrix) unitBytes() int {
	p := m.Type.Planes()
	return p.CodeWords * 4 * 8 / p.CodeSpan
}
