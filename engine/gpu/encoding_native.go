//go:build !js

package gpu

import "time"

// Encoding is 0: natively Submit does nothing but encode.
func Encoding() time.Duration { return 0 }
