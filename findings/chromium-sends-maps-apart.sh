#!/bin/sh
# A map behind a submission is a message of its own to the GPU process.
#
# Chromium (Debian's 156.0.8078.108) with SwiftShader, driven by puppeteer-core 24.10.0 from Node.
# WebGPU's calls are buffered, so one takes what a task calls for one message. Chromium sends what there is at each queue.submit, and
# the rest when the task ends: submit followed by mapAsync, as every readback is written, is two messages, with two turns of the GPU
# process's main thread. Where several steps are in flight, the map of the last one can wait until right before the next submission, which takes it
# along.
#
# Output seen:
#   messages a step: 2.0 with the map behind its submission, 1.0 with it before the next
#   confirmed
#
# Fails when the first is under 1.8 or the second over 1.2.
# CHROMIUM names the browser; the default is chromium on the path.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
CHROMIUM=$(command -v "${CHROMIUM:-chromium}")
export CHROMIUM
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.10.0 >/dev/null
cat >maps.mjs <<'END'
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const STEPS = 200;
const page = `<!doctype html><title>maps</title><script type="module">
const device = await (await navigator.gpu.requestAdapter()).requestDevice();
const buffer = device.createBuffer({size: 4, usage: GPUBufferUsage.COPY_SRC});
const backs = Array.from({length: 5}, () => device.createBuffer({size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST}));
const map = (back) => back.mapped = back.mapAsync(GPUMapMode.READ);
globalThis.run = async (late) => {
  for (let i = 0; i < ${STEPS}; i++) {
    const back = backs[i % 5];
    if (i >= 5) back.unmap();
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, back, 0, 4);
    if (late && i > 0) map(backs[(i - 1) % 5]);
    device.queue.submit([encoder.finish()]);
    if (!late) map(back);
    if (i >= 4) await backs[(i - 4) % 5].mapped; // so that its place is free
  }
  if (late) map(backs[(${STEPS} - 1) % 5]);
  await Promise.all(backs.map((b) => b.mapped));
  backs.forEach((b) => b.unmap());
};
globalThis.ready = true;
</script>`;
const server = http.createServer((_, res) => res.setHeader('content-type', 'text/html').end(page)).listen(0);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM, headless: true,
  args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--disable-dev-shm-usage'],
});
const tab = await browser.newPage();
await tab.goto(`http://localhost:${server.address().port}/`);
await tab.waitForFunction('globalThis.ready', {timeout: 60_000});
const messages = async (late) => {
  await tab.evaluate((l) => run(l), late);
  await tab.tracing.start({categories: ['-*', 'gpu', 'disabled-by-default-gpu.dawn']});
  await tab.evaluate((l) => run(l), late);
  const {traceEvents} = JSON.parse(new TextDecoder().decode(await tab.tracing.stop()));
  const found = traceEvents.filter((e) => e.name === 'WebGPUDecoderImpl::HandleDawnCommands' && e.ph !== 'E').length;
  if (found === 0) throw new Error('the trace has no such events');
  return found / STEPS;
};
const behind = await messages(false), before = await messages(true);
console.log(`messages a step: ${behind.toFixed(1)} with the map behind its submission, ${before.toFixed(1)} with it before the next`);
await browser.close();
server.close();
const same = behind >= 1.8 && before <= 1.2;
console.log(same ? 'confirmed' : 'CHANGED: messages are counted otherwise');
process.exitCode = same ? 0 : 1;
END
timeout 300 node maps.mjs
