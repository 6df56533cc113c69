// Runs the engine of one tab. Or of several, which quire/hub.js keeps apart: in a SharedWorker, or in that of a tab that leads, by {lead}.
// Messages in: first {program}, the URL of the WebAssembly, then {method, id, argument, blob}, as quireCall
// of cmd/wasm/port takes them; "open" has {store} too, which says how the model is kept. "pull" wants no program. Messages out: {kind, id, value, bytes}: "listening" comes first, "done" and "failed" answer a call,
// "head" one of the API, whose "events" may follow, or one that has bytes, too; "progress" tells of loading, "chunks" of streams, "blocks" of the KV cache,
// "crashed" ends.

import './wasm_exec.js';
import './gpu.js';
import {Hub} from './quire/hub.js';
import {lead} from './quire/lead.js';
import {Life} from './quire/meet.js';
import {SavedSource} from './store/saved.js';
import {Saving} from './store/saving.js';
import {Store} from './store/store.js';
import {help, isHelper} from './store/workers.js';

const host = globalThis.quireGPU;
const life = 'onconnect' in globalThis ? new Life(globalThis.name) : null;
const shared = life && new Hub((message) => take(message), async () => {
  if (await life.end(() => shared.empty)) globalThis.close();
});
let say = shared ? (message) => shared.said(message) : (message, transfer) => postMessage(message, transfer);
const store = new Store((from) => host.fetched(from), (kind, value) => say({kind, id: 0, value}));
host.sourceOf = (from) => store.take(from);
host.savedOf = (from) => new SavedSource(from, store.workers);
host.savingOf = (to) => new Saving(to, store.workers);
globalThis.quireStore = store;
const NONE = -1;
const COUNT_AFTER = 100; // milliseconds
let opening = NONE; // the call that opens the model
let closing = NONE; // and the one that closes it
let closed = false; // it has: nobody is to hear of anything else

globalThis.quirePost = (kind, id, json, bytes) => {
  if (kind === 'ready') {
    ready();
    return;
  }
  if (closed) return;
  const value = JSON.parse(json);
  if (kind === 'progress' && value.stage === 'weights') value.from = store.from;
  const tell = () => say({kind, id, value, bytes}, bytes instanceof Uint8Array ? [bytes.buffer] : []);
  const failed = id === opening && kind === 'failed';
  const opened = id === opening && kind === 'done';
  closed = id === closing;
  if (opened || failed) opening = NONE; // a hub's calls have such numbers again
  if (closed) closing = NONE;
  if (failed) host.ends(store.giveUp());
  if (!failed && !closed) tell();
  else host.ended().then(() => { // whoever hears of it may remove the model
    closed = false;
    tell();
  });
  if (opened) store.opened();
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
async function call({method, id, argument, blob, store: keep, begun}) {
  if (method === 'close') closing = id;
  if (method === 'open' || method === 'addLoRA') {
    try {
      argument = await (begun ?? begin({method, id, argument, store: keep}));
    } catch (e) {
      say({kind: 'failed', id, value: store.failure(e)});
      return;
    }
  }
  globalThis.quireCall(method, id, argument, blob);
}

// begin finds a model's files, and begins to read the first. It gives the argument that has their addresses.
async function begin({method, id, argument, store: keep}) {
  const given = JSON.parse(argument);
  if (method === 'open') {
    opening = id;
    host.prepare(given.adapter ?? '', given.power || 'high-performance');
    await store.prepare(keep);
  }
  for (const field of ['url', 'draftModel']) if (given[field]) given[field] = await store.resolve(given[field]);
  if (method === 'open' && given.url) store.begin(given.url);
  return JSON.stringify(given);
}

let take = (message) => {
  if (message.program) run(message.program);
  else if (message.method === 'pull') pull(message);
  else waiting.push(begunOf(message));
};

// begunOf begins with a model while the engine is still on its way.
function begunOf(message) {
  if (message.method !== 'open') return message;
  const begun = begin(message);
  begun.catch(() => {}); // its call hears of it
  return {...message, begun};
}
if (isHelper()) {
  help();
} else if (shared) {
  self.onconnect = async ({ports: [port]}) => {
    await life.begun;
    shared.join(port);
  };
} else {
  self.onmessage = ({data}) => {
    if (!data.lead) return take(data);
    const hub = new Hub((message) => take(message));
    say = (message) => hub.said(message);
    lead(data.lead, hub);
  };
  say({kind: 'listening'});
}

function ready() {
  // Go is still inside this call; what it calls back must come after it.
  queueMicrotask(() => {
    take = call;
    waiting.splice(0).forEach(call);
  });
}

host.waiting = (reason, milliseconds) => {
  say({kind: 'progress', id: 0, value: {stage: 'waiting', done: 0, total: Math.round(milliseconds / 1000), reason}});
};

// pull fetches a model that is to be kept.
async function pull({id, argument, store: keep}) {
  try {
    await store.prepare(keep);
    await store.pull(JSON.parse(argument));
    say({kind: 'done', id, value: {}});
  } catch (e) {
    say({kind: 'failed', id, value: store.failure(e)});
  }
}

function crash(message) {
  say({kind: 'crashed', id: 0, value: {name: 'ErrCrashed', message}});
}

// fetchProgram fetches the program.
async function fetchProgram(url) {
  const response = await fetch(url).catch((e) => {
    throw new Error(`${url} could not be fetched (${e.message}): offline, or its server does not let pages of other origins read it (Access-Control-Allow-Origin)`);
  });
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status} ${response.statusText}`.trimEnd());
  const type = response.headers.get('Content-Type') ?? '';
  if (type.startsWith('text/html')) throw new Error(`${url} is a page of HTML, not the engine: see that the package's files are served there`);
  return response;
}

// follow tells how far a response has come, until what it gives is called, with whether all has. Where the length is not known, total is 0. It
// counts a copy, and only of what takes a while: the browser compiles what does not pass through scripts sooner.
function follow(response) {
  const total = response.headers.has('Content-Encoding') ? 0 : Number(response.headers.get('Content-Length'));
  const reader = response.clone().body.getReader();
  let done = 0, ended = false;
  const tell = () => say({kind: 'progress', id: 0, value: {stage: 'engine', done, total: Math.max(total, total && done)}});
  const count = ({value}) => {
    if (!value || ended) return;
    done += value.length;
    tell();
    return reader.read().then(count);
  };
  const timer = setTimeout(() => reader.read().then(count).catch(() => {}), COUNT_AFTER);
  tell();
  return (whole) => {
    ended = true;
    clearTimeout(timer);
    reader.cancel().catch(() => {});
    done = Math.max(done, total);
    if (whole) tell();
  };
}

async function instantiate(url, imports) {
  let response = await fetchProgram(url);
  const end = follow(response);
  let program;
  try {
    if (!WebAssembly.instantiateStreaming) return (program = await WebAssembly.instantiate(await response.arrayBuffer(), imports)).instance;
    const wasm = {'Content-Type': 'application/wasm'};
    if (response.headers.get('Content-Type') !== wasm['Content-Type']) response = new Response(response.body, {headers: wasm});
    return (program = await WebAssembly.instantiateStreaming(response, imports)).instance;
  } finally {
    end(program);
  }
}

// Bundlers write classic scripts too, where nothing can be awaited outside a function.
async function run(program) {
  try {
    const go = new Go();
    go.exit = () => {};
    const instance = await instantiate(program, go.importObject);
    host.attach(instance.exports.mem);
    await go.run(instance);
    crash(`the engine ended: ${words.trim() || 'no reason given'}`);
  } catch (e) {
    crash(e.message || String(e));
  }
}
