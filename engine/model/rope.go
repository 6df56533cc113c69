package model

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Table returns RoPE's table for positions [first, first+count): for each position and each of dim/2 frequencies the
// cosine and the sine of the angle, computed in float64 with all scaling in it (WGSL's sin and cos are too loose).
// Shape [count][dim/2][2].
func (r *Rope) Table(dim, first, count int) []float32 {
	half := dim / 2
	freq := make([]float64, half)
	for i := range freq {
		freq[i] = math.Pow(r.Base, -2*float64(i)/float64(dim)) / r.Scale
		if i < len(r.Factor) {
			freq[i] /= r.Factor[i]
		}
	}
	table := make([]float32, 0, count*dim)
	for p := first; p < first+count; p++ {
		for _, f := range freq {
			sin, cos := math.Sincos(float64(p) * f)
			table = append(table, float32(cos), float32(sin))
		}
	}
	return table
}

// RopeFactors reads Llama 3's frequency divisors, the tensor rope_freqs.weight; nil where the file has none.
func RopeFactors(p *Plan, r io.ReaderAt) ([]float64, error) {
	if p.ropeFactors == nil {
		return nil, nil
	}
	data := make([]byte, p.ropeFactors.Bytes)
	if n, err := r.ReadAt(data, p.ropeFactors.Offset); n < len(data) {
		return nil, fmt.Errorf("tensor rope_freqs.weight: %w", err)
	}
	factors := make([]float64, len(data)/4)
	for i := range factors {
		factors[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		if !(factors[i] > 0) || math.IsInf(factors[i], 0) {
			return nil, fmt.Errorf("%w: tensor rope_freqs.weight has %g at %d", ErrUnsupported, factors[i], i)
		}
	}
	return factors, nil
}
