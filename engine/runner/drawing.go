package runner

import (
	"context"
	"errors"
	"slices"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/step"
)

// drawing is what some draws take on its way: it compiles and is tested while the model runs.
type drawing struct {
	of     kernel.Draws
	cancel context.CancelFunc
	done   chan struct{}
	passed map[*gpu.Kernel]bool
	err    error
}

// end has nothing of it run any more.
func (w *drawing) end() {
	w.cancel()
	<-w.done
}

// makeDraws begins to make what draws take, unless that was done before: each for itself, so that one may fail alone.
func (r *resources) makeDraws(d *gpu.Device, of kernel.Draws) error {
	for _, one := range []kernel.Draws{{Random: of.Random}, {Logprobs: of.Logprobs}} {
		if r.sampler == nil || one == (kernel.Draws{}) || slices.ContainsFunc(r.drawing, func(w *drawing) bool { return w.of == one }) {
			continue
		}
		if err := r.sampler.Make(one); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(context.Background())
		w, kernels, tested := &drawing{of: one, cancel: cancel, done: make(chan struct{}), passed: map[*gpu.Kernel]bool{}}, r.sampler.Testing(one), r.tested
		r.drawing = append(r.drawing, w)
		go func() {
			defer close(w.done)
			if w.err = kernels.Wait(ctx); w.err == nil && tested {
				w.err = test(ctx, d, kernels, w.passed)
			}
		}()
	}
	return nil
}

// drawn waits for what was begun of what draws take.
func (r *resources) drawn(d kernel.Draws) error {
	for _, w := range r.drawing {
		if d.Random && w.of.Random || d.Logprobs && w.of.Logprobs {
			if <-w.done; w.err != nil {
				return w.err
			}
		}
	}
	return nil
}

// undrawable is why what draws take has failed, if that is known yet.
func (r *resources) undrawable(d kernel.Draws) error {
	for _, w := range r.drawing {
		select {
		case <-w.done:
			if w.err != nil && (d.Random && w.of.Random || d.Logprobs && w.of.Logprobs) {
				return w.err
			}
		default:
		}
	}
	return nil
}

// awaitDraws waits for what a step's draws take. Where that has failed the sequences that need it fail, and the others' draws are left.
func (r *Runner) awaitDraws(d kernel.Draws, s *step.Step, f *flight) (kernel.Draws, error) {
	for _, one := range []kernel.Draws{{Random: d.Random}, {Logprobs: d.Logprobs}} {
		if one == (kernel.Draws{}) {
			continue
		}
		err := r.drawn(one)
		if err == nil {
			err = r.sampler.Ready(context.Background(), r.samplerBind, one)
		}
		if err == nil {
			continue
		}
		if errors.Is(err, gpu.ErrDeviceLost) {
			return d, err
		}
		d.Random, d.Logprobs = d.Random && !one.Random, d.Logprobs && !one.Logprobs
		for _, o := range s.Outputs {
			row := s.Rows[o.Row]
			if o.Sample && (one.Random && r.random[row.Lane] || one.Logprobs && r.logprobs[row.Lane]) {
				f.failed = append(f.failed, step.Failed{Sequence: row.Sequence, Err: err})
			}
		}
	}
	return d, nil
}
