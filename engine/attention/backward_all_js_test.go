package attention

// allBackward reports whether the long tests of the backward pass are wanted; never in the browser's software GPU.
func allBackward() bool { return false }
