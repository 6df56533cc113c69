#!/bin/bash
# WGSL's bitcast turns 32 bits into two f16. naga takes what comes of bitcast<vec2<f16>>(u32) for two f32, so that a shader which subtracts
# f16 from it is refused. unpack2x16float and a conversion back give the same numbers.
#
# github.com/oliverbestmann/webgpu v1.36.0 (wgpu-native 29) from Go, with shader-f16 on lavapipe, Mesa's Vulkan on the CPU.
#
# Output seen:
#   refused: bitcast<vec2<f16>>(x) - vec2<f16>(1.0h): Operation Subtract can't work with [6] (of type Vector { size: Bi, scalar: Scalar { kind: Float, width: 4 } })
#   accepted: vec2<f16>(unpack2x16float(x)) - vec2<f16>(1.0h)
#   confirmed
#
# Exits with 1 when the first is accepted, and with 2 when it could not be tried.
# Needs Go, a C compiler and lavapipe.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export CGO_ENABLED=1 GOWORK=off
{
  go mod init bits
  go get github.com/oliverbestmann/webgpu/wgpu@v1.36.0
} 2>log || { cat log; exit 2; }
cat >main.go <<'END'
package main

import (
	"fmt"
	"regexp"

	"github.com/oliverbestmann/webgpu/wgpu"
)

const shader = `enable f16;
@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(1)
fn main() {
	let x = data[0];
	let y = %s;
	data[1] = u32(y.x + y.y);
}`

var told = regexp.MustCompile(`Operation \w+ can't work with \S+ \(of type [^)]*\)`)

func main() {
	wgpu.SetLogLevel(wgpu.LogLevelOff)
	instance := wgpu.CreateInstance(&wgpu.InstanceDescriptor{Backends: wgpu.InstanceBackend(1)}) // Vulkan
	adapter, err := instance.RequestAdapter(&wgpu.RequestAdapterOptions{ForceFallbackAdapter: true}) // on the CPU
	if err != nil {
		panic(err)
	}
	device, err := adapter.RequestDevice(&wgpu.DeviceDescriptor{RequiredFeatures: []wgpu.FeatureName{wgpu.FeatureNameShaderF16}})
	if err != nil {
		panic(err)
	}
	for _, expression := range []string{"bitcast<vec2<f16>>(x) - vec2<f16>(1.0h)", "vec2<f16>(unpack2x16float(x)) - vec2<f16>(1.0h)"} {
		_, err := device.TryCreateShaderModule(&wgpu.ShaderModuleDescriptor{WGSLSource: &wgpu.ShaderSourceWGSL{Code: fmt.Sprintf(shader, expression)}})
		if err != nil {
			fmt.Printf("refused: %s: %s\n", expression, told.FindString(err.Error()))
		} else {
			fmt.Printf("accepted: %s\n", expression)
		}
	}
}
END
go build -o bits . 2>log || { cat log; exit 2; }
out=$(timeout 100 ./bits 2>log) || { cat log; exit 2; }
echo "$out"
if grep -q '^refused: bitcast.*width: 4' <<<"$out" && grep -q '^accepted: vec2' <<<"$out"; then
  echo confirmed
else
  echo 'CHANGED: not what was seen'
  exit 1
fi
