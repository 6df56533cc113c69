#!/bin/sh
# In Firefox device.destroy() breaks off a mapAsync at once, and device.lost tells of it only when the GPU's work is done.
#
# Firefox ESR (Debian's 153.8.0) on lavapipe, driven by puppeteer-core 24.10.0 from Node.
# destroy() unmaps all buffers, so a mapAsync that is awaited is rejected with an AbortError, as by unmap(). The error does not say that
# the device is gone, and device.lost stays pending for as long as the work submitted before takes: seconds here. The standard's steps
# say so (unmap, then lose the device once what is enqueued has completed), but let a browser be quicker, and Chromium is (Debian's
# 156.0.8078.108 on SwiftShader, the same page): there the two came within 1 ms, with 11 s of work to do.
# So code that looks at device.lost for a moment after an AbortError, as is enough in Chromium, takes a destroyed device for a whole one.
# Who did not unmap the buffer can await device.lost.
#
# Output seen:
#   left alone: mapped after 5097 ms
#   destroyed after 21 ms: AbortError: Buffer unmapped after 21 ms, lost (destroyed) after 5951 ms
#   confirmed
#
# Fails when the loss comes within 1 s of the rejection, before work of 3 s or more can be done, or the mapAsync is not rejected so.
# FIREFOX names the browser; the default is firefox-esr on the path.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
FIREFOX=$(command -v "${FIREFOX:-firefox-esr}")
export FIREFOX
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.10.0 >/dev/null
cat >destroy.mjs <<'END'
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const server = http.createServer((_, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end('<!doctype html><title>destroy</title>');
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const browser = await puppeteer.launch({
  browser: 'firefox', executablePath: process.env.FIREFOX, headless: true,
  extraPrefsFirefox: {'dom.webgpu.enabled': true, 'gfx.webgpu.ignore-blocklist': true},
});
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
// Times are in milliseconds since the submission.
const run = (dispatches, destroy) => page.evaluate(async (dispatches, destroy) => {
  const device = await (await navigator.gpu.requestAdapter()).requestDevice();
  const module = device.createShaderModule({code: `@group(0) @binding(0) var<storage, read_write> x: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      var v = x[id.x];
      for (var i = 0u; i < 20000u; i++) { v = v * 1664525u + 1013904223u; }
      x[id.x] = v;
    }`});
  const pipeline = await device.createComputePipelineAsync({layout: 'auto', compute: {module}});
  const size = 65536;
  const buffer = device.createBuffer({size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC});
  const back = device.createBuffer({size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ});
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({layout: pipeline.getBindGroupLayout(0), entries: [{binding: 0, resource: {buffer}}]}));
  for (let i = 0; i < dispatches; i++) pass.dispatchWorkgroups(size / 4 / 64);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, back, 0, size);
  device.queue.submit([encoder.finish()]);
  const start = performance.now();
  const now = () => Math.round(performance.now() - start);
  const mapping = back.mapAsync(GPUMapMode.READ).then(() => ['mapped', now()], (e) => [`${e.name}: ${e.message}`, now()]);
  if (!destroy) {
    const [said, mapped] = await mapping;
    device.destroy();
    return {said, mapped};
  }
  await new Promise((resolve) => setTimeout(resolve, 20)); // the work has begun
  const destroyed = now();
  device.destroy();
  const loss = device.lost.then(({reason}) => [reason, now()]);
  const [said, mapped] = await mapping;
  const [reason, lost] = await loss;
  return {said, mapped, destroyed, reason, lost};
}, dispatches, destroy);

let dispatches = 4;
let whole = await run(dispatches, false);
for (; whole.said === 'mapped' && whole.mapped < 3000; whole = await run(dispatches, false)) dispatches *= 2;
console.log(`left alone: ${whole.said} after ${whole.mapped} ms`);
const {said, mapped, destroyed, reason, lost} = await run(dispatches, true);
console.log(`destroyed after ${destroyed} ms: ${said} after ${mapped} ms, lost (${reason}) after ${lost} ms`);
await browser.close();
server.close();
process.exitCode = said.startsWith('AbortError') && reason === 'destroyed' && lost - mapped > 1000 ? 0 : 1;
END
node destroy.mjs
echo confirmed
