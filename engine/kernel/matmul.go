package kernel

import "fmt"

// matmulTile is the baseline's tile: rows of x and of W a workgroup owns. tile128 is the wide variant's.
const (
	matmulTile = 64
	tile128    = 128
)

// wideGroups is the number of wide tiles from which they fill a large GPU.
const wideGroups = 120

// tileWay multiplies tiles of rows, where there are so many of them.
type tileWay struct {
	tile, fewest int
	ahead        bool  // of a tile of 128: the next columns are fetched while some are multiplied
	classes      uint8 // bits of the rowsClass that it was measured for; 0: the adapter's choice
}

// aheadMemory is the workgroup memory that this takes, in bytes.
const aheadMemory = 32 << 10

func (w tileWay) takes(p *LinearParams, m int) bool {
	if w.classes > 0 {
		return w.classes>>rowsClass(m)&1 > 0 && 2*m > w.tile
	}
	return (w.fewest == 0 || 2*m > w.tile) && ceilDiv(m, w.tile)*ceilDiv(p.Matrix.Rows, w.tile) >= w.fewest
}
func (w tileWay) norms() bool { return false }

func (w tileWay) specs(p *LinearParams, piece Piece) ([]Spec, error) {
	return tileParts(p.Matrix, p.MaxTurns, p.joined(), func(begin, end int) Spec { return matmulSpec(p, piece, w, begin, end) })
}

func (w tileWay) groups(_ *LinearParams, piece Piece, m int) (x, y, z uint32) {
	return uint32(ceilDiv(piece.Rows, w.tile)), uint32(ceilDiv(m, w.tile)), 1
}

// matmulSpec specialises shaders/matmul.wgsl for a piece of the matrix and a part of K in blocks.
func matmulSpec(p *LinearParams, piece Piece, w tileWay, begin, end int) Spec {
	part := *p
	if begin > 0 { // onto what the parts before it gave
		part.Add, part.Bias = true, false
	}
	s := part.spec("matmul", piece, false)
	if p.Adapters != nil {
		p.Adapters.adapt(&s, p.AdaptersAt)
	}
	s.Slots["rows"], s.Slots["parts"], s.Slots["stored"] = "rows_step", "parts_none", "stored_each"
	s.Consts = append(s.Consts, Const{"GATHER", p.Gather && !p.Norm}, Const{"OVER", false}, Const{"ADAPTS", begin == 0})
	useTile(&s, p.Matrix, w, begin, end)
	return s
}

// useTile adds what all tiled products share.
func useTile(s *Spec, m *Matrix, w tileWay, begin, end int) {
	quads := w.tile / 64
	if w.tile == tile128 {
		s.Variant = "tile128"
	}
	s.Unrolled = w.ahead
	if end-begin < m.strips() {
		s.Shape += fmt.Sprintf(" from %d", begin*strip)
	}
	s.Consts = append(s.Consts, Const{"QUADS", quads}, Const{"DEPTH", 32 / quads}, Const{"AHEAD", w.ahead}, Const{"K_BEGIN", begin * strip / 4}, Const{"K_END", end * strip / 4})
}

// tileParts specialises a tiled kernel for each part of K that one launch may sum, so that its loops stay within MaxTurns. whole
// says that K may not be parted.
func tileParts(m *Matrix, turns int, whole bool, spec func(begin, end int) Spec) ([]Spec, error) {
	one, err := spec(0, 1).Turns()
	if err != nil {
		return nil, err
	}
	two, err := spec(0, 2).Turns()
	if err != nil {
		return nil, err
	}
	blocks := m.strips()
	if turns == 0 {
		turns = MaxTurns
	}
	most := (turns-one)/(two-one) + 1
	if turns < one || whole && blocks > most {
		return nil, fmt.Errorf("linear: %w: rows of %d columns, at most %d with gates or activations", ErrTurns, m.Cols, most*strip)
	}
	parts := ceilDiv(blocks, most)
	each := ceilDiv(blocks, parts)
	var specs []Spec
	for begin := 0; begin < blocks; begin += each {
		specs = append(specs, spec(begin, min(begin+each, blocks)))
	}
	return specs, nil
}
