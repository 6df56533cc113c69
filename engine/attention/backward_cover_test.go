package attention

import (
	"math/rand/v2"

	"quire/engine/kernel"
)

// backwardOptions are what launches of the backward pass are put together from.
type backwardOptions struct {
	dims     []int
	heads    [][2]int
	variants []string
	pairs    [][][2]int
}

// covering gives launches such that every two options occur together at least once: greedily, each the best of a few
// random ones, drawn around a pair that is still missing.
func (o backwardOptions) covering(seed uint64) []backwardCase {
	counts := []int{len(o.dims), len(o.heads), len(o.variants), len(o.pairs), 2, 3, 2, 2, 3, 2, 3}
	rng := rand.New(rand.NewPCG(seed, 1))
	type pair struct{ i, a, j, b int }
	var missing []pair
	for i, n := range counts {
		for j := range i {
			for a := range n {
				for b := range counts[j] {
					missing = append(missing, pair{i, a, j, b})
				}
			}
		}
	}
	var cases []backwardCase
	for len(missing) > 0 {
		var best []int
		var left []pair
		for range 20 {
			pick := make([]int, len(counts))
			for i, n := range counts {
				pick[i] = rng.IntN(n)
			}
			m := missing[0]
			pick[m.i], pick[m.j] = m.a, m.b
			var rest []pair
			for _, m := range missing {
				if pick[m.i] != m.a || pick[m.j] != m.b {
					rest = append(rest, m)
				}
			}
			if best == nil || len(rest) < len(left) {
				best, left = pick, rest
			}
		}
		cases, missing = append(cases, o.launch(best)), left
	}
	return cases
}

func (o backwardOptions) launch(pick []int) backwardCase {
	heads := o.heads[pick[1]]
	c := backwardCase{pairs: o.pairs[pick[3]], heads: 1, params: Params{
		HeadDim: o.dims[pick[0]], Heads: heads[0], KVHeads: heads[1], Variant: o.variants[pick[2]],
		Bidirectional: pick[4] == 1, ALiBi: pick[6] == 1, Softcap: []float32{0, 2}[pick[7]],
		Dropout: Dropout{P: []float64{0, 0.25}[pick[9]]},
	}}
	if pick[5] > 0 {
		c.params.Window = 30
	}
	if pick[5] > 1 {
		c.params.Sinks = 5
	}
	switch pick[8] {
	case 1:
		c.params.Mask = BooleanMask
	case 2:
		c.params.Mask, c.heads = AdditiveMask, heads[0]
	}
	switch pick[10] {
	case 1:
		c.params.KVType = kernel.KVF16
	case 2:
		c.params.KVType, c.params.QType = kernel.KVBF16, kernel.KVF16
	}
	return c
}
