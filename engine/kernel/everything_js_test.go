package kernel

// everything reports whether the long tests are wanted; never in the browser's software GPU.
func everything() bool { return false }
