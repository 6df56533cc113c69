package train

import (
	"encoding/binary"
	"fmt"
	"math"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// Optimizer is AdamW (Loshchilov and Hutter, arXiv 1711.05101) with its schedule. Norms do not decay, and the decay is
// multiplied by the learning rate.
type Optimizer struct {
	Beta1, Beta2 float64 // of the moments, in [0, 1)
	Eps          float64
	Decay        float64
	Clip         float64 // the gradient is scaled to at most this norm; 0: never
	Rate         float64 // the learning rate after Warmup steps of linear growth
	Floor        float64 // what it falls to, as a half cosine, at step Steps
	Warmup       int
	Steps        int // 0: the rate stays
}

// DefaultOptimizer is what suits small models trained for so many steps.
func DefaultOptimizer(rate float64, steps int) Optimizer {
	return Optimizer{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Decay: 0.1, Clip: 1, Rate: rate, Floor: rate / 10,
		Warmup: min(100, steps/10), Steps: steps}
}

func (o Optimizer) check() error {
	unit := func(x float64) bool { return x >= 0 && x < 1 }
	finite := func(x float64) bool { return x >= 0 && x <= math.MaxFloat32 }
	switch {
	case !unit(o.Beta1) || !unit(o.Beta2):
		return fmt.Errorf("train: optimizer: betas %g and %g, not within 0 to 1", o.Beta1, o.Beta2)
	case !(o.Eps > 0) || !finite(o.Eps):
		return fmt.Errorf("train: optimizer: eps %g is not positive", o.Eps)
	case !finite(o.Decay) || !finite(o.Clip):
		return fmt.Errorf("train: optimizer: decay %g or clip %g is negative or no number", o.Decay, o.Clip)
	case !(o.Rate > 0) || !finite(o.Rate) || !finite(o.Floor):
		return fmt.Errorf("train: optimizer: learning rate %g, falling to %g, must be positive", o.Rate, o.Floor)
	case o.Warmup < 0 || o.Steps < 0 || o.Steps > 0 && o.Warmup >= o.Steps:
		return fmt.Errorf("train: optimizer: a warm-up of %d steps does not fit into %d", o.Warmup, o.Steps)
	}
	return nil
}

// LearningRate is the rate of a step, counted from 1.
func (o Optimizer) LearningRate(step int) float64 {
	switch {
	case step <= o.Warmup:
		return o.Rate * float64(step) / float64(o.Warmup)
	case o.Steps == 0:
		return o.Rate
	case step >= o.Steps:
		return o.Floor
	}
	along := float64(step-o.Warmup) / float64(o.Steps-o.Warmup)
	return o.Floor + (o.Rate-o.Floor)*(1+math.Cos(math.Pi*along))/2
}

// settingsWords is the size of what adamw.wgsl reads of a step.
const settingsWords = 12

// appendSettings appends them for a step, counted from 1.
func (o Optimizer) appendSettings(out []byte, step int) []byte {
	for _, f := range [settingsWords]float64{o.LearningRate(step), o.Beta1, o.Beta2, 1 - o.Beta1, 1 - o.Beta2, o.Eps, o.Decay, o.Clip,
		1 / (1 - math.Pow(o.Beta1, float64(step))), 1 / (1 - math.Pow(o.Beta2, float64(step)))} {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(f)))
	}
	return out
}

// adamw appends one step on all parameters. squares holds the sum of the gradients' squares; settings are written by the
// step; the first decayed floats decay.
func (p *builder) adamw(settings, squares, gradients, first, second, parameters gpu.View, decayed int) {
	vectors := int(parameters.Size / 16)
	p.each(vectors, kernel.Spec{
		File: "adamw", Consts: []kernel.Const{{Name: "VECTORS", Value: vectors}, {Name: "DECAYED", Value: decayed / 4}},
		Bindings: []gpu.Binding{gpu.Constant, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite, gpu.ReadWrite},
	}, settings, squares, gradients, first, second, parameters)
}
