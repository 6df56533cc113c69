//go:build !js && cogentcore

package gpu

// #cgo CFLAGS: -O2 -DQUIRE_COGENTCORE
import "C"

import _ "github.com/cogentcore/webgpu/wgpu" // links wgpu-native 0.19
