//go:build !js && cogentcore

package gpu

// #cgo CFLAGS: -DQUIRE_COGENTCORE
import "C"

import _ "github.com/cogentcore/webgpu/wgpu" // links wgpu-native 0.19

// oneAtATime is true: in 0.19 a submission and a buffer's release on two threads wait for each other for ever.
const oneAtATime = true

// PackedDot tells whether kernels may use dot products of packed integers: 0.19 knows none.
func PackedDot() bool { return false }
