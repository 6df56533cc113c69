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

// Measured is what came of a way of a product that was tried.
type Measured struct {
	Seconds float64 `json:"seconds"` // of one product
	Best    bool    `json:"best"`
	Skipped string  `json:"skipped,omitempty"` // why it was not measured
}

// trial is products in one way, to be compared with the same in others.
type trial struct {
	Measured
	linears []*Linear
	binds   []*LinearBind
	times   []float64
}

const (
	trialRounds = 5
	trialGain   = 0.97 // of the time of the adapter's own choice, which less does not replace
)

// measure runs trials with m rows, the adapter's own choice first, and tells the best. One that gives other results than the first, by
// more than a part of the largest, is not it. No round begins after so long; 0: all do.
func measure(ctx context.Context, products []RowProduct, trials []*trial, m int, part float64, long time.Duration) error {
	dev := products[0].dev
	if err := fill(products[0], m); err != nil {
		return err
	}
	var own []float32
	for _, s := range trials {
		got, err := s.try(ctx, products, m)
		switch {
		case ctx.Err() != nil || dev.Err() != nil || err != nil && own == nil:
			return cmp.Or(err, ctx.Err(), dev.Err())
		case err != nil:
			s.Skipped = err.Error()
		case own == nil:
			own = got
		default:
			s.Skipped = differ(own, got, part)
		}
	}
	start := time.Now()
	for round := range trialRounds {
		if round > 0 && long > 0 && time.Since(start) > long {
			break
		}
		for _, s := range trials {
			if err := s.time(ctx, dev, m); err != nil {
				return err
			}
		}
	}
	best := trials[0]
	for _, s := range trials {
		if len(s.times) > 0 {
			slices.Sort(s.times)
			s.Seconds = s.times[len(s.times)/2]
		}
		if s.Skipped == "" && s.Seconds < min(best.Seconds, trialGain*trials[0].Seconds) {
			best = s
		}
	}
	best.Best = true
	return nil
}

// fill makes x random, and a step of m tokens that stores nothing.
func fill(product RowProduct, m int) error {
	rng := rand.New(rand.NewPCG(1, 2))
	v, p := product.Views, product.params
	x := make([]uint32, m*p.XStride)
	for row := range m {
		for i := range p.Matrix.Cols {
			x[row*p.XStride+i] = math.Float32bits(float32(rng.NormFloat64()))
		}
	}
	d := StepData{Tokens: make([]uint32, m), Positions: make([]uint32, m), Outputs: make([]Output, 1), Pools: make([]PoolItem, 1), Slots: [][]int32{slices.Repeat([]int32{-1}, m)}}
	step := d.AppendWords(nil)
	for g := range MaxGroups {
		step[wordAtSlots+g] = step[wordAtSlots]
	}
	if err := v.X.Buffer.Upload(v.X.Offset, words(x)); err != nil {
		return err
	}
	return v.Step.Buffer.Upload(v.Step.Offset, words(step))
}

// try runs the way once and returns what it gives.
func (s *trial) try(ctx context.Context, products []RowProduct, m int) ([]float32, error) {
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
	size := min(y.Size, uint64(4*m*p.params.YStride))
	var rec gpu.Recorder
	rec.Clear(y.Buffer, y.Offset, size)
	s.linears[0].Record(&rec, s.binds[0], m)
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

// differ says how results differ by more than a part of the largest; "" where they do not.
func differ(want, got []float32, part float64) string {
	most, worst := 0.0, 0.0
	for i, w := range want {
		most = max(most, math.Abs(float64(w)))
		worst = max(worst, math.Abs(float64(got[i]-w)))
	}
	if !(worst <= part*most) {
		return fmt.Sprintf("results differ by %.2g, of %.2g at most", worst, most)
	}
	return ""
}

// time measures the way: by the GPU's own clock where it has one.
func (s *trial) time(ctx context.Context, dev *gpu.Device, m int) error {
	if s.Skipped != "" {
		return nil
	}
	clock := dev.Features().Has(gpu.FeatureTimestamps)
	rec := gpu.Recorder{Profile: clock}
	for i, l := range s.linears {
		l.Record(&rec, s.binds[i], m)
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
	if m == 1 {
		for _, t := range timings {
			s.times = append(s.times, t.Nanoseconds/1e9)
		}
		return err
	}
	total := 0.0 // of several kernels each
	for _, t := range timings {
		total += t.Nanoseconds / 1e9
	}
	s.times = append(s.times, total/float64(len(s.linears)))
	return err
}
