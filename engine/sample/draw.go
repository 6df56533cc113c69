package sample

import (
	"math"
	"math/bits"
)

// exponent holds the coefficients of 1 - 2^-f = f·(c0 - f·(c1 - …)) for f in [0, 1), in units of 2^-32; the error is
// below 6e-9.
var exponent = [6]uint32{0xB17217DF, 0x3D7F7506, 0x0E353290, 0x0274F388, 0x0054A612, 0x00078809}

// distance is how far below the maximum a logit lies, in powers of two after temperature.
func distance(maximum, logit, scale float32) float32 {
	return float32(min(float32(maximum-logit), 1e30) * scale)
}

// mass returns 2^31·2^-y, rounded down somewhat, and 0 from y = 32. Integers make it the same on every machine.
func mass(y float32) uint32 {
	if y >= 32 {
		return 0
	}
	whole := float32(math.Floor(float64(y)))
	f := uint32((y - whole) * (1 << 32))
	acc := exponent[5]
	for i := 4; i >= 0; i-- {
		hi, _ := bits.Mul32(f, acc)
		acc = exponent[i] - hi
	}
	hi, _ := bits.Mul32(f, acc)
	return (1<<31 - hi>>1) >> uint(whole)
}

// Draw returns the token of the counter-th draw, computed with the same integers as on the GPU: with equal logits the
// same token; -1 from no logits.
func Draw(logits []float32, p Params, counter uint32) int {
	if len(logits) == 0 {
		return -1
	}
	ids := ranked(logits)
	if p.Greedy() {
		return ids[0]
	}
	if p.TopK > 0 {
		ids = ids[:min(p.TopK, len(ids))]
	}
	maximum, scale := logits[ids[0]], p.scale()
	if p.TopP < 1 {
		var total, sum uint64
		for _, id := range ids {
			total += uint64(mass(distance(maximum, logits[id], scale)))
		}
		hi, lo := bits.Mul64(total, uint64(p.fraction()))
		need := hi<<32 | lo>>32
		if uint32(lo) != 0 || need == 0 {
			need++
		}
		for n, id := range ids {
			if sum += uint64(mass(distance(maximum, logits[id], scale))); sum >= need {
				ids = ids[:n+1]
				break
			}
		}
	}
	kept := make([]uint32, len(logits))
	var total uint64
	for _, id := range ids {
		if y := distance(maximum, logits[id], scale); y <= p.reach() {
			kept[id] = mass(y)
			total += uint64(kept[id])
		}
	}
	target, _ := bits.Mul64(Uniform(p.Seed, counter), total)
	for id, m := range kept {
		if target < uint64(m) {
			return id
		}
		target -= uint64(m)
	}
	return ids[0]
}
