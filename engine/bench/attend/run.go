package attend

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"quire/engine/attention"
	"quire/engine/bench"
	"quire/engine/gpu"
)

// Progress tells what is being done, or, once there is another result, what has been found so far.
type Progress struct {
	Stage       string
	Done, Total int     // measurements
	Report      *Report // nil while something is begun; not to be kept
}

// Run opens the adapter, measures what it can do, and then all that the plan asks for. What does not fit the adapter, in
// size or by its variant, is a result that says why; where no variant runs at all, nothing is measured and the error is an
// ErrPlan. tell, which may be nil, hears of every measurement. With a later error, such as the context's, comes the report
// of what was measured before, if anything was.
func Run(ctx context.Context, o gpu.Options, p Plan, tell func(Progress)) (*Report, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if tell == nil {
		tell = func(Progress) {}
	}
	d, err := gpu.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer d.Release()
	p = p.filled(d.Info())
	b := &bencher{device: d, tell: tell, report: newReport(d)}
	cases := p.cases()
	b.total = 3 + len(cases) + len(p.HeadDims)*len(p.memory)
	if err := checkAdapter(cases, d.Info()); err != nil {
		return nil, err
	}
	if err := b.peaks(ctx); err != nil {
		return nil, err
	}
	for _, c := range cases {
		if err := b.measure(ctx, c); err != nil {
			return b.found(), fmt.Errorf("%s: %w", c, err)
		}
	}
	standard := slices.Contains(p.Kinds, Standard)
	for _, dim := range p.HeadDims {
		for _, length := range p.memory {
			if err := b.memory(ctx, length, dim, standard && slices.Contains(p.Lengths, length)); err != nil {
				return b.found(), err
			}
		}
	}
	return b.report, nil
}

// found is the report, or nil while it has no results.
func (b *bencher) found() *Report {
	if len(b.report.Results) == 0 {
		return nil
	}
	return b.report
}

func newReport(d *gpu.Device) *Report {
	info := d.Info()
	r := &Report{Adapter: info.Name, Type: info.Type, Backend: info.Backend, Driver: info.Driver, Features: info.Features.Names(),
		Clock: ClockWall, Results: []Result{}, Memory: []Memory{}}
	// Browsers round timestamps, by a tenth of a millisecond; on software adapters both clocks are the host's.
	if info.Features.Has(gpu.FeatureTimestamps) && info.Backend != "webgpu" && info.Type != "cpu" {
		r.Clock = ClockGPU
	}
	return r
}

type bencher struct {
	device      *gpu.Device
	tell        func(Progress)
	report      *Report
	done, total int
}

// next tells what is begun.
func (b *bencher) next(stage string) {
	b.tell(Progress{Stage: stage, Done: b.done, Total: b.total})
	b.done++
}

func (b *bencher) peaks(ctx context.Context) error {
	for _, m := range []struct {
		stage string
		of    func(context.Context, *gpu.Device) (float64, error)
		to    *float64
		unit  float64
	}{
		{"bandwidth", bench.Bandwidth, &b.report.Bandwidth, 1e9},
		{"copies", bench.CopyBandwidth, &b.report.Copy, 1e9},
		{"multiply-adds", bench.FMARate, &b.report.FMA, 1e12},
	} {
		b.next(m.stage)
		v, err := m.of(ctx, b.device)
		if err != nil {
			return err
		}
		*m.to = v / m.unit
	}
	return nil
}

// String names a case for progress and errors.
func (c Case) String() string {
	name := c.Method
	if c.Variant != "" {
		name += " " + c.Variant
	}
	heads := Heads{c.Heads, c.KVHeads}
	return fmt.Sprintf("%s %s of %d x %d, %s heads of %d", name, c.Kind, c.Batch, c.Length, heads, c.HeadDim)
}

func (b *bencher) measure(ctx context.Context, c Case) error {
	b.next(c.String())
	r := Result{Case: c, Operations: c.operations(), Bytes: c.bytes()}
	if err := c.lacks(b.device.Info()); err != nil {
		r.Skipped = err.Error()
	} else if err := b.time(ctx, &r); tooLarge(err) {
		r.Skipped = err.Error()
	} else if err != nil {
		return err
	}
	if c.Method == standardNamed {
		b.report.compare(r)
	}
	b.report.Results = append(b.report.Results, r)
	b.tell(Progress{Stage: c.String(), Done: b.done, Total: b.total, Report: b.report})
	return nil
}

// time runs a case and fills its result in.
func (b *bencher) time(ctx context.Context, r *Result) error {
	before := b.device.Stats().Bytes
	l, err := newLaunch(b.device, r.Case)
	if err != nil {
		return err
	}
	defer l.release()
	r.BufferBytes, r.Kernel = b.device.Stats().Bytes-before, l.kernel()
	if err := l.wait(ctx); err != nil {
		return err
	}
	if err := l.bind(); err != nil {
		return err
	}
	t, err := timeLaunch(ctx, b.device, b.report.Clock == ClockGPU, l.record)
	if err != nil {
		return err
	}
	r.WallSeconds, r.Seconds, r.Launches, r.Dispatches = t.wall, t.wall, t.launches, t.dispatches
	if t.gpu > 0 {
		r.Seconds = t.gpu
	}
	r.TFLOPs, r.GBs = r.Operations/r.Seconds/1e12, r.Bytes/r.Seconds/1e9
	r.FMAShare, r.BandwidthShare, r.CopyShare = r.TFLOPs/b.report.FMA, r.GBs/b.report.Bandwidth, r.GBs/b.report.Copy
	return nil
}

// tooLarge tells whether a case failed for want of memory or of a binding's size.
func tooLarge(err error) bool {
	return errors.Is(err, gpu.ErrOutOfMemory) || errors.Is(err, attention.ErrScores) || errors.Is(err, errBinding)
}
