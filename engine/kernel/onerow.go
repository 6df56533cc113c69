package kernel

import "quire/engine/quant"

// oneRowShape is how a large GPU multiplies one row fastest, as measured on an H200 for matrices of 2048 to 14336 columns: what
// counts is how many loads are under way, so that many invocations share a row, and read what they need of it at once. ok is false for
// what was not measured.
func (p *LinearParams) oneRowShape() (s matvecShape, ok bool) {
	units := p.Matrix.strips() * 4
	s = matvecShape{lanes: 128, tile: 2, workgroup: matvecWorkgroup}
	switch {
	case p.Matrix.Type != quant.Q4_0 || units%256 != 0:
		return s, false
	case p.Matrix.Rows >= 16384:
		s.lanes, s.tile, s.batch = 64, 8, 2
		if p.Matrix.Rows >= 65536 {
			s.lanes = 32
		}
	case p.storesHeads(1):
		s.tile, s.batch = 4, 2
		if units%512 == 0 {
			s.batch = 4
		}
	}
	return s, true
}
