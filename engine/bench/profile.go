package bench

import (
	"cmp"
	"slices"

	"quire/engine"
)

// profiled adds to a result what the kernels took since before.
func (b *bench) profiled(r Result, before []engine.KernelTime) Result {
	r.Test, r.Kernels = r.test(), kernelsSince(before, b.engine.Profile())
	return r
}

// kernelsSince subtracts sums from later ones and puts the slowest first. A device that was lost in between counts from 0
// again, which a kernel of fewer dispatches gives away: then the later sums are all there is.
func kernelsSince(before, after []engine.KernelTime) []engine.KernelTime {
	sums := map[string]engine.KernelTime{}
	for _, k := range after {
		sums[k.Kernel] = k
	}
	if slices.ContainsFunc(before, func(was engine.KernelTime) bool { return sums[was.Kernel].Dispatches < was.Dispatches }) {
		before = nil
	}
	was := map[string]engine.KernelTime{}
	for _, k := range before {
		was[k.Kernel] = k
	}
	var since []engine.KernelTime
	for _, k := range after {
		k.Dispatches -= was[k.Kernel].Dispatches
		k.Seconds -= was[k.Kernel].Seconds
		if k.Dispatches > 0 {
			since = append(since, k)
		}
	}
	slices.SortStableFunc(since, func(a, b engine.KernelTime) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return since
}
