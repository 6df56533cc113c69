package sim

import "slices"

// FirstFit places a run at the start of the first hole that is large enough.
type FirstFit struct {
	holes []Run // by place; no two touch
	free  int
}

// NewFirstFit makes a space of the given number of slots, all free.
func NewFirstFit(slots int) *FirstFit {
	f := &FirstFit{free: slots}
	if slots > 0 {
		f.holes = []Run{{0, slots}}
	}
	return f
}

// Free is the number of slots in no run.
func (f *FirstFit) Free() int { return f.free }

// Take gives a run of exactly n slots.
func (f *FirstFit) Take(n int) (Run, bool) {
	i := slices.IndexFunc(f.holes, func(h Run) bool { return h.Size >= n })
	if i < 0 || n < 1 {
		return Run{}, false
	}
	h := &f.holes[i]
	r := Run{h.At, n}
	h.At, h.Size = h.At+n, h.Size-n
	if h.Size == 0 {
		f.holes = slices.Delete(f.holes, i, i+1)
	}
	f.free -= n
	return r, true
}

// Give makes a hole of r, one with its neighbours.
func (f *FirstFit) Give(r Run) {
	f.free += r.Size
	i, _ := slices.BinarySearchFunc(f.holes, r.At, func(h Run, at int) int { return h.At - at })
	if i < len(f.holes) && r.At+r.Size == f.holes[i].At {
		r.Size += f.holes[i].Size
		f.holes = slices.Delete(f.holes, i, i+1)
	}
	if i > 0 && f.holes[i-1].At+f.holes[i-1].Size == r.At {
		f.holes[i-1].Size += r.Size
		return
	}
	f.holes = slices.Insert(f.holes, i, r)
}
