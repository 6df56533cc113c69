//go:build !js

package bench

import "runtime"

// hostName says which system runs.
func hostName() string { return runtime.GOOS + "/" + runtime.GOARCH }
