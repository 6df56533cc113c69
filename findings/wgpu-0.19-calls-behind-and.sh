#!/bin/bash
# wgpu 0.19 makes a call on the right of && even when the left side is false.
#
# github.com/cogentcore/webgpu v0.23.0 (wgpu-native 0.19, and the naga of that time) from Go, on lavapipe, Mesa's Vulkan
# on the CPU. WGSL evaluates the right side of && only where the left side is true. Here every invocation makes a call
# that stands there, so what it stores is stored. The condition's value is right all the same: only the invocations
# that should take the branch do. With the call in an if of its own, it is made only where it should be.
# github.com/oliverbestmann/webgpu v1.36.0 (wgpu-native 29) does what WGSL says.
# Reported as gfx-rs/wgpu#4394; gfx-rs/wgpu#7339 has naga's WGSL reader short-circuit.
#
# Invocations 0 and 1 of 4 should call mark, which stores a 7, and take the branch, which stores a 1.
#
# Output seen:
#   cogentcore/webgpu v0.23.0
#     called [7 7 7 7], branch [1 1 0 0]: if (id.x < 2u && mark(id.x)) { data[4u + id.x] = 1u; }
#     called [7 7 0 0], branch [1 1 0 0]: if (id.x < 2u) { if (mark(id.x)) { data[4u + id.x] = 1u; } }
#   oliverbestmann/webgpu v1.36.0
#     called [7 7 0 0], branch [1 1 0 0]: if (id.x < 2u && mark(id.x)) { data[4u + id.x] = 1u; }
#     called [7 7 0 0], branch [1 1 0 0]: if (id.x < 2u) { if (mark(id.x)) { data[4u + id.x] = 1u; } }
#   confirmed
#
# Exits with 1 when v0.23.0 short-circuits or v1.36.0 does not, and with 2 when it could not be tried.
# Needs Go, a C compiler and lavapipe.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export CGO_ENABLED=1 GOWORK=off
{
  go mod init calls
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

fn mark(i: u32) -> bool {
	data[i] = 7u;
	return true;
}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
	STATEMENT
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
	for _, statement := range []string{
		"if (id.x < 2u && mark(id.x)) { data[4u + id.x] = 1u; }",
		"if (id.x < 2u) { if (mark(id.x)) { data[4u + id.x] = 1u; } }",
	} {
		data := run(device, strings.Replace(shader, "STATEMENT", statement, 1))
		fmt.Printf("  called %v, branch %v: %s\n", data[:4], data[4:], statement)
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
printf '%s\n' "$old" "$new"
shorts='^  called \[7 7 0 0\], branch \[1 1 0 0\]: if (id.x < 2u'
if grep -q '^  called \[7 7 7 7\], branch \[1 1 0 0\]: if (id.x < 2u &&' <<<"$old" && grep -q "$shorts)" <<<"$old" &&
  [ "$(grep -c "$shorts" <<<"$new")" = 2 ]; then
  echo confirmed
else
  echo 'CHANGED: not what was seen'
  exit 1
fi
