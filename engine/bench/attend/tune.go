package attend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"quire/engine/attention"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// Tried is one tile that was measured.
type Tried struct {
	Kind    Kind    `json:"kind"` // forward or decode
	HeadDim int     `json:"headDim"`
	Tile    string  `json:"tile"`
	Span    int     `json:"span,omitempty"` // keys that decode gives a workgroup; 0: as without tuning
	Seconds float64 `json:"seconds"`        // of one launch
	TFLOPs  float64 `json:"tflopPerSecond,omitempty"`
	GBs     float64 `json:"gbPerSecond,omitempty"`
	Best    bool    `json:"best"`
	Skipped string  `json:"skipped,omitempty"` // why it was not measured
}

// Tuned is what Tune found.
type Tuned struct {
	Adapter string           `json:"adapter"`
	Type    string           `json:"type"`
	Tried   []Tried          `json:"tried"`
	Tuning  attention.Tuning `json:"tuning"`
}

// Tune opens the adapter and measures attention's tiles on it: forward and decode at head dims 64 and 128, and the spans of
// decode's keys. quick measures less, for a first impression. A tile that does not run, or gives other results than the
// baseline, is not chosen; where subgroups make the baseline itself give other results, all go without. tell, which may be nil, hears of every measurement.
func Tune(ctx context.Context, o gpu.Options, quick bool, tell func(Progress)) (*Tuned, error) {
	if tell == nil {
		tell = func(Progress) {}
	}
	d, err := gpu.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer d.Release()
	t := newTuner(d, quick, tell)
	if err := t.checkSubgroups(ctx); err != nil {
		return nil, err
	}
	for _, dim := range t.dims {
		best := attention.Best{HeadDim: dim}
		if best.Prefill, best.Matrix, err = t.prefill(ctx, dim); err != nil {
			return nil, err
		}
		if best.Decode, best.Units, err = t.decode(ctx, dim); err != nil {
			return nil, err
		}
		t.found.Tuning.Tiles = append(t.found.Tuning.Tiles, best)
	}
	return t.found, nil
}

type tuner struct {
	device        *gpu.Device
	info          gpu.AdapterInfo
	tell          func(Progress)
	found         *Tuned
	dims          []int
	forward, step Case // what is measured, of prefill and of decode
	most          int  // tiles of a kind; 0: all
	spans         []int
	done, total   int
	results       map[caseKey][]float32 // the baseline's, without subgroups
}

// caseKey tells cases apart whose results differ.
type caseKey struct {
	kind    Kind
	headDim int
}

func (c Case) key() caseKey { return caseKey{c.Kind, c.HeadDim} }

func newTuner(d *gpu.Device, quick bool, tell func(Progress)) *tuner {
	info := d.Info()
	t := &tuner{device: d, info: info, tell: tell, dims: []int{64, 128}, spans: []int{64, 128, 256, 512, 1024, 2048, 4096}, results: map[caseKey][]float32{},
		found: &Tuned{Adapter: info.Name, Type: info.Type, Tried: []Tried{}, Tuning: attention.NewTuning(info)}}
	length, context, heads, decodeHeads := 1024, 4096, 8, Heads{32, 8}
	switch info.Type {
	case "discrete":
		length, context = 4096, 16384
	case "cpu":
		length, context, heads, decodeHeads = 128, 512, 2, Heads{4, 2}
	}
	if quick {
		t.dims, t.spans, length, context = t.dims[:1], nil, length/4, context/4
		if info.Type == "cpu" {
			t.most = 2 // software adapters take seconds to compile a tile
		}
	}
	half := kernel.KVF16.String()
	t.forward = Case{Kind: Forward, Method: Flash, Length: length, queries: length, Heads: heads, KVHeads: heads, Batch: 1, Causal: true, KVType: half}
	t.step = Case{Kind: Decode, Method: Flash, Length: context, queries: 1, Heads: decodeHeads.Query, KVHeads: decodeHeads.KV, Batch: 1, Causal: true, KVType: half}
	for _, dim := range t.dims {
		t.total += len(t.tiles(t.forward, dim)) + len(t.tiles(t.step, dim)) + len(t.spans)
	}
	return t
}

