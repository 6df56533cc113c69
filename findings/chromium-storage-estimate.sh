#!/bin/sh
# What navigator.storage.estimate() says is free does not become less by what is written.
#
# Chromium (Debian's 156.0.8078.108), driven by puppeteer-core 24.10.0 from Node.
# quota - usage should be what may still be written, so one compares a download with it. Chromium gives a quota of ten GiB beyond the
# usage: after 256 MiB have been written the quota is 256 MiB larger, and as much is free as before, however much room the disk has.
# What truly fits is found out by writing, and by its QuotaExceededError.
#
# Output seen:
#   before: 10.00 GiB free of a quota of 10.00
#   256 MiB later: 10.00 GiB free of a quota of 10.25
#   confirmed
#
# Fails when what is free becomes less by a half of what was written.
# CHROMIUM names the browser; the default is chromium on the path.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
CHROMIUM=$(command -v "${CHROMIUM:-chromium}")
export CHROMIUM
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.10.0 >/dev/null
cat >estimate.mjs <<'EOF'
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const PIECES = 4, PIECE = 64 << 20;
const server = http.createServer((_, res) => res.setHeader('content-type', 'text/html').end('<!doctype html><title>estimate</title>')).listen(0);
const browser = await puppeteer.launch({executablePath: process.env.CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-dev-shm-usage']});
const tab = await browser.newPage();
await tab.goto(`http://localhost:${server.address().port}/`);
const estimate = async () => {
  const {quota, usage} = await tab.evaluate(() => navigator.storage.estimate().then(({quota, usage}) => ({quota, usage})));
  return {quota, free: quota - usage};
};
const before = await estimate();
await tab.evaluate(async (pieces, piece) => {
  const file = await (await navigator.storage.getDirectory()).getFileHandle('file', {create: true}), writer = await file.createWritable();
  for (let i = 0; i < pieces; i++) await writer.write(new Uint8Array(piece));
  await writer.close();
}, PIECES, PIECE);
const after = await estimate();
const gib = (bytes) => (bytes / 2 ** 30).toFixed(2);
console.log(`before: ${gib(before.free)} GiB free of a quota of ${gib(before.quota)}`);
console.log(`${PIECES * PIECE >> 20} MiB later: ${gib(after.free)} GiB free of a quota of ${gib(after.quota)}`);
await browser.close();
server.close();
const same = before.free - after.free < PIECES * PIECE / 2;
console.log(same ? 'confirmed' : 'CHANGED: less is free');
process.exitCode = same ? 0 : 1;
EOF
timeout 300 node estimate.mjs
