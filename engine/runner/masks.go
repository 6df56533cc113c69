package runner

import (
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/step"
)

// Draw has the tokens of the step that was submitted last drawn, which waits for it where an output is Masked.
func (r *Runner) Draw(m *step.Masks) error {
	if !r.waits {
		return fmt.Errorf("runner: no step waits for masks")
	}
	r.waits = false
	rec := &r.rec
	rec.Reset()
	rec.Profile = r.options.Profile && !r.unprofiled
	rec.WriteWords(r.masks, 0, m.Bits)
	f := r.flights[len(r.flights)-1]
	r.draw(rec, r.undrawn, f)
	r.guess(rec, r.guessing, f)
	r.stats.Dispatches += rec.Dispatches()
	return r.submit(rec)
}

// draw records what draws a step's tokens; guess reads them back.
func (r *Runner) draw(rec *gpu.Recorder, draws kernel.Draws, f *flight) {
	if draws.Outputs == 0 {
		return
	}
	if draws.Withheld > 0 {
		rec.Write(r.withheldList, 0, r.withheld.Bytes())
	}
	r.sampler.Record(rec, r.samplerBind, draws)
	rec.Copy(r.results, 0, f.results.Buffer(), 0, uint64(draws.Outputs)*resultBytes)
}

// submit hands a tape over, and waits for it where its kernels are timed.
func (r *Runner) submit(rec *gpu.Recorder) error {
	if err := r.hand(rec); err != nil || !rec.Profile {
		return err
	}
	return r.measure()
}
