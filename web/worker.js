// Runs the engine. Messages in: {method, id, argument, blob}, as quireCall of cmd/wasm takes them. Messages out:
// {kind, id, value, bytes}: "done" and "failed" answer a call, "progress" tells of loading, "chunks" of streams, "blocks" of
// the KV cache, "crashed" ends.

import './wasm_exec.js';
import './gpu.js';

const wasm = new URL('./quire.wasm', import.meta.url);

globalThis.quirePost = (kind, id, json, bytes) => {
  if (kind === 'ready') ready();
  else postMessage({kind, id, value: JSON.parse(json), bytes}, bytes ? [bytes.buffer] : []);
};

// The last words of a program that dies are what it wrote.
let words = '';
const decoder = new TextDecoder();
globalThis.fs.writeSync = (fd, bytes) => {
  const text = decoder.decode(bytes, {stream: true});
  words = (words + text).slice(-4096);
  console.error(text.trimEnd());
  return bytes.length;
};

const waiting = [];
const call = ({method, id, argument, blob}) => globalThis.quireCall(method, id, argument, blob);
self.onmessage = (e) => waiting.push(e.data);

function ready() {
  // Go is still inside this call; what it calls back must come after it.
  queueMicrotask(() => {
    self.onmessage = (e) => call(e.data);
    waiting.splice(0).forEach(call);
  });
}

function crash(message) {
  postMessage({kind: 'crashed', id: 0, value: {name: 'ErrCrashed', message}});
}

// fetchCounted fetches the program and tells how far it has come. Where the length is not known, total is 0.
async function fetchCounted(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status} ${response.statusText}`.trimEnd());
  const total = response.headers.has('Content-Encoding') ? 0 : Number(response.headers.get('Content-Length'));
  let done = 0;
  const count = new TransformStream({
    transform(piece, controller) {
      done += piece.length;
      postMessage({kind: 'progress', id: 0, value: {stage: 'engine', done, total: Math.max(total, total && done)}});
      controller.enqueue(piece);
    },
  });
  return new Response(response.body.pipeThrough(count), {headers: {'Content-Type': 'application/wasm'}});
}

async function instantiate(imports) {
  const response = await fetchCounted(wasm);
  if (WebAssembly.instantiateStreaming) return (await WebAssembly.instantiateStreaming(response, imports)).instance;
  return (await WebAssembly.instantiate(await response.arrayBuffer(), imports)).instance;
}

try {
  const go = new Go();
  go.exit = () => {};
  const instance = await instantiate(go.importObject);
  globalThis.quireGPU.attach(instance.exports.mem);
  await go.run(instance);
  crash(`the engine ended: ${words.trim() || 'no reason given'}`);
} catch (e) {
  crash(e.message || String(e));
}
