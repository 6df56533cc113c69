//go:build !js && !cogentcore

package gpu

// #cgo CFLAGS: -O2
import "C"

import _ "github.com/oliverbestmann/webgpu/wgpu" // links wgpu-native 29
