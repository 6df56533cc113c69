//go:build !js && !cogentcore

package gpu

import _ "github.com/oliverbestmann/webgpu/wgpu" // links wgpu-native 29

// oneAtATime is false: the library takes calls from several threads.
const oneAtATime = false

// PackedDot tells whether kernels may use dot products of packed integers.
func PackedDot() bool { return true }
