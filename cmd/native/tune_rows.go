package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"quire/engine"
	"quire/engine/attention"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// tunedRows is what tuning a model's products gives.
type tunedRows struct {
	Adapter string             `json:"adapter"`
	Type    string             `json:"type"`
	Tried   []kernel.TriedRow  `json:"tried"`
	Tiles   []kernel.TriedTile `json:"triedTiles,omitempty"`
	Tuning  attention.Tuning   `json:"tuning"`
}

// quickShapes is how many shapes a quick tuning measures of a kind of matrix.
const quickShapes = 4

// measureRows tunes the products of a model.
func (c *tuneCommand) measureRows(ctx context.Context, h *host, bar *progress) (*tunedRows, error) {
	f, err := openModel(ctx, c.Model, h.err)
	if err != nil {
		return nil, err
	}
	o := engine.Options{GPU: c.gpuFlags.options(), Context: kernel.MostTileRows, TokenBudget: kernel.MostTileRows, MaxSeqs: 1, Progress: bar.update}
	e, err := engine.Open(ctx, gpu.ReaderSource(f, f.size), o)
	if err != nil {
		return nil, f.wrap(err)
	}
	defer e.Close()
	most := 0
	if c.Quick {
		most = quickShapes
	}
	info := e.Info().Adapter
	t := &tunedRows{Adapter: info.Name, Type: info.Type}
	tell := func(what string) func(m kernel.RowMatrix, done, total int) {
		return func(m kernel.RowMatrix, done, total int) {
			bar.note(fmt.Sprintf("%d of %d: %s by %s of %d × %d", done+1, total, what, m.Type, m.Rows, m.Columns))
		}
	}
	var tiles attention.Tuning
	if t.Tiles, tiles, err = e.TuneTiles(ctx, c.Quick, tell("many rows")); err != nil {
		return nil, err
	}
	t.Tried, t.Tuning, err = e.TuneRows(ctx, most, tell("a row"))
	t.Tuning.ProductTiles = tiles.ProductTiles
	return t, err
}

// print lists the adapter's own choice of each matrix and the fastest.
func (t *tunedRows) print(w io.Writer) error {
	fmt.Fprintf(w, "adapter    %s\n\n", t.Adapter)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "type\trows\tcolumns\tus\tbest us\tlanes\ttile\tworkgroup\treads\t")
	own := 0.0
	for i, r := range t.Tried {
		if i == 0 || r.RowMatrix != t.Tried[i-1].RowMatrix {
			own = r.Seconds // the first is the adapter's choice
		}
		if r.Best {
			fmt.Fprintf(table, "%s\t%d\t%d\t%.1f\t%.1f\t%d\t%d\t%d\t%s\t\n", r.Type, r.Rows, r.Columns, 1e6*own, 1e6*r.Seconds, r.Lanes, r.Tile, r.Workgroup, reads(r.RowShape))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := t.printTiles(w); err != nil {
		return err
	}
	for _, r := range t.Tried {
		if r.Skipped != "" {
			fmt.Fprintf(w, "%s of %d × %d, %d lanes, tile %d, %s: %s\n", r.Type, r.Rows, r.Columns, r.Lanes, r.Tile, reads(r.RowShape), r.Skipped)
		}
	}
	return nil
}

// printTiles lists the same of several rows.
func (t *tunedRows) printTiles(w io.Writer) error {
	if len(t.Tiles) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "type\trows\tcolumns\ttokens\tus\tbest us\ttile\t")
	own := kernel.TriedTile{}
	for _, r := range t.Tiles {
		if r.TileMatrix != own.TileMatrix || r.Tokens != own.Tokens {
			own = r // the first is the adapter's choice
		}
		if r.Best {
			fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%.1f\t%.1f\t%s\t\n", r.Type, r.Rows, r.Columns, r.Tokens, 1e6*own.Seconds, 1e6*r.Seconds, r.Tile)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range t.Tiles {
		if r.Skipped != "" {
			fmt.Fprintf(w, "%s of %d × %d, %d tokens, %s: %s\n", r.Type, r.Rows, r.Columns, r.Tokens, r.Tile, r.Skipped)
		}
	}
	return nil
}

// reads says what an invocation reads of a row at once.
func reads(s kernel.RowShape) string {
	switch {
	case s.Strips:
		return "strip"
	case s.Batch > 1:
		return fmt.Sprintf("%d units", s.Batch)
	}
	return "unit"
}
