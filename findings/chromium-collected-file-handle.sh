#!/bin/sh
# createSyncAccessHandle never answers where its FileSystemFileHandle was collected meanwhile.
#
# Chromium (Debian's 156.0.8078.108), driven by puppeteer-core 24.10.0 from Node.
# `(await folder.getFileHandle(name)).createSyncAccessHandle()` holds nothing but the promise, which should be enough: a promise that is
# pending keeps what settles it alive. If the garbage collector runs before the answer comes, the file handle goes, and the promise is
# neither resolved nor rejected, ever. Whoever holds the file handle until then is answered each time.
#
# Output seen:
#   held: all 60 are answered
#   not held: one is not answered within 2 s
#   confirmed
#
# Fails when all are answered, or when one that is held is not.
# CHROMIUM names the browser; the default is chromium on the path.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
CHROMIUM=$(command -v "${CHROMIUM:-chromium}")
export CHROMIUM
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.10.0 >/dev/null
cat >collected.mjs <<'EOF'
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const COUNT = 60;
const worker = `const held = new Set();
const ask = async (folder, name, hold) => {
  const file = await folder.getFileHandle(name, {create: true});
  if (hold) held.add(file);
  return file.createSyncAccessHandle();
};
onmessage = async ({data: hold}) => {
  const folder = await navigator.storage.getDirectory();
  let unanswered = 0;
  for (let i = 0; i < ${COUNT} && unanswered === 0; i++) {
    const answer = ask(folder, hold + '-' + i, hold).then((handle) => { handle.close(); return true; });
    const collect = setInterval(gc, 0);
    for (let turn = 0; turn < 5; turn++) { await 0; gc(); }
    if (!await Promise.race([answer, new Promise((resolve) => { setTimeout(resolve, 2000, false); })])) unanswered++;
    clearInterval(collect);
  }
  postMessage(unanswered);
};`;
const server = http.createServer((req, res) => {
  const script = req.url === '/worker.js';
  res.setHeader('content-type', script ? 'text/javascript' : 'text/html').end(script ? worker : '<!doctype html><title>handles</title>');
}).listen(0);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-dev-shm-usage', '--js-flags=--expose-gc'],
});
const tab = await browser.newPage();
await tab.goto(`http://localhost:${server.address().port}/`);
const unanswered = (hold) => tab.evaluate((hold) => new Promise((resolve, reject) => {
  const worker = new Worker('/worker.js');
  worker.onerror = (e) => reject(new Error(e.message));
  worker.onmessage = ({data}) => resolve(data);
  worker.postMessage(hold);
}), hold);
const held = await unanswered(true), dropped = await unanswered(false);
const says = (unanswered) => (unanswered > 0 ? 'one is not answered within 2 s' : `all ${COUNT} are answered`);
console.log(`held: ${says(held)}`);
console.log(`not held: ${says(dropped)}`);
await browser.close();
server.close();
const same = held === 0 && dropped > 0;
console.log(same ? 'confirmed' : 'CHANGED: ' + (held ? 'one that was held is not answered' : 'all are answered'));
process.exitCode = same ? 0 : 1;
EOF
timeout 300 node collected.mjs
