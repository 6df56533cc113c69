package runner

import (
	"context"

	"quire/engine/kernel"
)

// TuneRows measures the shapes of products of one row, at most so many of each kind of matrix (0: all). No step may be in flight, and none
// come after.
func (r *Runner) TuneRows(ctx context.Context, most int, tell func(m kernel.RowMatrix, done, total int)) ([]kernel.TriedRow, error) {
	return r.graph.TuneRows(ctx, most, tell)
}

// TuneTiles measures the tiles of products of several rows; quick: of many only. No step may be in flight, and none come after.
func (r *Runner) TuneTiles(ctx context.Context, quick bool, tell func(m kernel.RowMatrix, done, total int)) ([]kernel.TriedTile, error) {
	return r.graph.TuneTiles(ctx, quick, tell)
}
