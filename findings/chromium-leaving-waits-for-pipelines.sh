#!/bin/sh
# A page cannot be left before every compute pipeline that it asked for is compiled.
#
# Chromium (Debian's 156.0.8078.108) with SwiftShader, driven by puppeteer-core 24.10.0 from Node.
# createComputePipelineAsync returns at once, so one asks for all pipelines and awaits them together. A page that is left,
# or reloaded, meanwhile should drop what is still in the queue. Chromium compiles all of it first:
# until then the GPU process answers nobody, the next page is not shown, and it gets no device. With two pipelines in
# flight at a time only those two are waited for.
#
# Output seen:
#   2 of 48 pipelines at a time: the next page has a device after 0.1 s
#   all 48 at a time: the next page has a device after 10.1 s
#   confirmed
#
# Fails when leaving no longer waits (less than 2.5 times as long with all of them in the queue).
# CHROMIUM names the browser; the default is chromium on the path.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
CHROMIUM=$(command -v "${CHROMIUM:-chromium}")
export CHROMIUM
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.10.0 >/dev/null
cat >leave.mjs <<'END'
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const COUNT = 48;
const page = `<!doctype html><title>pipelines</title><script type="module">
const together = Number(new URLSearchParams(location.search).get('together'));
const device = await (await navigator.gpu.requestAdapter()).requestDevice();
globalThis.device = device;
const code = (n) => '@group(0) @binding(0) var<storage, read_write> x: array<f32>;' +
  '@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { var v = x[id.x];' +
  Array.from({length: 1000}, (_, i) => 'v = v * sin(v + ' + (i + n / 1000) + ') + x[(id.x + ' + i + 'u) % 64u];').join('') + 'x[id.x] = v; }';
let next = 0;
const turn = async () => {
  while (next < ${COUNT}) {
    const module = device.createShaderModule({code: code(next++)});
    await device.createComputePipelineAsync({layout: 'auto', compute: {module}});
  }
};
for (let i = 0; i < together; i++) turn();
globalThis.asked = true;
</script>`;
const server = http.createServer((_, res) => res.setHeader('content-type', 'text/html').end(page)).listen(0);
const site = `http://localhost:${server.address().port}/`;
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM, headless: true,
  args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--disable-dev-shm-usage'],
});
const left = async (together) => {
  const tab = await browser.newPage();
  tab.setDefaultTimeout(300_000);
  tab.setDefaultNavigationTimeout(300_000);
  await tab.goto(`${site}?together=${together}`);
  await tab.waitForFunction('Boolean(globalThis.asked)');
  const start = performance.now();
  await tab.goto(`${site}next?together=0`);
  await tab.waitForFunction('Boolean(globalThis.device)');
  const seconds = (performance.now() - start) / 1000;
  await tab.close();
  return seconds;
};
const few = await left(2), all = await left(COUNT);
console.log(`2 of ${COUNT} pipelines at a time: the next page has a device after ${few.toFixed(1)} s`);
console.log(`all ${COUNT} at a time: the next page has a device after ${all.toFixed(1)} s`);
await browser.close();
server.close();
console.log(all > 2.5 * few ? 'confirmed' : 'CHANGED: leaving does not wait for what is in the queue');
process.exitCode = all > 2.5 * few ? 0 : 1;
END
timeout 600 node leave.mjs
