#!/bin/sh
# A worker that tabs share has a GPU and the origin's private files, and can neither start workers nor open handles on files.
#
# Chromium (Debian's 156.0.8078.108) with SwiftShader, driven by puppeteer-core 24.10.0 from Node.
# HTML lets a shared worker start others, and what wants synchronous access to files there would start a dedicated one, as
# createSyncAccessHandle is for those alone. Chromium's SharedWorker has no Worker: files are written there by
# createWritable, whose stream puts a whole file in place when it is closed. WebGPU, locks and BroadcastChannel are there.
#
# Output seen:
#   Worker: undefined
#   createSyncAccessHandle: undefined
#   an adapter: true
#   written by a stream, after an earlier one: 8 bytes
#   confirmed
#
# Fails when a shared worker can start workers or open such handles, or has no GPU.
# CHROMIUM names the browser; the default is chromium on the path.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
CHROMIUM=$(command -v "${CHROMIUM:-chromium}")
export CHROMIUM
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.10.0 >/dev/null
cat >shared.mjs <<'END'
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const worker = `onconnect = async ({ports: [port]}) => {
  const file = await (await navigator.storage.getDirectory()).getFileHandle('file', {create: true});
  for (const position of [0, 4]) {
    const stream = await file.createWritable({keepExistingData: true});
    await stream.write({type: 'write', position, data: new Uint8Array(4)});
    await stream.close();
  }
  port.postMessage([typeof Worker, typeof file.createSyncAccessHandle, Boolean(await navigator.gpu?.requestAdapter()), (await file.getFile()).size]);
};`;
const server = http.createServer((req, res) => {
  const script = req.url === '/worker.js';
  res.setHeader('content-type', script ? 'text/javascript' : 'text/html').end(script ? worker : '<!doctype html><title>shared</title>');
}).listen(0);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM, headless: true,
  args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--disable-dev-shm-usage'],
});
const tab = await browser.newPage();
await tab.goto(`http://localhost:${server.address().port}/`);
const [workers, handles, adapter, bytes] = await tab.evaluate(() => new Promise((resolve, reject) => {
  const shared = new SharedWorker('/worker.js');
  shared.onerror = () => reject(new Error('the worker failed'));
  shared.port.onmessage = ({data}) => resolve(data);
}));
await browser.close();
server.close();
console.log(`Worker: ${workers}\ncreateSyncAccessHandle: ${handles}\nan adapter: ${adapter}\nwritten by a stream, after an earlier one: ${bytes} bytes`);
const confirmed = workers === 'undefined' && handles === 'undefined' && adapter && bytes === 8;
console.log(confirmed ? 'confirmed' : 'no longer so');
process.exit(confirmed ? 0 : 1);
END
node shared.mjs
