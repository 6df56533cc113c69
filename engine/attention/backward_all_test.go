//go:build !js

package attention

import "os"

// allBackward reports whether the long tests of the backward pass are wanted.
func allBackward() bool { return os.Getenv("QUIRE_ALL") != "" }
