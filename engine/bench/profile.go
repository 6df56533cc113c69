package bench

import (
	"cmp"
	"runtime"
	"slices"
	"time"

	"quire/engine"
)

// HostStep is what a step of a measurement cost the host, filling and warming up counted in. Times are in microseconds.
type HostStep struct {
	Steps       uint64  `json:"steps"`
	Schedule    float64 `json:"schedule_us"` // deciding what runs
	Build       float64 `json:"build_us"`    // laying it out, and writing what the GPU has to do
	Bridge      float64 `json:"bridge_us"`   // in the tab: from Go to JavaScript and back
	Encode      float64 `json:"encode_us"`   // giving it to the GPU
	Mask        float64 `json:"mask_us"`     // telling which tokens a schema allows
	Wait        float64 `json:"wait_us"`     // for the GPU; requests' own work is done meanwhile
	Give        float64 `json:"give_us"`     // tokens to their requests
	Allocations float64 `json:"allocations"`
	Bytes       float64 `json:"allocated_bytes"`
	Collections uint32  `json:"collections"` // in all steps
	Again       uint64  `json:"drawn_again"` // draws that were made again, for a schema
}

// measured measures; with a profile the host first, and then once more the kernels, for which each step is waited for.
func (b *bench) measured(profile bool, measure func() (Result, error)) (r Result, err error) {
	if !profile {
		r, err = measure()
		r.Test = r.test()
		return r, err
	}
	if err = b.engine.TimeKernels(false); err != nil {
		return r, err
	}
	took, err := b.hosted(func() (err error) {
		r, err = measure()
		return err
	})
	if err != nil {
		return r, err
	}
	if err = b.engine.TimeKernels(true); err != nil {
		return r, err
	}
	repeat, before := b.repeat, b.engine.Profile()
	b.repeat = 1
	_, err = measure()
	b.repeat = repeat
	r.Test, r.HostStep, r.Kernels = r.test(), took, kernelsSince(before, b.engine.Profile())
	return r, err
}

// hosted is what steps cost the host while something is measured.
func (b *bench) hosted(measure func() error) (*HostStep, error) {
	var before, after runtime.MemStats
	was, err := b.engine.HostTimes()
	if err != nil {
		return nil, err
	}
	runtime.ReadMemStats(&before)
	if err := measure(); err != nil {
		return nil, err
	}
	runtime.ReadMemStats(&after)
	is, err := b.engine.HostTimes()
	if err != nil {
		return nil, err
	}
	steps := float64(max(1, is.Steps-was.Steps))
	each := func(is, was time.Duration) float64 { return float64((is - was).Nanoseconds()) / 1000 / steps }
	return &HostStep{
		Steps: is.Steps - was.Steps, Schedule: each(is.Schedule, was.Schedule), Build: each(is.Build, was.Build), Bridge: each(is.Bridge, was.Bridge),
		Encode: each(is.Encode, was.Encode), Mask: each(is.Mask, was.Mask), Wait: each(is.Wait, was.Wait), Give: each(is.Give, was.Give),
		Allocations: float64(after.Mallocs-before.Mallocs) / steps, Bytes: float64(after.TotalAlloc-before.TotalAlloc) / steps,
		Collections: after.NumGC - before.NumGC, Again: is.Again - was.Again,
	}, nil
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
