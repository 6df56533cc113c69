package kernel

import (
	"runtime"
	"slices"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// halvesTile multiplies tiles with Q4_0's codes in f16, of at least so many rows and at most so many; 0: any number.
type halvesTile struct {
	down, across int // fours of rows of x and of W that an invocation multiplies
	tx, ty       int // invocations along W, a multiple of 8, and along x, a multiple of 4
	fewest, most int
}

func (w halvesTile) tall() int      { return 4 * w.down * w.ty }
func (w halvesTile) wide() int      { return 4 * w.across * w.tx }
func (w halvesTile) workgroup() int { return w.tx * w.ty }

func (w halvesTile) takes(_ *LinearParams, m int) bool { return m >= w.fewest && upTo(w.most, m) }
func (w halvesTile) norms() bool                       { return false }
func (w halvesTile) mostRows() int                     { return w.most }

func (w halvesTile) specs(p *LinearParams, piece Piece) ([]Spec, error) {
	return []Spec{w.inParts(p, piece, 1)}, nil
}

func (w halvesTile) groups(_ *LinearParams, piece Piece, m int) (x, y, z uint32) {
	return uint32(ceilDiv(piece.Rows, w.wide())), uint32(ceilDiv(m, w.tall())), 1
}

// inParts specialises shaders/halves_tile.wgsl.
func (w halvesTile) inParts(p *LinearParams, piece Piece, parts int) Spec {
	s := p.spec("halves_tile", piece, false)
	if p.Adapters != nil {
		p.Adapters.adapt(&s, p.AdaptersAt)
	}
	turns := ceilDiv(p.Matrix.strips(), parts)
	xs, ws := 2*w.tall()/w.workgroup(), 2*w.wide()/w.workgroup()
	s.Consts = append(s.Consts, Const{"GATHER", p.Gather && !p.Norm}, Const{"K_BEGIN", 0}, Const{"K_END", p.Matrix.strips() * strip / 4},
		Const{"DOWN", w.down}, Const{"ACROSS", w.across}, Const{"OWN", 4 * w.down}, Const{"TX", w.tx}, Const{"TY", w.ty}, Const{"WORKGROUP", w.workgroup()},
		Const{"XS", xs}, Const{"WS", ws}, Const{"XS4", 4 * xs}, Const{"WS4", 4 * ws}, Const{"SS", ceilDiv(w.wide(), w.workgroup())}, Const{"TURNS", turns})
	s.Slots["rows"], s.Slots["parts"], s.Slots["stored"], s.Slots["pair"] = "rows_step", "parts_none", "stored_each", "pair_unpacked"
	if runtime.GOOS == "js" {
		s.Slots["pair"] = "pair_bitcast"
	}
	if parts > 1 {
		s.Slots["parts"] = "parts_some"
		s.Consts = append(s.Consts, Const{"PART", turns * strip / 4})
	}
	if parts > 1 && len(p.Matrix.Pieces) == 1 { // whose rows begin with a whole four
		s.Slots["stored"] = "stored_whole"
		s.Consts = slices.DeleteFunc(s.Consts, func(c Const) bool { return c.Name == "ADD" })
	} else {
		s.Consts = append(s.Consts, Const{"OVER", false})
	}
	s.Unrolled, s.MaxTurns = true, -1
	s.Variant, s.Needs = "halves", gpu.FeatureF16
	return s
}

// halvesTiles are the way of 65 to 384 rows of Q4_0's codes, as measured on an H200: in parts of K where W has few rows, and whole where it
// has many, for as many rows as leave tiles of 128 half empty, and for at most 128 where those would be fewer than the GPU's units.
func (a arithmetic) halvesTiles(p *LinearParams) (w splitWay, ok bool) {
	if !a.tiled || p.Deterministic || p.Matrix.Type != quant.Q4_0 || p.Matrix.Rows >= 65536 {
		return w, false
	}
	const columns = 256 // of a part at least
	tiles := ceilDiv(p.Matrix.Rows, matmulTile)
	parts := min(8, (manyTiles+tiles/2)/tiles, p.Matrix.Cols/columns)
	tile := halvesTile{down: 2, across: 2, tx: 8, ty: 8, fewest: 65, most: 384}
	if parts > 1 {
		return splitWay{tile, parts}, true
	}
	return splitWay{oddTile{tile}, 1}, true
}

// oddTile takes the rows of which a tile twice as tall would be half empty, and those of two tiles where W has no more than 16,384: then
// tiles of 128 × 128 would leave some of an H200's 132 units idle (of llama-8b's 28,672 they are quicker).
type oddTile struct{ halvesTile }

func (w oddTile) takes(p *LinearParams, m int) bool {
	tiles := ceilDiv(m, w.tall())
	return w.halvesTile.takes(p, m) && (tiles%2 == 1 || tiles == 2 && p.Matrix.Rows <= 16384)
}
