package reference

import "math"

// Pairing says which two elements of a head one rotation turns.
type Pairing int

// The pairings in use.
const (
	Adjacent Pairing = iota // 2i and 2i+1 ("norm" in ggml)
	Halves                  // i and i+dim/2 ("neox" in ggml)
)

// RopeScaling names how frequencies are lowered for a longer context.
type RopeScaling string

// The scalings that RopeTable knows.
const (
	NoScaling     RopeScaling = ""
	LinearScaling RopeScaling = "linear"
	Llama3Scaling RopeScaling = "llama3"
)

// RopeParams fix the frequencies of rotary position embedding.
type RopeParams struct {
	Base     float64
	Dim      int // rotated elements of a head, even
	Scaling  RopeScaling
	Factor   float64   // of LinearScaling and Llama3Scaling
	Divisors []float32 // [Dim/2], each divides one frequency; nil: none

	// Llama3Scaling only.
	LowFreqFactor, HighFreqFactor, OriginalContext float64
}

// Frequencies gives the angle per position of each of the Dim/2 pairs: base^(-2i/Dim) (Su et al.,
// arXiv 2104.09864, section 3.2.2), then scaled. Llama 3 divides by Factor the frequencies whose
// wavelength is over OriginalContext/LowFreqFactor, keeps those under OriginalContext/HighFreqFactor
// and blends linearly in between.
func (p RopeParams) Frequencies() []float64 {
	out := make([]float64, p.Dim/2)
	for i := range out {
		f := math.Pow(p.Base, -2*float64(i)/float64(p.Dim))
		switch p.Scaling {
		case LinearScaling:
			f /= p.Factor
		case Llama3Scaling:
			turns := p.OriginalContext * f / (2 * math.Pi)
			keep := (turns - p.LowFreqFactor) / (p.HighFreqFactor - p.LowFreqFactor)
			keep = min(max(keep, 0), 1)
			f = keep*f + (1-keep)*f/p.Factor
		}
		if p.Divisors != nil {
			f /= float64(p.Divisors[i])
		}
		out[i] = f
	}
	return out
}

// RopeTable gives cosine and sine of each position's angles, both [len(positions)][Dim/2].
func RopeTable(p RopeParams, positions []int) (cos, sin []float64) {
	frequencies := p.Frequencies()
	for _, position := range positions {
		for _, f := range frequencies {
			s, c := math.Sincos(float64(position) * f)
			cos, sin = append(cos, c), append(sin, s)
		}
	}
	return cos, sin
}

// RoPE rotates the first 2·(pairs a row) elements of each head of x [rows][heads][headDim] and leaves
// the rest. cos and sin are [rows][pairs]: each row's own position.
func RoPE[T Float](x []T, heads, headDim int, cos, sin []T, pairing Pairing) []T {
	out := append([]T(nil), x...)
	rows := len(x) / (heads * headDim)
	if rows == 0 {
		return out
	}
	pairs := len(cos) / rows
	for r := range rows {
		for h := range heads {
			head := out[(r*heads+h)*headDim:][:headDim]
			for i := range pairs {
				a, b := 2*i, 2*i+1
				if pairing == Halves {
					a, b = i, i+pairs
				}
				c, s := cos[r*pairs+i], sin[r*pairs+i]
				head[a], head[b] = head[a]*c-head[b]*s, head[a]*s+head[b]*c
			}
		}
	}
	return out
}
