package sim

// Run is a run of neighbouring slots.
type Run struct{ At, Size int }

// Space gives out runs of neighbouring slots.
type Space interface {
	// Take gives a run of at least n slots, or says that no hole is large enough.
	Take(n int) (Run, bool)
	// Give takes a run back that Take gave.
	Give(r Run)
	// Free is the number of slots in no run.
	Free() int
}

// Placement names a way to place runs.
type Placement string

const (
	// Buddies is the buddy system, which the paper assumes of the systems that it compares with (section 6.1).
	Buddies Placement = "buddy"
	// FirstHole takes the first hole that is large enough, to the slot: no waste but the holes.
	FirstHole Placement = "first-fit"
)

// space makes an empty space; the buddy system when p is empty.
func (p Placement) space(slots int) Space {
	if p == FirstHole {
		return NewFirstFit(slots)
	}
	return NewBuddy(slots)
}
