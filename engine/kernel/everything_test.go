//go:build !js

package kernel

import "os"

// everything reports whether the long tests are wanted; they need a real GPU.
func everything() bool { return os.Getenv("QUIRE_ALL") != "" }
