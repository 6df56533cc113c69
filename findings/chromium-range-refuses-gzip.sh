#!/bin/bash
# Chromium (Debian's 156.0.8078.108), driven by puppeteer-core 24.10.0 from Node.
#
# A page that fetches with a Range header asks for "Accept-Encoding: identity". Where the server compresses all the same and
# answers 200 with "Content-Encoding: gzip", fetch neither unpacks the body nor hands it over: it rejects with the same TypeError
# that a server without CORS, or none at all, gives. The same address without Range is unpacked as usual.
# What reads files by ranges must therefore ask again without, before it tells anybody about CORS.
#
# Seen:
#   {"plain":"200, 1000 bytes","range":"TypeError: Failed to fetch"}
#   /plain accept-encoding: gzip, deflate, br, zstd
#   /range accept-encoding: identity
#
# $CHROMIUM names another browser.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >npm.log
npm install --silent puppeteer-core@24.10.0 >>npm.log
cat >try.mjs <<'END'
import http from 'node:http';
import zlib from 'node:zlib';
import puppeteer from 'puppeteer-core';

const packed = zlib.gzipSync('x'.repeat(1000));
const asked = [];
const server = http.createServer((request, response) => {
  if (!['/plain', '/range'].includes(request.url)) {
    response.end();
    return;
  }
  asked.push(`${request.url} accept-encoding: ${request.headers['accept-encoding']}`);
  response.writeHead(200, {'Content-Type': 'application/octet-stream', 'Content-Encoding': 'gzip', 'Content-Length': packed.length});
  response.end(packed);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await puppeteer.launch({executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox']});
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const seen = await page.evaluate(async () => {
  const fetched = async (path, headers) => {
    try {
      const response = await fetch(path, {headers, cache: 'no-store'});
      return `${response.status}, ${(await response.arrayBuffer()).byteLength} bytes`;
    } catch (e) {
      return String(e);
    }
  };
  return {plain: await fetched('/plain', {}), range: await fetched('/range', {Range: 'bytes=0-'})};
});
console.log(await browser.version());
console.log([JSON.stringify(seen), ...asked].join('\n'));
await browser.close();
server.close();
END
node try.mjs | tee seen.txt
grep -qxF '{"plain":"200, 1000 bytes","range":"TypeError: Failed to fetch"}' seen.txt
grep -qxF '/range accept-encoding: identity' seen.txt
