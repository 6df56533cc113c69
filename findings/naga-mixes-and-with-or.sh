#!/bin/bash
# WGSL's grammar has no "a && b || c": && and || stand together only with brackets around one of them. naga takes it all the same, so that a
# shader that compiles natively is refused in Chromium.
#
# github.com/oliverbestmann/webgpu v1.36.0 (wgpu-native 29) from Go on lavapipe, Mesa's Vulkan on the CPU, and the npm package webgpu 0.6.2 (Dawn),
# whose null backend needs no GPU.
#
# Output seen:
#   naga accepted: a && b || c
#   naga accepted: (a && b) || c
#   Tint refused: a && b || c: mixing '&&' and '||' requires parenthesis
#   Tint accepted: (a && b) || c
#   confirmed
#
# Exits with 1 when naga refuses the first or Tint takes it, and with 2 when it could not be tried.
# Needs Go, a C compiler, lavapipe, Node and npm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export CGO_ENABLED=1 GOWORK=off
{
  go mod init mixed
  go get github.com/oliverbestmann/webgpu/wgpu@v1.36.0
  npm install --silent --no-audit --no-fund --no-save webgpu@0.6.2
} >log 2>&1 || { cat log; exit 2; }
cat >shader.wgsl <<'END'
@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(1)
fn main() {
	let a = data[0] == 1u;
	let b = data[1] == 1u;
	let c = data[2] == 1u;
	data[3] = u32(EXPRESSION);
}
END
cat >main.go <<'END'
package main

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/oliverbestmann/webgpu/wgpu"
)

//go:embed shader.wgsl
var shader string

func main() {
	wgpu.SetLogLevel(wgpu.LogLevelOff)
	instance := wgpu.CreateInstance(&wgpu.InstanceDescriptor{Backends: wgpu.InstanceBackend(1)}) // Vulkan
	adapter, err := instance.RequestAdapter(&wgpu.RequestAdapterOptions{ForceFallbackAdapter: true}) // on the CPU
	if err != nil {
		panic(err)
	}
	device, err := adapter.RequestDevice(nil)
	if err != nil {
		panic(err)
	}
	for _, expression := range []string{"a && b || c", "(a && b) || c"} {
		code := strings.ReplaceAll(shader, "EXPRESSION", expression)
		if _, err := device.TryCreateShaderModule(&wgpu.ShaderModuleDescriptor{WGSLSource: &wgpu.ShaderSourceWGSL{Code: code}}); err != nil {
			fmt.Printf("naga refused: %s\n", expression)
		} else {
			fmt.Printf("naga accepted: %s\n", expression)
		}
	}
}
END
cat >main.mjs <<'END'
import fs from 'node:fs';
import {create} from 'webgpu';

const adapter = await create(['backend=null']).requestAdapter();
const device = await adapter.requestDevice();
device.addEventListener('uncapturederror', (e) => e.preventDefault());
for (const expression of ['a && b || c', '(a && b) || c']) {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({code: fs.readFileSync('shader.wgsl', 'utf8').replaceAll('EXPRESSION', expression)});
  const {messages} = await module.getCompilationInfo();
  await device.popErrorScope();
  console.log(messages.length ? `Tint refused: ${expression}: ${messages[0].message}` : `Tint accepted: ${expression}`);
}
process.exit(0);
END
go build -o mixed . 2>log || { cat log; exit 2; }
out=$(timeout 100 ./mixed 2>log && timeout 100 node main.mjs 2>>log) || { cat log; exit 2; }
echo "$out"
if [ "$(grep -c accepted <<<"$out")" = 3 ] && grep -q "^Tint refused: a && b || c: mixing" <<<"$out"; then
  echo confirmed
else
  echo 'CHANGED: not what was seen'
  exit 1
fi
