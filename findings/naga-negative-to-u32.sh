#!/bin/bash
# WGSL says that u32(x) of a float gives the nearest number that there is, so 0 of negative ones. Of negative floats that a buffer holds,
# wgpu-native 0.19's Vulkan shaders make something else on lavapipe, as SPIR-V leaves it open; wgpu-native 29's make 0.
#
# github.com/oliverbestmann/webgpu v1.36.0 (wgpu-native 29) and github.com/cogentcore/webgpu v0.23.0 (wgpu-native 0.19)
# from Go, on lavapipe, Mesa's Vulkan on the CPU. max(x, 0.0) before the conversion gives 0 on both.
#
# Output seen:
#   cogentcore/webgpu v0.23.0
#     [2 0 4294967295]: u32(x) of 2.5, 0.5 and -1.5
#     [2 0 0]: u32(max(x, 0.0)) of 2.5, 0.5 and -1.5
#   oliverbestmann/webgpu v1.36.0
#     [2 0 0]: u32(x) of 2.5, 0.5 and -1.5
#     [2 0 0]: u32(max(x, 0.0)) of 2.5, 0.5 and -1.5
#   confirmed
#
# Exits with 1 when a binding gives something else, and with 2 when it could not be tried.
# Needs Go, a C compiler and lavapipe.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export CGO_ENABLED=1 GOWORK=off
{
  go mod init negative
  go get github.com/cogentcore/webgpu/wgpu@v0.23.0 github.com/oliverbestmann/webgpu/wgpu@v1.36.0
} 2>log || { cat log; exit 2; }
mkdir old new
cat >old/main.go <<'END'
package main

import (
	"fmt"
	"strings"

	"github.com/cogentcore/webgpu/wgpu"
)

const shader = `
@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
	for (var i = 0u; i < 3u; i++) {
		let x = 2.5 - 2.0 * f32(i + data[7]);
		data[i] = EXPRESSION;
	}
}`

// must takes what one of the two bindings returns with an error and the other one without.
func must[T any](v T, err ...error) T {
	if len(err) > 0 && err[0] != nil {
		panic(err[0])
	}
	return v
}

func main() {
	wgpu.SetLogLevel(wgpu.LogLevelError)
	instance := wgpu.CreateInstance(&wgpu.InstanceDescriptor{Backends: wgpu.InstanceBackend(1)}) // Vulkan
	adapter := must(instance.RequestAdapter(&wgpu.RequestAdapterOptions{
		ForceFallbackAdapter: true, // on the CPU
	}))
	device := must(adapter.RequestDevice(nil))
	info := adapter.GetInfo()
	if info.BackendType != wgpu.BackendTypeVulkan || info.AdapterType != wgpu.AdapterTypeCPU {
		panic("not lavapipe")
	}
	fmt.Println("cogentcore/webgpu v0.23.0")
	for _, expression := range []string{"u32(x)", "u32(max(x, 0.0))"} {
		data := run(device, strings.Replace(shader, "EXPRESSION", expression, 1))
		fmt.Printf("  %v: %s of 2.5, 0.5 and -1.5\n", data[:3], expression)
	}
}

// run returns 8 elements, zero at first, as the shader leaves them.
func run(device *wgpu.Device, code string) []uint32 {
	const size = 8 * 4
	module := must(device.CreateShaderModule(&wgpu.ShaderModuleDescriptor{
		WGSLDescriptor: &wgpu.ShaderModuleWGSLDescriptor{Code: code},
	}))
	pipeline := must(device.CreateComputePipeline(&wgpu.ComputePipelineDescriptor{
		Compute: wgpu.ProgrammableStageDescriptor{Module: module, EntryPoint: "main"},
	}))
	data := must(device.CreateBuffer(&wgpu.BufferDescriptor{
		Size: size, Usage: wgpu.BufferUsageStorage | wgpu.BufferUsageCopySrc,
	}))
	back := must(device.CreateBuffer(&wgpu.BufferDescriptor{
		Size: size, Usage: wgpu.BufferUsageMapRead | wgpu.BufferUsageCopyDst,
	}))
	group := must(device.CreateBindGroup(&wgpu.BindGroupDescriptor{
		Layout:  pipeline.GetBindGroupLayout(0),
		Entries: []wgpu.BindGroupEntry{{Binding: 0, Buffer: data, Size: wgpu.WholeSize}},
	}))
	encoder := must(device.CreateCommandEncoder(nil))
	pass := encoder.BeginComputePass(nil)
	pass.SetPipeline(pipeline)
	pass.SetBindGroup(0, group, nil)
	pass.DispatchWorkgroups(1, 1, 1)
	pass.End()
	pass.Release()
	encoder.CopyBufferToBuffer(data, 0, back, 0, size)
	device.GetQueue().Submit(must(encoder.Finish(nil)))
	status := wgpu.BufferMapAsyncStatus(99)
	back.MapAsync(wgpu.MapModeRead, 0, size, func(s wgpu.BufferMapAsyncStatus) { status = s })
	device.Poll(true, nil)
	if status != wgpu.BufferMapAsyncStatusSuccess {
		panic(status)
	}
	return append([]uint32(nil), wgpu.FromBytes[uint32](back.GetMappedRange(0, size))...)
}
END
# The two bindings cannot be linked into one program, and a few names differ.
sed 's,cogentcore,oliverbestmann,; s/v0.23.0/v1.36.0/; s/WGSLDescriptor:/WGSLSource:/; s/ShaderModuleWGSLDescriptor/ShaderSourceWGSL/
s/BufferMapAsyncStatus/MapAsyncStatus/g' old/main.go >new/main.go
mkdir bin
go build -o bin/ ./old ./new || exit 2
old=$(timeout 100 bin/old 2>log) || { cat log; exit 2; }
new=$(timeout 100 bin/new 2>log) || { cat log; exit 2; }
both=$(printf '%s\n' "$old" "$new")
echo "$both"
if [ "$(grep -c '^  \[2 0 4294967295\]: u32(x)' <<<"$old")" = 1 ] && [ "$(grep -c '^  \[2 0 0\]: u32(x)' <<<"$new")" = 1 ] &&
  [ "$(grep -c '^  \[2 0 0\]: u32(max' <<<"$both")" = 2 ]; then
  echo confirmed
else
  echo 'CHANGED: not what was seen'
  exit 1
fi
