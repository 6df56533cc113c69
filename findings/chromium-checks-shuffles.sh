#!/bin/sh
# Chromium checks whether a subgroup has the invocation that a shuffle asks, but for those within a quad.
#
# Chromium (Debian's 156.0.8078.108), driven by puppeteer-core 24.10.0 from Node, with SwiftShader as the GPU.
# Tint adds up a subgroup's invocations as a kernel begins. Of subgroupShuffle it takes the minimum of the place and that number less one; behind
# subgroupShuffleXor, subgroupShuffleUp and subgroupShuffleDown it compares, and takes 0 in place of what would come from beyond; no
# driver can know the number and leave that out. quadSwapX, quadSwapY, quadSwapDiagonal and quadBroadcast stay as they are. Natively
# naga checks none of them.
#
# Output seen:
#   compared: subgroupShuffleXor(x, 1u)
#   bounded: subgroupShuffle(x, lid & 3u)
#   compared: subgroupBroadcast(x, 1u)
#   as it is: quadSwapX(x)
#   as it is: quadBroadcast(x, 1u)
#   confirmed
#
# Fails when one of them is checked otherwise.
# CHROMIUM names the browser; the default is chromium on the path.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
CHROMIUM=$(command -v "${CHROMIUM:-chromium}")
export CHROMIUM
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.10.0 >/dev/null
cat >shuffles.mjs <<'END'
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const shuffles = [
  ['compared', 'subgroupShuffleXor(x, 1u)'],
  ['bounded', 'subgroupShuffle(x, lid & 3u)'],
  ['compared', 'subgroupBroadcast(x, 1u)'],
  ['as it is', 'quadSwapX(x)'],
  ['as it is', 'quadBroadcast(x, 1u)'],
];
const server = http.createServer((req, res) => res.setHeader('content-type', 'text/html').end('<!doctype html><title>shuffles</title>')).listen(0);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM, headless: true,
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--enable-dawn-features=dump_shaders'],
});
const tab = await browser.newPage();
let dumped = [];
tab.on('console', (message) => { if (message.text().includes('OpEntryPoint')) dumped.push(message.text()); });
await tab.goto(`http://localhost:${server.address().port}/`);
let right = true;
for (const [want, shuffle] of shuffles) {
  dumped = [];
  await tab.evaluate(async (shuffle) => {
    const device = await (await navigator.gpu.requestAdapter()).requestDevice({requiredFeatures: ['subgroups']});
    const code = `enable subgroups;
      @group(0) @binding(0) var<storage, read_write> y: f32;
      @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) lid: u32) { let x = f32(lid); y = ${shuffle}; }`;
    await device.createComputePipelineAsync({layout: 'auto', compute: {module: device.createShaderModule({code})}});
  }, shuffle);
  for (let i = 0; i < 100 && dumped.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 50));
  if (dumped.length === 0) throw new Error('no shader was dumped');
  const is = dumped[0].includes(' UMin ') ? 'bounded' : dumped[0].includes('OpSelect ') ? 'compared' : 'as it is';
  console.log(`${is}: ${shuffle}`);
  right &&= is === want;
}
await browser.close();
server.close();
console.log(right ? 'confirmed' : 'CHANGED');
process.exitCode = right ? 0 : 1;
END
timeout 120 node shuffles.mjs
