package engine

import (
	"slices"

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
