package attention

import "quire/engine/kernel"

// backwardOptions are what launches of the backward pass are put together from.
type backwardOptions struct {
	dims     []int
	heads    [][2]int
	variants []string
	pairs    [][][2]int
}

// covering gives launches with covering options.
func (o backwardOptions) covering(seed uint64) []backwardCase {
	var cases []backwardCase
	for _, pick := range covering(seed, len(o.dims), len(o.heads), len(o.variants), len(o.pairs), 2, 3, 2, 2, 3, 2, 3) {
		cases = append(cases, o.launch(pick))
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
