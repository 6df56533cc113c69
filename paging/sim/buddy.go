package sim

import (
	"math/bits"
	"slices"
)

// Buddy is the buddy system: every run has a power of two of slots and stands at a multiple of its size. A larger hole is
// halved until the half is too small; a hole whose other half is free becomes one with it again.
type Buddy struct {
	holes [bits.UintSize][]int // [log2 of the size] places, in order
	free  int
}

// NewBuddy makes a space of the given number of slots, all free. When that is no power of two the space is made of the
// largest ones that fit.
func NewBuddy(slots int) *Buddy {
	b := &Buddy{free: max(slots, 0)}
	at := 0
	for rest := max(slots, 0); rest > 0; {
		order := bits.Len(uint(rest)) - 1
		b.holes[order] = append(b.holes[order], at)
		at, rest = at+1<<order, rest-1<<order
	}
	return b
}

// Free is the number of slots in no run.
func (b *Buddy) Free() int { return b.free }

// Take gives a run whose size is the next power of two from n on, cut from the smallest hole that has it.
func (b *Buddy) Take(n int) (Run, bool) {
	if n < 1 || n > b.free {
		return Run{}, false
	}
	want := bits.Len(uint(n - 1))
	order := want
	for order < len(b.holes) && len(b.holes[order]) == 0 {
		order++
	}
	if order == len(b.holes) {
		return Run{}, false
	}
	at := b.holes[order][0]
	b.holes[order] = slices.Delete(b.holes[order], 0, 1)
	for order > want {
		order--
		b.add(order, at+1<<order)
	}
	b.free -= 1 << want
	return Run{at, 1 << want}, true
}

// Give takes r back and joins it with the other half as often as that is free.
func (b *Buddy) Give(r Run) {
	b.free += r.Size
	order, at := bits.Len(uint(r.Size))-1, r.At
	for {
		i, ok := slices.BinarySearch(b.holes[order], at^1<<order)
		if !ok {
			b.add(order, at)
			return
		}
		b.holes[order] = slices.Delete(b.holes[order], i, i+1)
		at &^= 1 << order
		order++
	}
}

func (b *Buddy) add(order, at int) {
	i, _ := slices.BinarySearch(b.holes[order], at)
	b.holes[order] = slices.Insert(b.holes[order], i, at)
}
