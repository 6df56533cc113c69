package reference

import (
	"math"

	"quire/engine/quant"
)

// Q8Row quantizes a row of K or V to 8-bit integers with one scale: max|x|/127, as a normal f16 (never under 2^-14, at
// most 65504). Elements are divided by the scale as it is stored, rounded to nearest, ties to even, and kept in ±127.
func Q8Row(row []float32) (q []int8, scale float32) {
	var peak float32
	for _, x := range row {
		peak = max(peak, max(x, -x))
	}
	scale = quant.F16ToF32(quant.F32ToF16(min(max(peak*(1.0/127), 1.0/(1<<14)), 65504)))
	inverse := 1 / scale
	q = make([]int8, len(row))
	for i, x := range row {
		q[i] = int8(math.RoundToEven(float64(min(max(x*inverse, -127), 127))))
	}
	return q, scale
}

// StoreQ8 makes of a row what an 8-bit KV cache gives back.
func StoreQ8(row []float64) {
	single := make([]float32, len(row))
	for i, x := range row {
		single[i] = float32(x)
	}
	q, scale := Q8Row(single)
	for i := range row {
		row[i] = float64(q[i]) * float64(scale)
	}
}
