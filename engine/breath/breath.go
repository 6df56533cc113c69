//go:build !js

package breath

// Breath is somebody's long work.
type Breath struct{}

// Take does nothing: others have threads of their own.
func (*Breath) Take() {}
