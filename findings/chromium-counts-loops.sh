#!/bin/sh
# Chromium puts a counter of 64 bits into WGSL loops that do not count by one.
#
# Chromium (Debian's 156.0.8078.108), driven by puppeteer-core 24.10.0 from Node, with SwiftShader as the GPU.
# That a loop ends is plain in "for (var i = lid; i < 256u; i += 64u)" or in "for (var span = 16u; span > 0u; span /= 2u)", too. Tint only
# knows those to end that step a variable by one toward a constant. Into all others, a bound that a let read from a buffer included, it
# writes a second index of two words that each turn tests and counts down. GPU drivers then no longer write a loop of two or eight turns
# out, and its loads wait for each other: on an NVIDIA H200 a language model's decode step took 775 microseconds of the GPU, and 701 with
# --enable-dawn-features=disable_robustness; once its kernels' short loops counted by one, and one of them read its input only once, 635,
# and no less with that flag. Natively wgpu leaves such counters out on request.
#
# Output seen:
#   0 counters: for (var i = 0u; i < 4u; i++) { y[lid + i * 64u] = 1u; }
#   1 counter: let n = y[0]; for (var i = 0u; i < n; i++) { y[lid + i * 64u] = 1u; }
#   1 counter: for (var i = lid; i < 256u; i += 64u) { y[i] = 1u; }
#   1 counter: for (var span = 16u; span > 0u; span /= 2u) { y[lid + span] = 1u; }
#   confirmed
#
# Fails when a loop has another number of counters.
# CHROMIUM names the browser; the default is chromium on the path.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
CHROMIUM=$(command -v "${CHROMIUM:-chromium}")
export CHROMIUM
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.10.0 >/dev/null
cat >loops.mjs <<'END'
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const loops = [
  [0, 'for (var i = 0u; i < 4u; i++) { y[lid + i * 64u] = 1u; }'],
  [1, 'let n = y[0]; for (var i = 0u; i < n; i++) { y[lid + i * 64u] = 1u; }'],
  [1, 'for (var i = lid; i < 256u; i += 64u) { y[i] = 1u; }'],
  [1, 'for (var span = 16u; span > 0u; span /= 2u) { y[lid + span] = 1u; }'],
];
const server = http.createServer((req, res) => res.setHeader('content-type', 'text/html').end('<!doctype html><title>loops</title>')).listen(0);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM, headless: true,
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--enable-dawn-features=dump_shaders'],
});
const tab = await browser.newPage();
let dumped = [];
tab.on('console', (message) => { if (message.text().includes('OpEntryPoint')) dumped.push(message.text()); });
await tab.goto(`http://localhost:${server.address().port}/`);
let right = true;
for (const [want, loop] of loops) {
  dumped = [];
  await tab.evaluate(async (loop) => {
    const device = await (await navigator.gpu.requestAdapter()).requestDevice();
    const code = `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
      @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) lid: u32) { ${loop} }`;
    await device.createComputePipelineAsync({layout: 'auto', compute: {module: device.createShaderModule({code})}});
  }, loop);
  for (let i = 0; i < 100 && dumped.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 50));
  if (dumped.length === 0) throw new Error('no shader was dumped');
  const counters = dumped[0].split('\n').filter((line) => /OpIEqual .*%uint_4294967295/.test(line)).length;
  console.log(`${counters} ${counters === 1 ? 'counter' : 'counters'}: ${loop}`);
  right &&= counters === want;
}
await browser.close();
server.close();
console.log(right ? 'confirmed' : 'CHANGED');
process.exitCode = right ? 0 : 1;
END
timeout 120 node loops.mjs
