package kernel

import (
	"slices"
	"time"
)

// TriedTile is a tile that was measured.
type TriedTile struct {
	TunedTile
	Measured
}

// tileWork bounds the products of two numbers that a tile is measured with at a time, and tileTime is how long rounds may begin, so that slow
// adapters are not kept for minutes.
const (
	tileWork = 1 << 35
	tileTime = time.Second / 2
)

// TuneTiles tells what a tuning of the product's tiles is for; ok is false where they are no choice.
func (l *Linear) TuneTiles() (m TileMatrix, ok bool) {
	p := &l.params
	return p.TileMatrix(), p.MWord == WordTokens && p.Variant == "" && !p.Deterministic && p.Adapters == nil
}

// NewTileTuning starts to compile the tiles that products may take for a class of rows, as far as buffers have room for them; nil where the
// adapter leaves no choice. Results may not differ by a bit.
func NewTileTuning(products []RowProduct, class int) (*Tuning[TriedTile], error) {
	first := products[0]
	p, room := first.params, first.Views
	m := min(TileRows[class], int(room.X.Size)/(4*p.XStride), int(room.Y.Size)/(4*p.YStride))
	if rowsClass(m) != class {
		return nil, nil
	}
	t := &Tuning[TriedTile]{m: m, long: tileTime}
	a, err := arithmeticOf(p.Variant, first.dev.Info())
	if err != nil {
		return nil, err
	}
	own := first.ways[first.way(m)].shape
	shapes := a.tilesOf(&p, own, class)
	if len(shapes) < 2 {
		return nil, nil
	}
	slices.SortStableFunc(shapes, func(s, u shape) int { return order(tileName(s) != tileName(own), tileName(u) != tileName(own)) })
	work, weights := 0, uint64(0)
	for _, p := range products {
		if t.products == nil || work < tileWork && weights < rowWeights {
			t.products = append(t.products, p)
		}
		work += m * p.params.Matrix.Rows * p.params.Matrix.Cols
		weights += p.params.Matrix.Bytes()
	}
	for _, s := range shapes {
		tile := TunedTile{p.TileMatrix(), TileRows[class], tileName(s)}
		if err := t.try(func(p *LinearParams) { p.only = s }, func(m Measured) TriedTile { return TriedTile{tile, m} }); err != nil {
			return nil, err
		}
	}
	return t, nil
}
