package kernel

import (
	"context"
	"slices"
	"time"
)

// TriedTile is a tile that was measured.
type TriedTile struct {
	TunedTile
	Seconds float64 `json:"seconds"` // of one product
	Best    bool    `json:"best"`
	Skipped string  `json:"skipped,omitempty"` // why it was not measured
}

// TileTuning measures tiles for products of several rows whose matrices are alike.
type TileTuning struct {
	products []RowProduct
	m        int
	tried    []*triedTile
}

type triedTile struct {
	TriedTile
	trial
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
// adapter leaves no choice.
func NewTileTuning(products []RowProduct, class int) (*TileTuning, error) {
	first := products[0]
	p, room := first.params, first.Views
	m := min(TileRows[class], int(room.X.Size)/(4*p.XStride), int(room.Y.Size)/(4*p.YStride))
	if rowsClass(m) != class {
		return nil, nil
	}
	t := &TileTuning{m: m}
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
		tried := &triedTile{TriedTile: TriedTile{TunedTile: TunedTile{p.TileMatrix(), TileRows[class], tileName(s)}}}
		for _, product := range t.products {
			params := product.params
			params.only, params.Late = s, false
			l, err := NewLinear(product.dev, params)
			if err != nil {
				return nil, err
			}
			tried.linears = append(tried.linears, l)
		}
		t.tried = append(t.tried, tried)
	}
	return t, nil
}

// Run measures, and returns what was tried, the adapter's own choice first. A tile that gives other bits than that is not the best.
func (t *TileTuning) Run(ctx context.Context) ([]TriedTile, error) {
	var trials []*trial
	for _, s := range t.tried {
		trials = append(trials, &s.trial)
	}
	best, err := measure(ctx, t.products, trials, t.m, 0, tileTime)
	if err != nil {
		return nil, err
	}
	var all []TriedTile
	for i, s := range t.tried {
		s.Seconds, s.Skipped, s.Best = s.seconds, s.skipped, i == best
		all = append(all, s.TriedTile)
	}
	return all, nil
}
