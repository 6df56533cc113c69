package engine

import (
	"fmt"

	"quire/engine/gpu"
)

// Slots for the states of layers without K and V. Beside the sequence's own, a step may write another for each of its
// rows; what else there is holds snapshots.
const (
	slotsSequence = 2
	slotsShare    = 4   // a default number of sequences leaves at least so many slots for each
	snapshotSlots = 256 // more are of no use
)

// stateNeeds is what the number of state slots depends on.
type stateNeeds struct {
	slot    uint64 // bytes of a sequence's state
	layer   uint64 // bytes of the largest of a layer
	memory  uint64 // bytes that all may take
	binding uint64 // bytes that one layer's may take
	seqs    int
	given   bool // seqs is what was asked for, not a default
}

// fit returns how many slots there are, the null slot included, and the sequences that they are enough for.
func (n *stateNeeds) fit() (slots, seqs int, err error) {
	if n.slot == 0 {
		return 0, n.seqs, nil
	}
	count := min(n.memory/n.slot, n.binding/n.layer, uint64(2+slotsSequence*n.seqs+snapshotSlots))
	seqs = n.seqs
	if !n.given {
		seqs = min(seqs, max(1, (int(count)-1)/slotsShare))
	}
	if least := uint64(2 + slotsSequence*seqs); count < least {
		may, lower, raise := min(n.memory, n.binding/n.layer*n.slot), "", ""
		if seqs > 1 {
			lower = ": run fewer sequences at once"
		}
		if n.memory/n.slot < n.binding/n.layer {
			raise = ": raise the state memory"
			if lower != "" {
				raise = " or raise the state memory"
			}
		}
		return 0, 0, fmt.Errorf("%w: the states of %d sequences need %s and may have %s%s%s", gpu.ErrOutOfMemory, seqs,
			amount(float64(least*n.slot)), amount(float64(may)), lower, raise)
	}
	return int(count), seqs, nil
}
