package kernel

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

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
	linears []*Linear
	binds   []*LinearBind
	times   []float64
}

const (
	rowRounds  = 5
	rowWeights = 256 << 20 // bytes that are read before a matrix comes again
	rowGain    = 0.97      // of the time of the adapter's own choice, which less does not replace
)

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
	first := t.products[0]
	if err := t.fill(); err != nil {
		return nil, err
	}
	var own []float32
	for _, s := range t.tried {
		got, err := s.try(ctx, t.products)
		switch {
		case ctx.Err() != nil || first.dev.Err() != nil || err != nil && own == nil:
			return nil, cmp.Or(err, ctx.Err(), first.dev.Err())
		case err != nil:
			s.Skipped = err.Error()
		case own == nil:
			own = got
		default:
			s.Skipped = differ(own, got)
		}
	}
	for range rowRounds {
		for _, s := range t.tried {
			if err := s.time(ctx, first.dev); err != nil {
				return nil, err
			}
		}
	}
	var all []TriedRow
	best := 0
	for i, s := range t.tried {
		if len(s.times) > 0 {
			slices.Sort(s.times)
			s.Seconds = s.times[len(s.times)/2]
		}
		all = append(all, s.TriedRow)
		if s.Skipped == "" && s.Seconds < min(all[best].Seconds, rowGain*all[0].Seconds) {
			best = i
		}
	}
	all[best].Best = true
	return all, nil
}

// fill makes x random, and a step of one token that stores nothing.
func (t *RowTuning) fill() error {
	rng := rand.New(rand.NewPCG(1, 2))
	v, p := t.products[0].Views, t.products[0].params
	x := make([]uint32, p.XStride)
	for i := range p.Matrix.Cols {
		x[i] = math.Float32bits(float32(rng.NormFloat64()))
	}
	d := StepData{Tokens: make([]uint32, 1), Positions: make([]uint32, 1), Outputs: make([]Output, 1), Pools: make([]PoolItem, 1)}
	for range MaxGroups {
		d.Slots = append(d.Slots, []int32{-1})
	}
	if err := v.X.Buffer.Upload(v.X.Offset, words(x)); err != nil {
		return err
	}
	return v.Step.Buffer.Upload(v.Step.Offset, words(d.AppendWords(nil)))
}

// try runs the shape once and returns what it gives.
func (s *triedRow) try(ctx context.Context, products []RowProduct) ([]float32, error) {
	for i, l := range s.linears {
		if err := l.Wait(ctx); err != nil {
			return nil, err
		}
		b, err := l.Bind(products[i].Views)
		if err != nil {
			return nil, err
		}
		s.binds = append(s.binds, b)
	}
	p := products[0]
	y := p.Views.Y
	size := min(y.Size, uint64(4*p.params.YStride))
	var rec gpu.Recorder
	rec.Clear(y.Buffer, y.Offset, size)
	s.linears[0].Record(&rec, s.binds[0], 1)
	if err := p.dev.Submit(&rec); err != nil {
		return nil, err
	}
	data := make([]byte, size)
	if err := y.Buffer.Read(ctx, y.Offset, data); err != nil {
		return nil, err
	}
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out, nil
}

// differ says how results differ by more than rounding does; "" where they do not.
func differ(want, got []float32) string {
	most, worst := 0.0, 0.0
	for i, w := range want {
		most = max(most, math.Abs(float64(w)))
		worst = max(worst, math.Abs(float64(got[i]-w)))
	}
	if !(worst <= 1e-4*most) {
		return fmt.Sprintf("results differ by %.2g, of %.2g at most", worst, most)
	}
	return ""
}

// time measures the shape: by the GPU's own clock where it has one.
func (s *triedRow) time(ctx context.Context, dev *gpu.Device) error {
	if s.Skipped != "" {
		return nil
	}
	clock := dev.Features().Has(gpu.FeatureTimestamps)
	rec := gpu.Recorder{Profile: clock}
	for i, l := range s.linears {
		l.Record(&rec, s.binds[i], 1)
	}
	start := time.Now()
	if err := dev.Submit(&rec); err != nil {
		return err
	}
	if !clock {
		err := dev.Idle(ctx)
		s.times = append(s.times, time.Since(start).Seconds()/float64(len(s.linears)))
		return err
	}
	timings, err := dev.Timings(ctx, &rec)
	for _, t := range timings {
		s.times = append(s.times, t.Nanoseconds/1e9)
	}
	return err
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
