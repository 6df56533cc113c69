package runner

import (
	"quire/engine/gpu"
	"quire/engine/step"
)

// guess records what the step that was translated last does to guess behind the tokens that it draws.
func (r *Runner) guess(rec *gpu.Recorder, guessing step.Guessing, f *flight) {
	guesses := r.plan.Guesses() && guessing != step.NoGuess
	f.guesses = guesses && guessing == step.Guess && len(f.outputs) > 0
	if guesses {
		r.graph.RecordGuesses(rec, &r.translator.data, f.guesses)
	}
}

// bring records that what a step drew, one of those that are submitted as one, comes back, and what it guessed.
func (r *Runner) bring(rec *gpu.Recorder, f *flight, place int) {
	n := uint64(len(f.outputs))
	if n == 0 {
		return
	}
	rec.Copy(r.results, uint64(place)*r.options.resultsRoom(), f.results.Buffer(), 0, n*resultBytes)
	if f.guesses {
		rec.Copy(r.graph.Guesses(), 0, f.results.Buffer(), n*resultBytes, n*guessBytes)
	}
	rec.Map(f.results, f.resultBytes())
}

// resultBytes is the size of what comes back of a step's outputs.
func (f *flight) resultBytes() uint64 {
	each := uint64(resultBytes)
	if f.guesses {
		each += guessBytes
	}
	return each * uint64(len(f.outputs))
}
