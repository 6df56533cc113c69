package kernel

// matmulTile is the baseline's tile: rows of x and of W a workgroup owns. tile128 is the wide variant's.
const (
	matmulTile = 64
	tile128    = 128
)

// matmulSpec specialises shaders/matmul.wgsl for a piece of the matrix and a tile of 64 or 128.
func matmulSpec(p *LinearParams, piece Piece, tile int) Spec {
	quads := tile / 64
	s := p.spec("matmul", piece)
	if tile == tile128 {
		s.Variant = "tile128"
	}
	s.Consts = append(s.Consts, Const{"QUADS", quads}, Const{"DEPTH", 32 / quads}, Const{"GATHER", p.Gather && !p.Norm})
	return s
}
