package runner

import (
	"quire/engine/gpu"
	"quire/engine/step"
)

// guess records what the step that was translated last does to guess behind the tokens that it draws, and has its results come back.
func (r *Runner) guess(rec *gpu.Recorder, guessing step.Guessing, f *flight) {
	n := len(f.outputs)
	guesses := r.plan.Guesses() && guessing != step.NoGuess
	f.guesses = guesses && guessing == step.Guess && n > 0
	if guesses {
		r.graph.RecordGuesses(rec, &r.translator.data, f.guesses)
	}
	if f.guesses {
		rec.Copy(r.graph.Guesses(), 0, f.results.Buffer(), uint64(n)*resultBytes, uint64(n)*guessBytes)
	}
	if n > 0 {
		rec.Map(f.results, f.resultBytes())
	}
}

// resultBytes is the size of what comes back of a step's outputs.
func (f *flight) resultBytes() uint64 {
	each := uint64(resultBytes)
	if f.guesses {
		each += guessBytes
	}
	return each * uint64(len(f.outputs))
}
