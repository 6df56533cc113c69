package bench

import (
	"cmp"
	"slices"

	"quire/engine"
)

// profiled adds to a result what the kernels took since before.
func (b *bench) profiled(r Result, before []engine.KernelTime) Result {
	for _, k := range b.engine.Profile() {
		for _, was := range before {
			if was.Kernel == k.Kernel {
				k.Dispatches -= was.Dispatches
				k.Nanoseconds -= was.Nanoseconds
			}
		}
		if k.Dispatches > 0 {
			r.Kernels = append(r.Kernels, k)
		}
	}
	slices.SortStableFunc(r.Kernels, func(a, b engine.KernelTime) int { return cmp.Compare(b.Nanoseconds, a.Nanoseconds) })
	return r
}
