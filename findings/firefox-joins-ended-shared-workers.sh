#!/bin/sh
# A page in Firefox that makes a SharedWorker soon after the one of this name has ended itself gets no worker.
#
# Firefox ESR (Debian's 153.8.0), driven by puppeteer-core 24.10.0 from Node.
# A shared worker that calls close() is over: the standard has whoever asks for its name next get a new one. Firefox joins the page to
# the one that has ended, without an error, and that never answers: not within five seconds either. Some seconds later the same name
# gives a worker, and another name does at any time.
# So code that lets the last user end such a worker, to give its memory back, hangs when it is opened again at once.
#
# Output seen:
#   first: answers; the same name at once: no answer; 10 s later: answers; another name: answers
#   confirmed
#
# Fails when the same name is answered at once.
# FIREFOX names the browser; the default is firefox-esr on the path.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
FIREFOX=$(command -v "${FIREFOX:-firefox-esr}")
export FIREFOX
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.10.0 >/dev/null
cat >join.mjs <<'END'
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const worker = `onconnect = ({ports: [port]}) => {
  port.onmessage = ({data}) => { if (data === 'end') close(); };
  port.postMessage('here');
};`;
const server = http.createServer((request, response) => {
  const script = request.url === '/worker.js';
  response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
  response.end(script ? worker : '<!doctype html><title>shared</title>');
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const browser = await puppeteer.launch({browser: 'firefox', executablePath: process.env.FIREFOX, headless: true});
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const [first, soon, later, other] = await page.evaluate(async () => {
  const join = (name) => new Promise((resolve) => {
    const {port} = new SharedWorker('/worker.js', {name});
    const timer = setTimeout(() => resolve('no answer'), 5000);
    port.onmessage = () => {
      clearTimeout(timer);
      resolve('answers');
      port.postMessage('end');
    };
  });
  const first = await join('one');
  const soon = await join('one');
  await new Promise((resolve) => setTimeout(resolve, 5000));
  return [first, soon, await join('one'), await join('two')];
});
console.log(`first: ${first}; the same name at once: ${soon}; 10 s later: ${later}; another name: ${other}`);
await browser.close();
server.close();
process.exitCode = first === 'answers' && soon === 'no answer' && other === 'answers' ? 0 : 1;
END
node join.mjs
echo confirmed
