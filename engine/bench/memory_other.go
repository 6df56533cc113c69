//go:build !unix

package bench

// peakHostBytes is not known.
func peakHostBytes() int64 { return 0 }
