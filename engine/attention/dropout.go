package attention

import (
	"math"

	"quire/engine/kernel"
	"quire/engine/sample"
)

// Dropout drops weights after the softmax with probability P, in [0, 1), and scales the others by 1/(1−P). Which ones
// follows from the seed of the launch alone, so the backward pass draws the forward pass's again.
type Dropout struct{ P float64 }

// below is the draw from which a weight is kept.
func (d Dropout) below() uint32 { return uint32(math.Min(d.P*(1<<32), 1<<32-1)) }

func (d Dropout) consts() []kernel.Const {
	return []kernel.Const{{Name: "DROP_BELOW", Value: d.below()}, {Name: "KEEP_SCALE", Value: float32(1 / (1 - d.P))}}
}

// Factor returns what the kernels multiply a weight by: sequence, query and key count from 0 in the launch, in the
// sequence and in the sequence.
func (d Dropout) Factor(seed uint64, sequence, head, query, key int) float64 {
	if d.below() == 0 {
		return 1
	}
	draws := sample.Philox([4]uint32{uint32(key / 4), uint32(query), uint32(head), uint32(sequence)},
		[2]uint32{uint32(seed), uint32(seed >> 32)})
	if draws[key%4] < d.below() {
		return 0
	}
	return 1 / (1 - d.P)
}
