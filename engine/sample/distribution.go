package sample

import (
	"cmp"
	"math"
	"slices"
)

// ranked returns the ids from the most likely to the least, equals by id.
func ranked(logits []float32) []int {
	ids := make([]int, len(logits))
	for i := range ids {
		ids[i] = i
	}
	slices.SortFunc(ids, func(a, b int) int {
		if c := cmp.Compare(logits[b], logits[a]); c != 0 {
			return c
		}
		return a - b
	})
	return ids
}

// Distribution returns each token's probability of being drawn, in float64.
func Distribution(logits []float32, p Params) []float64 {
	if len(logits) == 0 {
		return nil
	}
	probabilities := make([]float64, len(logits))
	ids := ranked(logits)
	if p.Greedy() {
		probabilities[ids[0]] = 1
		return probabilities
	}
	if p.TopK > 0 {
		ids = ids[:min(p.TopK, len(ids))]
	}
	mass := func(id int) float64 { return math.Exp((float64(logits[id]) - float64(logits[ids[0]])) / p.Temperature) }
	if p.TopP < 1 {
		var total, sum float64
		for _, id := range ids {
			total += mass(id)
		}
		for n, id := range ids {
			if sum += mass(id); sum >= p.TopP*total {
				ids = ids[:n+1]
				break
			}
		}
	}
	var total float64
	for _, id := range ids {
		if m := mass(id); m >= p.MinP {
			probabilities[id] = m
			total += m
		}
	}
	for id := range probabilities {
		probabilities[id] /= total
	}
	return probabilities
}
