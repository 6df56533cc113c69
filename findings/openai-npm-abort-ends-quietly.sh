#!/bin/sh
# In the openai client for Node and browsers a stream that is aborted ends like one that is whole.
#
# openai 7.55.0 from npm, in Node. Aborting a fetch makes whoever reads its body fail with an AbortError, and so does the client
# before an answer begins (APIUserAbortError). Once events come, it swallows the abort: the for await loop just ends, whether the
# stream's own controller aborts or the caller's signal, a timeout's too. A caller cannot tell a cut answer from a whole one but by
# looking for a finish_reason, or at the signal.
#
# Output seen:
#   openai 7.55.0
#   the signal aborts before the answer: APIUserAbortError
#   the signal aborts in the answer: the loop ends after 1 of 3 chunks, finish_reason null
#   the stream's controller aborts: the loop ends after 1 of 3 chunks, finish_reason null
#   confirmed
#
# Fails when such a loop throws.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts openai@7.55.0 >/dev/null
cat >abort.mjs <<'END'
import http from 'node:http';
import OpenAI from 'openai';
import {VERSION} from 'openai/version';

const chunk = (content, finish_reason = null) =>
  `data: ${JSON.stringify({id: 'a', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{index: 0, delta: {content}, finish_reason}]})}\n\n`;
const server = http.createServer((_, res) => {
  res.writeHead(200, {'content-type': 'text/event-stream'});
  res.write(chunk('one'));
  setTimeout(() => res.write(chunk('two')), 300);
  setTimeout(() => res.end(chunk('three', 'stop') + 'data: [DONE]\n\n'), 600);
}).listen(0, '127.0.0.1');
await new Promise((resolve) => { server.on('listening', resolve); });
const client = new OpenAI({baseURL: `http://127.0.0.1:${server.address().port}`, apiKey: 'none', maxRetries: 0});
const request = {model: 'm', messages: [{role: 'user', content: 'A'}], stream: true};

async function read(abort, signal) {
  let chunks = 0, reason = null;
  try {
    const stream = await client.chat.completions.create(request, {signal});
    for await (const {choices} of stream) {
      chunks++;
      reason = choices[0].finish_reason;
      if (chunks === 1) abort(stream);
    }
  } catch (e) {
    return e.constructor.name;
  }
  return `the loop ends after ${chunks} of 3 chunks, finish_reason ${reason}`;
}

console.log(`openai ${VERSION}`);
const controller = new AbortController();
const outcomes = [
  await read(() => {}, AbortSignal.abort()),
  await read(() => controller.abort(), controller.signal),
  await read((stream) => stream.controller.abort()),
];
console.log(`the signal aborts before the answer: ${outcomes[0]}`);
console.log(`the signal aborts in the answer: ${outcomes[1]}`);
console.log(`the stream's controller aborts: ${outcomes[2]}`);
server.close();
server.closeAllConnections();
const quiet = 'the loop ends after 1 of 3 chunks, finish_reason null';
const same = outcomes[0] === 'APIUserAbortError' && outcomes[1] === quiet && outcomes[2] === quiet;
console.log(same ? 'confirmed' : 'CHANGED: aborted streams are told apart');
process.exitCode = same ? 0 : 1;
END
timeout 120 node abort.mjs
