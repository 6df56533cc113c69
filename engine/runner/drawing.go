package runner

import (
	"context"
	"errors"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/step"
)

// drawing is what some draws take on its way: it compiles and is tested while the model runs.
type drawing struct {
	of     kernel.Draws
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once it is done
}

// end has nothing of it run any more.
func (w *drawing) end() {
	w.cancel()
	<-w.done
}

// makeDraws begins to make what a kind of draws takes, unless that was done before: each for itself, so that one may fail alone.
func (r *resources) makeDraws(d *gpu.Device, kind int) error {
	if r.sampler == nil || r.drawing[kind] != nil {
		return r.undrawable[kind]
	}
	of := kernel.Draws{Random: kind == step.DrawsRandom, Logprobs: kind == step.DrawsLogprobs}
	if err := r.sampler.Make(of); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w, kernels, tested := &drawing{of: of, cancel: cancel, done: make(chan struct{})}, r.sampler.Testing(of), r.tested
	r.drawing[kind] = w
	go func() {
		defer close(w.done)
		if w.err = kernels.Wait(ctx); w.err == nil && tested {
			w.err = test(ctx, d, kernels)
		}
	}()
	return nil
}

// drawn waits for what was begun of what draws take.
func (r *resources) drawn() error {
	for _, w := range r.drawing {
		if w == nil {
			continue
		}
		if <-w.done; w.err != nil {
			return w.err
		}
	}
	return nil
}

// awaitDraws waits for what a step's draws take, and says whether it is there. Where it has failed others draw without it.
func (r *Runner) awaitDraws(kind int) (bool, error) {
	w := r.drawing[kind]
	<-w.done
	for _, bound := range r.samplerBinds {
		if w.err == nil {
			w.err = r.sampler.Ready(context.Background(), bound, w.of)
		}
	}
	if errors.Is(w.err, gpu.ErrDeviceLost) {
		return false, w.err
	}
	r.undrawable[kind] = w.err
	return w.err == nil, nil
}
