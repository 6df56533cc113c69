package kernel

import (
	"slices"

	"quire/engine/gpu"
)

// TriedRow is a shape that was measured.
type TriedRow struct {
	TunedRow
	Measured
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

// NewRowTuning starts to compile the shapes that products of one row may take, at most so many; 0: all. Each product has its own weights:
// enough of them are measured that caches hold none.
func NewRowTuning(products []RowProduct, most int) (*Tuning[TriedRow], error) {
	t := &Tuning[TriedRow]{m: 1, part: 1e-4}
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
		row := TunedRow{first.params.RowMatrix(), s.exported(), quick}
		if err := t.try(func(p *LinearParams) { p.Row, p.MaxRows = &row.RowShape, 1 }, func(m Measured) TriedRow { return TriedRow{row, m} }); err != nil {
			return nil, err
		}
	}
	return t, nil
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
