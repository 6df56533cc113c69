package runner

import (
	"context"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// drawing is what some draws take on its way: it compiles and is tested while the model runs.
type drawing struct {
	of     kernel.Draws
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// end has nothing of it run any more.
func (w *drawing) end() {
	w.cancel()
	<-w.done
}

// makeDraws begins to make what draws take, unless that was done before.
func (r *resources) makeDraws(d *gpu.Device, of kernel.Draws) error {
	for _, w := range r.drawing {
		of.Random, of.Logprobs = of.Random && !w.of.Random, of.Logprobs && !w.of.Logprobs
	}
	if r.sampler == nil || !of.Random && !of.Logprobs {
		return nil
	}
	if err := r.sampler.Make(of); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w, kernels, tested := &drawing{of: of, cancel: cancel, done: make(chan struct{})}, r.sampler.Testing(of), r.tested
	r.drawing = append(r.drawing, w)
	go func() {
		defer close(w.done)
		if w.err = kernels.Wait(ctx); w.err == nil && tested {
			w.err = test(ctx, d, kernels)
		}
	}()
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

// awaitDraws waits for what a step's draws take.
func (r *Runner) awaitDraws(d kernel.Draws) error {
	if !d.Random && !d.Logprobs {
		return nil
	}
	if err := r.drawn(d); err != nil {
		return err
	}
	return r.sampler.Ready(context.Background(), r.samplerBind, d)
}
