package kernel

import (
	"strconv"

	"quire/engine/gpu"
)

// LinearBind is a Linear's buffers, bound.
type LinearBind struct {
	views LinearViews
	norm  *gpu.BindGroup
	round *gpu.BindGroup
	sums  []*gpu.BindGroup     // of the ways that sum in parts
	ways  [][][]*gpu.BindGroup // of each way and piece, one a part of K; none for late ways until they are taken
}

// Bind binds the product's buffers; it waits for kernels that still compile.
func (l *Linear) Bind(v LinearViews) (*LinearBind, error) {
	b := &LinearBind{views: v, sums: make([]*gpu.BindGroup, len(l.ways)), ways: make([][][]*gpu.BindGroup, len(l.ways))}
	if l.norm != nil {
		g, err := l.norm.Bind(v.Step, v.X, v.Norm, v.Normed)
		if err != nil {
			return nil, err
		}
		b.norm = g
	}
	if l.round != nil {
		x := v.X
		if l.params.Norm {
			x = v.Normed
		}
		g, err := l.dev.Bind(l.round, v.Step, x, v.Rounded)
		if err != nil {
			return nil, err
		}
		b.round = g
	}
	for i, w := range l.ways {
		if w.late {
			continue
		}
		if err := l.bind(b, i); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// bind binds the kernels of a way.
func (l *Linear) bind(b *LinearBind, i int) error {
	v := b.views
	// What a product does without is bound to x, which it only reads too.
	bias, norm, x := v.X, v.X, v.X
	if l.params.Bias {
		bias = v.Bias
	}
	w := l.ways[i]
	if l.params.Norm && w.norms() {
		norm = v.Norm
	} else if l.params.Norm {
		x = v.Normed
	}
	if rounds(w.shape) {
		x = v.Rounded
	}
	var all [][]*gpu.BindGroup
	for p, piece := range l.params.Matrix.Pieces {
		views := []gpu.View{v.Step, piece.codes, piece.scales, x, v.Y, bias}
		if w.norms() {
			views = append(views, norm)
		}
		if w.stores(&l.params) {
			views = l.params.headViews(v, piece)
		}
		switch {
		case w.split():
			views[4] = v.Parts
		case l.params.Adapters != nil:
			views = append(views, v.Adapters)
		}
		var parts []*gpu.BindGroup
		for _, k := range w.kernels[p] {
			g, err := l.dev.Bind(k, views...)
			if err != nil {
				return err
			}
			parts = append(parts, g)
		}
		all = append(all, parts)
	}
	if w.split() {
		if err := l.bindSum(b, i); err != nil {
			return err
		}
	}
	b.ways[i] = all
	return nil
}

// has says whether the i-th way may be recorded, and binds a late one once it is taken.
func (l *Linear) has(b *LinearBind, i int) bool {
	w := l.ways[i]
	if b.ways[i] == nil && w.taken.Load() && !w.givenUp.Load() && l.bind(b, i) != nil {
		w.givenUp.Store(true)
	}
	return b.ways[i] != nil
}

// want asks for a late way that is not there, and tells whether it may come.
func (w *way) want() bool {
	if w.givenUp.Load() {
		return false
	}
	w.wanted.Store(true)
	return true
}

// Way is how a number of rows is multiplied.
type Way struct {
	*way
	i    int
	Late bool // another way would be better, and may still be made
}

// Many says whether rows go through RMSNorm before they are multiplied, or would.
func (w Way) Many() bool { return !w.norms() }

// Way gives the way of m rows: the first that takes them, or what stands in for it until Complete has made it. For one that was given up
// the best of its stand-ins is made.
func (l *Linear) Way(b *LinearBind, m int) Way {
	i := l.way(m)
	w := l.ways[i]
	if l.has(b, i) {
		return Way{w, i, false}
	}
	late := w.want()
	for _, j := range w.standIns {
		if l.has(b, j) {
			return Way{l.ways[j], j, late}
		}
		late = late || l.ways[j].want()
	}
	panic("kernel: no way of " + strconv.Itoa(m) + " rows is there") // one row's always is
}

// way is the first that takes m rows.
func (l *Linear) way(m int) int {
	for i, w := range l.ways {
		if w.takes(&l.params, m) {
			return i
		}
	}
	return len(l.ways) - 1
}

// Record records y for m rows, the number that the step buffer's word MWord will hold. It tells whether LinearParams.Heads was done
// with them.
func (l *Linear) Record(rec *gpu.Recorder, b *LinearBind, m int) (stored bool) {
	return m > 0 && l.RecordBy(l.Way(b, m), rec, b, m)
}

// RecordBy does the same in a way that Way gave.
func (l *Linear) RecordBy(w Way, rec *gpu.Recorder, b *LinearBind, m int) (stored bool) {
	if m < 1 {
		return false
	}
	if l.norm != nil && !w.norms() {
		l.norm.Record(rec, b.norm, m)
	}
	if rounds(w.shape) {
		x, y := l.params.rounds(m)
		rec.Dispatch(l.round, b.round, x, y, 1)
	}
	for p, piece := range l.params.Matrix.Pieces {
		x, y, z := w.groups(&l.params, piece, m)
		for j, k := range w.kernels[p] {
			rec.Dispatch(k, b.ways[w.i][p][j], x, y, z)
		}
	}
	if w.split() {
		x, y := l.params.sumGroups(m)
		rec.Dispatch(w.sum, b.sums[w.i], x, y, 1)
	}
	return w.stores(&l.params)
}
