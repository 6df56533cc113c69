package runner

import (
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/step"
)

const _ = uint(kernel.MostChoices - step.MostChoices)

// Draw has the tokens of the step that was submitted last drawn, which waits for it where an output is Masked.
func (r *Runner) Draw(m *step.Masks) error {
	if !r.waits {
		return fmt.Errorf("runner: no step waits for masks")
	}
	r.waits = false
	rec := &r.rec
	rec.Reset()
	rec.Profile = r.options.Profile && !r.unprofiled
	f := r.flights[len(r.flights)-1]
	r.take(rec, f, m)
	r.draw(rec, r.undrawn, 0)
	r.guess(rec, r.guessing, f)
	r.bring(rec, f, 0)
	r.stats.Dispatches += rec.Dispatches()
	return r.submit(rec)
}

// take records what a step's masks bring along.
func (r *Runner) take(rec *gpu.Recorder, f *flight, m *step.Masks) {
	for i, slot := range m.Slots {
		rec.WriteWords(r.masks, kernel.MaskBytes(int(slot), r.plan.Config.Vocabulary), m.Bits[i*m.Words:(i+1)*m.Words])
	}
	r.picks.Reset(len(f.outputs))
	masked := 0
	for o := range f.outputs {
		if !f.outputs[o].masked {
			continue
		}
		r.picks.Output(o)
		from, end := m.Span(masked)
		for i := from; i < end; i++ {
			c := &m.Choices[i]
			what := uint32(kernel.AnyToken)
			switch c.Kind {
			case step.OfToken:
				what = uint32(c.Token)
			case step.OfSet:
				what = kernel.InSet | uint32(c.Set)
			}
			r.picks.Add(o, what, uint32(c.Mask))
		}
		masked++
	}
	rec.WriteWords(r.choices, 0, r.picks)
}

// draw records what draws the tokens of a step, one of those that are submitted as one; bring reads them back.
func (r *Runner) draw(rec *gpu.Recorder, draws kernel.Draws, place int) {
	if draws.Outputs == 0 {
		return
	}
	if draws.Withheld > 0 {
		rec.Write(r.withheldList, 0, r.withheld.Bytes())
	}
	r.sampler.Record(rec, r.samplerBinds[place], draws)
}

// submit hands a tape over, and waits for it where its kernels are timed.
func (r *Runner) submit(rec *gpu.Recorder) error {
	if err := r.hand(rec); err != nil || !rec.Profile {
		return err
	}
	return r.measure()
}