// tiles names what is measured of a case, the baseline first.
func (t *tuner) tiles(c Case, dim int) []string {
	c.HeadDim = dim
	prefill, decode := attention.Tiles(t.info, c.params())
	if c.Kind == Decode {
		prefill = decode
	}
	if t.found.Tuning.Plain {
		prefill = slices.DeleteFunc(prefill, attention.NeedsSubgroups)
	}
	if t.most > 0 {
		prefill = prefill[:min(t.most, len(prefill))]
	}
	return prefill
}

// prefill returns the fastest tile that computes in f32, and the matrix variant's where that is faster.
func (t *tuner) prefill(ctx context.Context, dim int) (tile, matrix string, err error) {
	c := t.forward
	c.HeadDim = dim
	tried, err := t.tryAll(ctx, c, t.tiles(c, dim))
	if err != nil {
		return "", "", err
	}
	fastest, plain := best(tried, anyTile), best(tried, func(m *Tried) bool { return !attention.IsMatrix(m.Tile) })
	plain.Best, fastest.Best = true, true
	t.found.Tried = append(t.found.Tried, values(tried)...)
	if fastest != plain {
		matrix = fastest.Tile
	}
	return plain.Tile, matrix, nil
}

// decode returns the fastest tile and the compute units that its best span fills; 0 where spans are not measured.
func (t *tuner) decode(ctx context.Context, dim int) (string, int, error) {
	c := t.step
	c.HeadDim = dim
	tried, err := t.tryAll(ctx, c, t.tiles(c, dim))
	if err != nil {
		return "", 0, err
	}
	fastest := best(tried, anyTile)
	fastest.Best = true
	t.found.Tried = append(t.found.Tried, values(tried)...)
	if len(t.spans) == 0 {
		return fastest.Tile, 0, nil
	}
	tried = nil
	c.Variant = fastest.Tile
	for _, c.span = range t.spans {
		m, err := t.try(ctx, c)
		if err != nil {
			return "", 0, err
		}
		tried = append(tried, m)
	}
	span := best(tried, anyTile)
	if span != nil {
		span.Best = true
	}
	t.found.Tried = append(t.found.Tried, values(tried)...)
	if span == nil {
		return fastest.Tile, 0, nil
	}
	return fastest.Tile, attention.UnitsFor(span.Span, c.Length, c.KVHeads), nil
}

func anyTile(*Tried) bool { return true }

// best returns the fastest of those that were measured and fit, or nil. Among tiles there is one: without the baseline no
// tuning goes on.
func best(tried []*Tried, fit func(*Tried) bool) *Tried {
	measured := slices.DeleteFunc(slices.Clone(tried), func(m *Tried) bool { return m.Skipped != "" || !fit(m) })
	if len(measured) == 0 {
		return nil
	}
	return slices.MinFunc(measured, func(a, b *Tried) int { return cmp.Compare(a.Seconds, b.Seconds) })
}

func values(tried []*Tried) []Tried {
	var list []Tried
	for _, m := range tried {
		list = append(list, *m)
	}
	return list
}

func (t *tuner) tryAll(ctx context.Context, c Case, tiles []string) ([]*Tried, error) {
	var tried []*Tried
	for _, c.Variant = range tiles {
		m, err := t.try(ctx, c)
		if err != nil {
			return nil, err
		}
		tried = append(tried, m)
	}
	return tried, nil
}

