package runner

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/step"
)

// joined are steps that go to the GPU as one submission. Behind each it begins anew, and computes slowly at first; so it does behind a copy:
// there is none before the last of them.
type joined struct {
	holds   bool
	flights []*flight // of the steps on the tape that has not been submitted
}

// aheadWords is room for a step in which sequences only decode; less than the step buffer has.
const aheadWords = 1 << 13

// resultsRoom is how far apart the results of steps of one submission are.
func (o *Options) resultsRoom() uint64 { return (uint64(o.MaxOutputs)*resultBytes + 255) &^ 255 }

// rooms are the first parts of a buffer, of a size.
func rooms(b *gpu.Buffer, n int, size uint64) (views []gpu.View) {
	for i := range max(n, 0) {
		views = append(views, gpu.View{Buffer: b, Offset: uint64(i) * size, Size: size})
	}
	return views
}

// Hold keeps back what Submit is given from now on, as far as it can go together; off submits it.
func (r *Runner) Hold(on bool) error {
	if r.joined.holds = on; on {
		return nil
	}
	return r.send()
}

// send submits what is kept back.
func (r *Runner) send() error {
	j := &r.joined
	if len(j.flights) == 0 {
		return nil
	}
	for place, f := range j.flights {
		if !r.waits {
			r.bring(&r.rec, f, place)
		}
	}
	j.flights = j.flights[:0]
	return r.submit(&r.rec)
}

// joins says whether nothing but the step itself is written, and nothing but its tokens read, for a step in which sequences only decode.
func (r *Runner) joins(s *step.Step, draws kernel.Draws) bool {
	moves := len(s.SwapOuts) + len(s.SwapIns) + len(s.StateOuts) + len(s.StateIns)
	return s.Decodes() && moves == 0 && draws.Withheld == 0 && len(r.pending) == 0 && (!r.options.Profile || r.unprofiled)
}

// begin begins a step's tape and says how many dispatches it has already. Behind another step, which is read until it has run, the step
// is written elsewhere.
func (r *Runner) begin(rec *gpu.Recorder) (dispatches int) {
	n := len(r.joined.flights)
	if n == 0 {
		rec.Reset()
		rec.Profile = r.options.Profile && !r.unprofiled
		rec.WriteWords(r.step, 0, r.words)
		return 0
	}
	dispatches = rec.Dispatches()
	rec.WriteWords(r.ahead, uint64(n-1)*4*aheadWords, r.words)
	r.graph.RecordAhead(rec, n-1, len(r.words))
	r.stats.Joined++
	return dispatches
}

// end submits a step, or keeps it back.
func (r *Runner) end(f *flight, joins bool) error {
	r.joined.flights = append(r.joined.flights, f)
	if r.joined.holds && joins {
		return nil
	}
	return r.send()
}
