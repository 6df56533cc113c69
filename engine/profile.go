package engine

import (
	"slices"
	"time"

	"quire/engine/runner"
)

// KernelTime is how long the dispatches of one kernel ran on the GPU.
type KernelTime = runner.KernelTime

// Profile returns the GPU's time by kernel since the engine was opened, or since it came back from a lost device, as of
// the last step that landed. Empty without Options.Profile.
func (e *Engine) Profile() []KernelTime {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.profile)
}

// TimeKernels leaves kernels alone for now, or times them again: without Options.Profile it changes nothing.
func (e *Engine) TimeKernels(on bool) error {
	return e.loop.CallReady(func() error {
		e.machine.TimeKernels(on)
		return nil
	})
}

// HostTimes is where the host's time went, in so many steps.
type HostTimes struct {
	Steps    uint64
	Again    uint64        // draws under grammars that were made again
	Schedule time.Duration // deciding what runs
	Build    time.Duration // laying steps out, and writing what the GPU has to do
	Bridge   time.Duration // in the tab: from Go to JavaScript and back
	Encode   time.Duration // giving it to the GPU
	Mask     time.Duration // telling which tokens grammars allow
	Wait     time.Duration // for the GPU; requests' own work is done meanwhile
	Give     time.Duration // tokens to their requests
}

// HostTimes returns the host's times since it was first called, or since the engine came back from a lost device: nobody else pays for
// looking at the clock.
func (e *Engine) HostTimes() (h HostTimes, err error) {
	err = e.loop.CallReady(func() error {
		t := e.loop.Times()
		handed, encoding := e.machine.Handed()
		h = HostTimes{Steps: t.Steps, Again: t.Again, Schedule: t.Schedule, Build: t.Submit - handed, Encode: handed, Mask: t.Mask, Wait: t.Wait, Give: t.Give}
		if encoding > 0 {
			h.Bridge, h.Encode = handed-encoding, encoding
		}
		return nil
	})
	return h, err
}
