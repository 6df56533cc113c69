package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// nextTokensAt is where the tokens lie in what NextTokens writes.
const nextTokensAt = 64

// NextTokens finds the token behind each token of a step whose outputs have been drawn.
type NextTokens struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
}

// NewNextTokens composes the kernel and starts to compile it.
func NewNextTokens(dev *gpu.Device) (*NextTokens, error) {
	m, err := Module(dev, Spec{File: "next_tokens", Variant: "baseline", Consts: []Const{{"RESULT_WORDS", ResultWords}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite}})
	if err != nil {
		return nil, err
	}
	return &NextTokens{dev: dev, kernel: dev.Kernel(m)}, nil
}

// Wait blocks until the kernel has compiled.
func (k *NextTokens) Wait(ctx context.Context) error { return k.kernel.Wait(ctx) }

// NextTokensWords is the size of Bind's next for a step of so many tokens.
func NextTokensWords(tokens int) int { return nextTokensAt + tokens }

// Bind binds the step buffer, the results [output][ResultWords], and next, which Embed takes for a step.
func (k *NextTokens) Bind(step, results, next gpu.View) (*gpu.BindGroup, error) {
	return k.dev.Bind(k.kernel, step, results, next)
}

// Record records the step's tokens.
func (k *NextTokens) Record(rec *gpu.Recorder, b *gpu.BindGroup, tokens int) {
	rec.Dispatch(k.kernel, b, uint32(ceilDiv(tokens, 64)), 1, 1)
}

// Guess finds the most likely token of each output's logits.
type Guess struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
}

// NewGuess composes the kernel for a vocabulary and starts to compile it.
func NewGuess(dev *gpu.Device, vocabulary int) (*Guess, error) {
	if vocabulary < 1 {
		return nil, fmt.Errorf("guess: %w: vocabulary of %d", ErrMatrixShape, vocabulary)
	}
	m, err := Module(dev, Spec{File: "guess", Variant: "baseline", Consts: []Const{{"VOCABULARY", vocabulary}, {"STRIDE", RowStride(vocabulary)}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite}})
	if err != nil {
		return nil, err
	}
	return &Guess{dev: dev, kernel: dev.Kernel(m)}, nil
}

// Wait blocks until the kernel has compiled.
func (k *Guess) Wait(ctx context.Context) error { return k.kernel.Wait(ctx) }

// Bind binds the step buffer, logits [output][RowStride(vocabulary)] and a word for each output's token.
func (k *Guess) Bind(step, logits, guesses gpu.View) (*gpu.BindGroup, error) {
	return k.dev.Bind(k.kernel, step, logits, guesses)
}

// Record records so many outputs.
func (k *Guess) Record(rec *gpu.Recorder, b *gpu.BindGroup, outputs int) {
	x, y := Fold(outputs)
	rec.Dispatch(k.kernel, b, x, y, 1)
}
