//go:build !linux && !js

package firefox

import "os/exec"

func bind(*exec.Cmd) {}

// sweep has nothing to do: Firefox's other processes end when the first one has.
func sweep(*exec.Cmd) {}
