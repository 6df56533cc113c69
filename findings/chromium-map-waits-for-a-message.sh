#!/bin/sh
# A readback is told two milliseconds after it is ready, unless something is sent meanwhile.
#
# Chromium (Debian's 156.0.8078.108) with SwiftShader, driven by puppeteer-core 24.10.0 from Node.
# mapAsync answers when the GPU is done, so one awaits it and sends nothing. Chromium's GPU process looks for finished work when a
# message arrives there, and otherwise by a timer: a dispatch of microseconds is known after 2 to 3 ms. Whoever reads back step by
# step waits for that timer each time. Any small question helps while one awaits: an error scope around nothing is a round trip, so its
# answer paces the next question.
#
# Output seen:
#   a dispatch and its readback: 2.5 ms, 0.6 ms with questions meanwhile
#   confirmed
#
# Fails when questions make it less than twice as fast.
# CHROMIUM names the browser; the default is chromium on the path.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
CHROMIUM=$(command -v "${CHROMIUM:-chromium}")
export CHROMIUM
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.10.0 >/dev/null
cat >map.mjs <<'END'
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const page = `<!doctype html><title>map</title><script type="module">
const device = await (await navigator.gpu.requestAdapter()).requestDevice();
const module = device.createShaderModule({code: '@group(0) @binding(0) var<storage, read_write> x: array<u32>; @compute @workgroup_size(1) fn main() { x[0]++; }'});
const pipeline = device.createComputePipeline({layout: 'auto', compute: {module}});
const buffer = device.createBuffer({size: 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC});
const back = device.createBuffer({size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST});
const group = device.createBindGroup({layout: pipeline.getBindGroupLayout(0), entries: [{binding: 0, resource: {buffer}}]});
const step = async (questions) => {
  const from = performance.now();
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, back, 0, 4);
  device.queue.submit([encoder.finish()]);
  let done = false;
  const ask = () => {
    if (done) return;
    device.pushErrorScope('validation');
    device.popErrorScope().then(ask);
  };
  const mapped = back.mapAsync(GPUMapMode.READ);
  if (questions) ask();
  await mapped;
  done = true;
  back.unmap();
  return performance.now() - from;
};
const times = [[], []];
for (let i = 0; i < 400; i++) times[i % 2].push(await step(i % 2));
globalThis.times = times.map((t) => t.slice(50).sort((a, b) => a - b)[75]);
</script>`;
const server = http.createServer((_, res) => res.setHeader('content-type', 'text/html').end(page)).listen(0);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM, headless: true,
  args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--disable-dev-shm-usage'],
});
const tab = await browser.newPage();
await tab.goto(`http://localhost:${server.address().port}/`);
const [alone, asked] = await (await tab.waitForFunction('globalThis.times', {timeout: 60_000})).jsonValue();
console.log(`a dispatch and its readback: ${alone.toFixed(1)} ms, ${asked.toFixed(1)} ms with questions meanwhile`);
await browser.close();
server.close();
console.log(alone > 2 * asked ? 'confirmed' : 'CHANGED: questions help little');
process.exitCode = alone > 2 * asked ? 0 : 1;
END
timeout 300 node map.mjs
