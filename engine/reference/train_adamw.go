package reference

import (
	"math"
	"slices"
	"strings"
)

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2), after the whole
// gradient is scaled to a norm of at most Clip. The decay is multiplied by the learning rate and leaves norms out.
type AdamW[T Float] struct {
	Beta1, Beta2, Eps, Decay, Clip float64
	// Rate is the learning rate after Warmup steps of linear growth. It falls to Floor as a half cosine over the steps up to
	// Steps; 0: it stays.
	Rate, Floor   float64
	Warmup, Steps int

	step          int
	first, second Weights[T]
}

// LearningRate is the rate of a step, counted from 1.
func (a *AdamW[T]) LearningRate(step int) float64 {
	switch {
	case step <= a.Warmup:
		return a.Rate * float64(step) / float64(a.Warmup)
	case a.Steps == 0:
		return a.Rate
	case step >= a.Steps:
		return a.Floor
	}
	along := float64(step-a.Warmup) / float64(a.Steps-a.Warmup)
	return a.Floor + (a.Rate-a.Floor)*(1+math.Cos(math.Pi*along))/2
}

// Update moves the weights by one step along their gradient and gives the gradient's norm before it was clipped.
func (a *AdamW[T]) Update(w, gradient Weights[T]) (norm T) {
	if a.first == nil {
		a.first, a.second = Weights[T]{}, Weights[T]{}
	}
	names := make([]string, 0, len(w))
	for name := range w {
		names = append(names, name)
	}
	slices.Sort(names)
	var squares T
	for _, name := range names {
		for _, g := range gradient[name] {
			squares += g * g
		}
	}
	norm = T(math.Sqrt(float64(squares)))
	scale := T(1)
	if a.Clip > 0 && norm > T(a.Clip) {
		scale = T(a.Clip) / norm
	}
	a.step++
	rate, beta1, beta2 := T(a.LearningRate(a.step)), T(a.Beta1), T(a.Beta2)
	correct1 := T(1 - math.Pow(a.Beta1, float64(a.step)))
	correct2 := T(1 - math.Pow(a.Beta2, float64(a.step)))
	for _, name := range names {
		if a.first[name] == nil {
			a.first[name], a.second[name] = make([]T, len(w[name])), make([]T, len(w[name]))
		}
		decay := T(a.Decay)
		if strings.HasSuffix(name, "norm.weight") {
			decay = 0
		}
		first, second := a.first[name], a.second[name]
		for i, g := range gradient[name] {
			g *= scale
			first[i] = beta1*first[i] + (1-beta1)*g
			second[i] = beta2*second[i] + (1-beta2)*g*g
			along := first[i] / correct1 / (T(math.Sqrt(float64(second[i]/correct2))) + T(a.Eps))
			w[name][i] -= rate * (along + decay*w[name][i])
		}
	}
	return norm
}
