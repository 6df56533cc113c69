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

// TuneTiles measures the tiles of products of several rows, for each kind of matrix, of so many rows as the activations have room for; quick:
// for many only. What the step and the activations hold is lost.
func (g *Graph) TuneTiles(ctx context.Context, quick bool, tell func(m kernel.RowMatrix, done, total int)) (tried []kernel.TriedTile, err error) {
	var kinds []kernel.TileMatrix
	products := map[kernel.TileMatrix][]kernel.RowProduct{}
	for _, l := range g.linears {
		m, ok := l.TuneTiles()
		if !ok {
			continue
		}
		if products[m] == nil {
			kinds = append(kinds, m)
		}
		products[m] = append(products[m], kernel.RowProduct{Linear: l.Linear, Views: l.views()})
	}
	first := 0
	if quick {
		first = len(kernel.TileRows) - 1
	}
	for i, m := range kinds {
		tell(m.RowMatrix, i, len(kinds))
		for class := first; class < len(kernel.TileRows); class++ {
			t, err := kernel.NewTileTuning(products[m], class)
			if err != nil {
				return nil, err
			}
			if t == nil {
				continue
			}
			list, err := t.Run(ctx)
			if err != nil {
				return nil, err
			}
			tried = append(tried, list...)
		}
	}
	return tried, nil
}
