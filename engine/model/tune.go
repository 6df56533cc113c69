package model

import (
	"context"

	"quire/engine/kernel"
)

// TuneRows measures the shapes of products of one row, at most so many of each kind of matrix (0: all). What the step and the
// activations hold is lost.
func (g *Graph) TuneRows(ctx context.Context, most int, tell func(m kernel.RowMatrix, done, total int)) (tried []kernel.TriedRow, err error) {
	var kinds []kernel.RowMatrix
	products := map[kernel.RowMatrix][]kernel.RowProduct{}
	for _, l := range g.linears {
		m, ok := l.RowMatrix()
		if !ok {
			continue
		}
		if products[m] == nil {
			kinds = append(kinds, m)
		}
		products[m] = append(products[m], kernel.RowProduct{Linear: l.Linear, Views: l.views()})
	}
	for i, m := range kinds {
		tell(m, i, len(kinds))
		t, err := kernel.NewRowTuning(products[m], most)
		if err != nil {
			return nil, err
		}
		list, err := t.Run(ctx)
		if err != nil {
			return nil, err
		}
		tried = append(tried, list...)
	}
	return tried, nil
}
