package reference

import "math"

func sigmoid[T Float](x T) T { return 1 / (1 + exp(-x)) }

func softplus[T Float](x T) T {
	return T(math.Log1p(math.Exp(-math.Abs(float64(x)))) + max(float64(x), 0))
}

// SiLU gives x·sigmoid(x).
func SiLU[T Float](x []T) []T {
	out := make([]T, len(x))
	for i, f := range x {
		out[i] = f * sigmoid(f)
	}
	return out
}

// Convolve gives bias + Σ weight[j]·x[t − taps + 1 + j] for each channel of x [tokens][channels]: a causal convolution of
// each channel by itself. past holds the taps − 1 tokens before x, and is what comes before the next ones thereafter; bias may
// be nil.
func Convolve[T, W Float](x []T, weight, bias []W, past []T, channels int) []T {
	taps := len(weight) / channels
	all := append(append([]T{}, past...), x...)
	out := make([]T, len(x))
	for i := range out {
		var sum T
		c := i % channels
		if bias != nil {
			sum = T(bias[c])
		}
		for j := range taps {
			sum += all[i+j*channels] * T(weight[c*taps+j])
		}
		out[i] = sum
	}
	copy(past, all[len(x):])
	return out
}

// Recurrence is the gated delta rule (Yang et al., arXiv 2412.06464, equation 10) or, without Delta, Mamba-2's recurrence
// (Dao and Gu, arXiv 2405.21060): heads whose states [Value][Key] decay, have something added and are read.
type Recurrence[T Float] struct {
	Delta           bool
	Heads, KeyHeads int
	Tiled           bool // head h has the keys of h % KeyHeads; otherwise neighbours share them
	Key, Value      int
	Scale           T
	A, Shift, D     []T // of each head
}

// Walk takes q and k [tokens][KeyHeads][Key], v [tokens][Heads][Value] and the gates before softplus and sigmoid
// [tokens][Heads], and moves states [Heads][Value][Key]. It gives the answers [tokens][Heads][Value].
func (r Recurrence[T]) Walk(q, k, v, delta, beta, states []T) []T {
	out := make([]T, len(v))
	tokens := len(v) / (r.Heads * r.Value)
	for h := range r.Heads {
		keyHead := h / (r.Heads / r.KeyHeads)
		if r.Tiled {
			keyHead = h % r.KeyHeads
		}
		for t := range tokens {
			at := (t*r.KeyHeads + keyHead) * r.Key
			query, key := q[at:at+r.Key], k[at:at+r.Key]
			if r.Delta {
				query, key = unit(query), unit(key)
			}
			dt := softplus(delta[t*r.Heads+h] + r.Shift[h])
			decay := exp(r.A[h] * dt)
			for j := range r.Value {
				s := states[(h*r.Value+j)*r.Key:][:r.Key]
				value := v[(t*r.Heads+h)*r.Value+j]
				for i := range s {
					s[i] *= decay
				}
				u := dt * value
				if r.Delta {
					u = sigmoid(beta[t*r.Heads+h]) * (value - dot(s, key))
				}
				for i := range s {
					s[i] += u * key[i]
				}
				answer := r.Scale * dot(s, query)
				if !r.Delta {
					answer += r.D[h] * value
				}
				out[(t*r.Heads+h)*r.Value+j] = answer
			}
		}
	}
	return out
}

// unit gives x at length 1, but for what keeps a vector of zeros from it.
func unit[T Float](x []T) []T {
	scale := 1 / T(math.Sqrt(float64(dot(x, x)+1e-6)))
	out := make([]T, len(x))
	for i, f := range x {
		out[i] = f * scale
	}
	return out
}

// GatedNorm gives norm(x)·silu(z), or with first norm(x·silu(z)), for groups of so many elements.
func GatedNorm[T, W Float](x, z []T, weight []W, width int, first bool, eps T) []T {
	gate := SiLU(z)
	out := make([]T, len(x))
	ones := make([]T, width)
	for i := range ones {
		ones[i] = 1
	}
	for i, f := range x {
		out[i] = f
		if first {
			out[i] *= gate[i]
		}
	}
	out = RMSNorm(out, ones, eps)
	for i := range out {
		out[i] *= T(weight[i%len(weight)])
		if !first {
			out[i] *= gate[i]
		}
	}
	return out
}

// Gate gives x·sigmoid(z).
func Gate[T Float](x, z []T) []T {
	out := make([]T, len(x))
	for i, f := range x {
		out[i] = f * sigmoid(z[i])
	}
	return out
}
