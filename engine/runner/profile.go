package runner

import (
	"context"
	"slices"
	"time"

	"quire/engine/gpu"
)

// KernelTime is how long the dispatches of one kernel ran on the GPU.
type KernelTime struct {
	Kernel     string  `json:"kernel"` // name and variant
	Dispatches int     `json:"dispatches"`
	Seconds    float64 `json:"seconds"`
}

// measure waits for the step just submitted and adds its dispatches to the profile.
func (r *Runner) measure() error {
	timings, err := r.device.Timings(context.Background(), &r.rec)
	if err != nil {
		return err
	}
	for _, t := range timings {
		i := slices.IndexFunc(r.profile, func(k KernelTime) bool { return k.Kernel == t.Kernel })
		if i < 0 {
			i = len(r.profile)
			r.profile = append(r.profile, KernelTime{Kernel: t.Kernel})
		}
		r.profile[i].Dispatches++
		r.profile[i].Seconds += t.Nanoseconds / 1e9
	}
	return nil
}

// TimeKernels goes on with Options.Profile, or leaves kernels alone for now, so that steps are as fast as without.
func (r *Runner) TimeKernels(on bool) { r.unprofiled = !on }

// hand submits a step's tape.
func (r *Runner) hand(rec *gpu.Recorder) error {
	if !r.timed {
		return r.device.Submit(rec)
	}
	start := time.Now()
	defer func() { r.handed += time.Since(start) }()
	return r.device.Submit(rec)
}

// Handed is how long the device has taken to take tapes, and in the tab the part of it that JavaScript encoded them, from the first
// call on.
func (r *Runner) Handed() (all, encoding time.Duration) {
	encoded := gpu.Encoding()
	if !r.timed {
		r.timed, r.before = true, encoded
	}
	return r.handed, encoded - r.before
}

// Profile returns the sums since the runner was made, in the order kernels first ran. Nil without Options.Profile.
func (r *Runner) Profile() []KernelTime { return slices.Clone(r.profile) }
