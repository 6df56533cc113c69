package kernel

// oneRowShape is how a large GPU multiplies one row fastest, as measured on an H200 with ten types for matrices of 2048 to 14336 columns.
// Where there is little to read, what counts is how many loads are under way: many invocations share a row, and read several units of it
// at once. Where there is much, what is done for each weight counts, which strips make less. ok is false for what was not measured.
func (p *LinearParams) oneRowShape() (s matvecShape, ok bool) {
	m := p.Matrix
	units, wide := m.strips()*4, m.unitBytes()
	strips := readsStrips(m.Type)
	switch {
	case units%256 != 0 || wide > 16 || len(m.Type.Table()) > heldTable:
		return s, false
	case p.storesHeads(1):
		s = matvecShape{lanes: 128, tile: 4, workgroup: 128, batch: 2}
		if wide > 4 && wide < 16 {
			s.batch = 1
		} else if wide == 4 && !manyScales(m.Type) && units%512 == 0 {
			s.batch = 4
		}
	case m.Rows >= 65536 && strips:
		s = matvecShape{lanes: 32, tile: 4, workgroup: 128, strips: true}
		if wide == 4 {
			s.tile = 8
		}
	case m.Rows >= 65536 && wide == 16:
		s = matvecShape{lanes: 64, tile: 4, workgroup: 128, batch: 1}
	case m.Rows >= 16384 && strips && (wide < 8 || units > 256):
		s = matvecShape{lanes: 32, tile: 4, workgroup: 256, strips: true}
	case m.Rows >= 16384:
		s = matvecShape{lanes: 64, tile: 8, workgroup: 128, batch: 1}
	case strips && units >= 1024 && m.Rows >= 4096:
		s = matvecShape{lanes: 64, tile: 2, workgroup: 256, strips: true}
	case strips && units >= 1024:
		s = matvecShape{lanes: 64, tile: 1, workgroup: 256, strips: true}
	case strips && wide < 8:
		s = matvecShape{lanes: 32, tile: 1, workgroup: 256, strips: true}
	case wide == 16 && m.Rows >= 4096:
		s = matvecShape{lanes: 128, tile: 4, workgroup: 128, batch: 1}
	default:
		s = matvecShape{lanes: 128, tile: 2, workgroup: 128, batch: 2}
	}
	if p.Gated != "" { // gates and ups are rows in turn
		s.tile = max(2, s.tile)
	}
	return s, true
}

// unitBytes is what codes of a unit take.
func (m *Matrix) unitBytes() int {
	p := m.Type.Planes()
	return p.CodeWords * 4 * 8 / p.CodeSpan
}
