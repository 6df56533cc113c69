#!/bin/sh
# crypto.subtle.digest computes before it returns its promise.
#
# Chromium (Debian's 156.0.8078.108), driven by puppeteer-core 24.10.0 from Node.
# digest is asynchronous by its interface, so one starts it and goes on with other work, or starts several at once to use several
# cores. Chromium hashes on the thread that asks: the call returns when all bytes have been hashed, the promise is settled by then, and
# eight together take as long as eight one after another. Only a worker of its own takes hashing out of the way.
#
# Output seen:
#   a digest of 64 MiB: the call took 99 % of the time until its promise was settled
#   confirmed
#
# Fails when the call returns before half of that time.
# CHROMIUM names the browser; the default is chromium on the path.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
CHROMIUM=$(command -v "${CHROMIUM:-chromium}")
export CHROMIUM
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.10.0 >/dev/null
cat >digest.mjs <<'END'
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const worker = `onmessage = async () => {
  const data = new Uint8Array(64 << 20).fill(7);
  await crypto.subtle.digest('SHA-256', data);
  let call = 0, all = 0;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    const promise = crypto.subtle.digest('SHA-256', data);
    call += performance.now() - start;
    await promise;
    all += performance.now() - start;
  }
  postMessage(call / all);
};`;
const server = http.createServer((req, res) => {
  res.setHeader('content-type', req.url === '/worker.js' ? 'text/javascript' : 'text/html').end(req.url === '/worker.js' ? worker : '<!doctype html><title>digest</title>');
}).listen(0);
const browser = await puppeteer.launch({executablePath: process.env.CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-dev-shm-usage']});
const tab = await browser.newPage();
await tab.goto(`http://localhost:${server.address().port}/`);
const share = await tab.evaluate(() => new Promise((resolve, reject) => {
  const worker = new Worker('/worker.js');
  worker.onerror = (e) => reject(new Error(e.message));
  worker.onmessage = ({data}) => resolve(data);
  worker.postMessage(0);
}));
console.log(`a digest of 64 MiB: the call took ${Math.round(100 * share)} % of the time until its promise was settled`);
await browser.close();
server.close();
console.log(share > 0.5 ? 'confirmed' : 'CHANGED: the call returns before it has hashed');
process.exitCode = share > 0.5 ? 0 : 1;
END
timeout 300 node digest.mjs
