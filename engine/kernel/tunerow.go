package kernel

import (
	"context"
	"slices"

	"quire/engine/gpu"
)

// TriedRow is a shape that was measured.
type TriedRow struct {
	TunedRow
	Seconds float64 `json:"seconds"` // of one product
	Best    bool    `json:"best"`
	Skipped string  `json:"skipped,omitempty"` // why it was not measured
}

// RowProduct is a product that is to be tuned, and its buffers. What x, y and the step hold is lost.
type RowProduct struct {
	*Linear
	Views LinearViews
}

// RowTuning measures shapes for products of one row whose matrices are alike, each with its own weights: enough of them that caches
// hold none.
type RowTuning struct {
	products []RowProduct
	tried    []*triedRow
}

type triedRow struct {
	TriedRow
	trial
}

const rowWeights = 256 << 20 // bytes that are read before a matrix comes again

// RowMatrix tells what a tuning of the product's row is for; ok is false where its shape is no choice.
func (l *Linear) RowMatrix() (m RowMatrix, ok bool) {
	_, ok = l.row()
	return l.params.RowMatrix(), ok && l.params.Variant == "" && !l.params.Deterministic && l.params.Adapters == nil
}

// row is the way of one row, where the adapter has a shape of its own for it.
func (l *Linear) row() (w matvecWay, ok bool) {
	w, ok = l.ways[l.way(1)].shape.(matvecWay)
	return w, ok && w.rows == 1
}

// NewRowTuning starts to compile the shapes that products may take, at most so many; 0: all.
func NewRowTuning(products []RowProduct, most int) (*RowTuning, error) {
	t := &RowTuning{}
	var bytes uint64
	for _, p := range products {
		if bytes < rowWeights {
			t.products = append(t.products, p)
		}
		bytes += p.params.Matrix.Bytes()
	}
	first := products[0]
	w, _ := first.row()
	shapes := rowShapes(&first.params, w.subgroup, first.dev.Limits())
	quick := most > 0 && most < len(shapes)
	if quick {
		shapes = shapes[:most]
	}
	for _, s := range shapes {
		tried := &triedRow{TriedRow: TriedRow{TunedRow: TunedRow{first.params.RowMatrix(), s.exported(), quick}}}
		for _, p := range t.products {
			params := p.params
			params.Row, params.MaxRows, params.Late = &tried.RowShape, 1, false
			l, err := NewLinear(p.dev, params)
			if err != nil {
				return nil, err
			}
			tried.linears = append(tried.linears, l)
		}
		t.tried = append(t.tried, tried)
	}
	return t, nil
}

// Run measures, and returns what was tried, the adapter's own choice first. A shape that gives other results than that is not the best.
func (t *RowTuning) Run(ctx context.Context) ([]TriedRow, error) {
	var trials []*trial
	for _, s := range t.tried {
		trials = append(trials, &s.trial)
	}
	best, err := measure(ctx, t.products, trials, 1, 1e-4, 0)
	if err != nil {
		return nil, err
	}
	var all []TriedRow
	for i, s := range t.tried {
		s.Seconds, s.Skipped, s.Best = s.seconds, s.skipped, i == best
		all = append(all, s.TriedRow)
	}
	return all, nil
}

// rowShapes lists what shapes a kernel for one row may take, the adapter's own choice first.
func rowShapes(p *LinearParams, subgroup uint32, limits gpu.Limits) []matvecShape {
	own := *p
	own.Row = nil
	list := []matvecShape{own.matvecShape(1, subgroup)}
	add := func(s matvecShape) {
		if p.fits(s, limits) && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	for _, lanes := range []int{4, 8, 16, 32, 64, 128, 256} {
		for tile := 1; tile <= widestTile; tile *= 2 {
			for _, batch := range []int{0, 1, 2, 4, 8} {
				add(matvecShape{lanes: lanes, tile: tile, workgroup: max(matvecWorkgroup, lanes), batch: batch})
			}
			for _, workgroup := range []int{matvecWorkgroup, stripsWorkgroup} {
				add(matvecShape{lanes: lanes, tile: tile, workgroup: workgroup, strips: true})
			}
		}
	}
	return list
}