// try measures a case. An error is one that ends the tuning; what only this tile lacks is told in the result.
func (t *tuner) try(ctx context.Context, c Case) (*Tried, error) {
	t.tell(Progress{Stage: c.String(), Done: t.done, Total: t.total})
	t.done++
	m := &Tried{Kind: c.Kind, HeadDim: c.HeadDim, Tile: c.Variant, Span: c.span}
	err := t.time(ctx, c, m)
	switch {
	case err == nil:
	case c.Variant == "baseline" && c.span == 0 || t.ends(ctx, err):
		return nil, fmt.Errorf("%s: %w", c, err)
	default:
		m.Skipped = err.Error()
	}
	return m, nil
}

// ends reports whether nothing can be measured after an error.
func (t *tuner) ends(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, gpu.ErrDeviceLost) || t.device.Err() != nil
}

// checkSubgroups runs the baseline without subgroups, and holds it with subgroups to that. One case where they are wrong is
// enough for the adapter to go without.
func (t *tuner) checkSubgroups(ctx context.Context) error {
	chosen := t.found.Tuning.AsChosen("baseline", t.info)
	if chosen == "baseline" {
		return nil
	}
	for _, dim := range t.dims {
		for _, c := range []Case{t.forward, t.step} {
			c.HeadDim, c.Variant = dim, "baseline"
			results, err := t.run(ctx, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c, err)
			}
			t.results[c.key()] = results
			if t.found.Tuning.Plain {
				continue
			}
			c.Variant = chosen
			results, err = t.run(ctx, c)
			if err == nil {
				err = agree(t.results[c.key()], results)
			}
			if err != nil && t.ends(ctx, err) {
				return fmt.Errorf("%s: %w", c, err)
			}
			t.found.Tuning.Plain = err != nil
		}
	}
	return nil
}

// run returns a case's results.
func (t *tuner) run(ctx context.Context, c Case) ([]float32, error) {
	f, err := t.ready(ctx, c)
	if err != nil {
		return nil, err
	}
	defer f.release()
	return t.launch(ctx, f)
}

// ready returns a case that can be launched.
func (t *tuner) ready(ctx context.Context, c Case) (*flash, error) {
	f, err := newFlash(t.device, c)
	if err != nil {
		return nil, err
	}
	if err = f.wait(ctx); err == nil {
		err = f.bind()
	}
	if err != nil {
		f.release()
		return nil, err
	}
	return f, nil
}

// launch runs a case that is ready once and returns its results.
func (t *tuner) launch(ctx context.Context, f *flash) ([]float32, error) {
	var rec gpu.Recorder
	f.record(&rec)
	if err := t.device.Submit(&rec); err != nil {
		return nil, err
	}
	out := f.operands.Out.Buffer
	return readFloats(ctx, out, min(out.Size(), 1<<20))
}

// time runs a case, holds its results to the baseline's, and measures it.
func (t *tuner) time(ctx context.Context, c Case, m *Tried) error {
	c.Variant = t.found.Tuning.AsChosen(c.Variant, t.info)
	f, err := t.ready(ctx, c)
	if err != nil {
		return err
	}
	defer f.release()
	results, err := t.launch(ctx, f)
	if err != nil {
		return err
	}
	if baseline, known := t.results[c.key()]; !known {
		t.results[c.key()] = results // the first is the baseline
	} else if err := agree(baseline, results); err != nil {
		return err
	}
	took, err := timeLaunch(ctx, t.device, false, f.record)
	if err != nil {
		return err
	}
	m.Seconds = took.wall
	if c.Kind == Decode {
		m.GBs = c.bytes() / took.wall / 1e9
	} else {
		m.TFLOPs = c.operations() / took.wall / 1e12
	}
	return nil
}

// agree returns an error where results are further from the baseline's than f16 products explain.
func agree(baseline, results []float32) error {
	scale, worst := 0.0, 0.0
	for i, x := range baseline {
		scale = max(scale, math.Abs(float64(x)))
		worst = max(worst, math.Abs(float64(results[i]-x)))
		if results[i] != results[i] {
			return errors.New("its results are not numbers")
		}
	}
	if worst > scale/50 {
		return fmt.Errorf("its results differ from the baseline's by %.3g", worst)
	}
	return nil
}
