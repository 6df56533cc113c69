package engine

import (
	"context"
	"fmt"

	"quire/engine/attention"
	"quire/engine/kernel"
)

// TuneRows measures, for each kind of matrix that the model has, in which shapes its adapter multiplies one row fastest, of at most so many
// (0: all), and returns what was tried and the tuning that comes of it. tell hears of each. The engine is good for nothing else afterwards but
// to be closed.
func (e *Engine) TuneRows(ctx context.Context, most int, tell func(m kernel.RowMatrix, done, total int)) (tried []kernel.TriedRow, t attention.Tuning, err error) {
	err = e.loop.CallReady(func() (err error) {
		tried, err = e.machine.Runner.TuneRows(ctx, most, tell)
		return err
	})
	if err == nil && len(tried) == 0 {
		err = fmt.Errorf("adapter %s leaves no choice: its products take the baseline", e.info.Adapter.Name)
	}
	t = attention.NewTuning(e.info.Adapter)
	for _, row := range tried {
		if row.Best {
			t.Products = append(t.Products, row.TunedRow)
		}
	}
	return tried, t, err
}

// TuneTiles measures, for each kind of matrix that the model has, in which tiles its adapter multiplies several rows fastest (quick: many rows
// only), and returns what was tried and the tuning that comes of it; neither where the adapter leaves no choice. tell hears of each. The engine
// is good for nothing else afterwards but for TuneRows, and to be closed.
func (e *Engine) TuneTiles(ctx context.Context, quick bool, tell func(m kernel.RowMatrix, done, total int)) (tried []kernel.TriedTile, t attention.Tuning, err error) {
	err = e.loop.CallReady(func() (err error) {
		tried, err = e.machine.Runner.TuneTiles(ctx, quick, tell)
		return err
	})
	t = attention.NewTuning(e.info.Adapter)
	for _, tile := range tried {
		if tile.Best {
			t.ProductTiles = append(t.ProductTiles, tile.TunedTile)
		}
	}
	return tried, t, err
}
