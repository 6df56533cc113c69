// Starts the worker that runs the engine. Bundlers find its script and its programs by the literal URLs here, which are
// relative to the package's root: where a bundler leaves them as they are, the files are looked for beside the bundle.

import {QuireError} from './quire/error.js';

export const crashed = (message) => new QuireError({name: 'ErrCrashed', message});

/** What a worker can run: the engine, or what measures attention, which few pages load. */
export const programs = {
  engine: () => new URL('./quire.wasm', import.meta.url).href,
  bench: () => new URL('./quire-bench.wasm', import.meta.url).href,
};

const KEPT = 10e3; // milliseconds that a worker waits for another model, with the kernels that it has compiled
let kept = null; // the one that does

/** A worker with a program in it. */
export class EngineWorker {
  #worker;
  #program; // null: none
  #lent; // the URL of what imports the worker's script; it may start workers of its own with it
  #receive;
  #fail;
  #timer = 0;
  #waiting = []; // messages until the worker listens; then null

  // take gives a worker: the one that is kept, if it runs this program. receive hears what the program says, fail why there is none.
  static take(program, receive, fail) {
    const worker = kept?.#program === program ? kept : new EngineWorker(program);
    if (worker === kept) kept = null;
    clearTimeout(worker.#timer);
    worker.#receive = receive;
    worker.#fail = fail;
    return worker;
  }

  constructor(program) {
    this.#program = program;
    const {worker, script, lent} = start();
    this.#worker = worker;
    this.#lent = lent;
    worker.onmessage = ({data}) => {
      if (data.kind === 'listening') this.#listens();
      else this.#receive(data);
    };
    worker.onerror = (e) => {
      e.preventDefault?.();
      this.#fail(crashed(e.message || unread(script, lent)));
    };
  }

  // keep leaves an engine without a model to the next take, for a while.
  keep() {
    if (this.#program !== programs.engine) return this.terminate();
    kept?.terminate();
    kept = this;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.terminate(), KEPT);
    this.#receive = ({kind}) => { if (kind === 'crashed') this.terminate(); };
    this.#fail = () => this.terminate();
  }

  post(message) {
    if (this.#waiting) this.#waiting.push(message);
    else this.#worker.postMessage(message);
  }

  terminate() {
    if (kept === this) kept = null;
    clearTimeout(this.#timer);
    this.#worker.terminate();
    URL.revokeObjectURL(this.#lent);
  }

  #listens() {
    if (this.#program) this.#worker.postMessage({program: this.#program()});
    for (const message of this.#waiting) this.#worker.postMessage(message);
    this.#waiting = null;
  }
}

// start gives the worker, its script's URL, and, where that is another origin's, the URL of what imports it. A worker's own
// script must be of the page's origin: another's is imported by a script that is made here. Bundlers only know this very form of
// making a worker, so its URL comes to light in the constructor, which nothing else can meet meanwhile.
function start() {
  const Native = globalThis.Worker;
  if (!Native) throw new QuireError({name: 'ErrNoAdapter', message: 'Quire needs a browser: there are no web workers here'});
  const made = {worker: null, script: '', lent: ''};
  globalThis.Worker = function (url, options) {
    const {href, origin} = new URL(url, globalThis.document?.baseURI ?? globalThis.location.href);
    made.script = href;
    if (origin !== globalThis.origin) made.lent = importing(href, options?.type);
    return new Native(made.lent || url, options);
  };
  try {
    made.worker = new Worker(new URL('./worker.js', import.meta.url), {type: 'module', name: 'quire'});
  } catch (e) {
    throw crashed(`${unread(made.script, made.lent)} (${e.message})`);
  } finally {
    globalThis.Worker = Native;
  }
  return made;
}

// join gives the worker that tabs share by a name, and its script's URL, in the same way. The script must be of the page's origin.
export function join(name) {
  const Native = globalThis.SharedWorker;
  const made = {worker: null, script: ''};
  globalThis.SharedWorker = function (url, options) {
    made.script = new URL(url, globalThis.document?.baseURI ?? globalThis.location.href).href;
    return new Native(url, {...options, name});
  };
  try {
    made.worker = new SharedWorker(new URL('./worker.js', import.meta.url), {type: 'module', name: 'quire'});
  } catch (e) {
    throw crashed(`${made.script} could not be run as a worker that tabs share: it must be of the page's own origin (${e.message})`);
  } finally {
    globalThis.SharedWorker = Native;
  }
  return made;
}

// importing gives the URL of a script that runs another.
function importing(url, type) {
  const text = type === 'module' ? `import ${JSON.stringify(url)};` : `importScripts(${JSON.stringify(url)});`;
  return URL.createObjectURL(new Blob([text], {type: 'text/javascript'}));
}

export function unread(script, lent) {
  const advice = lent
    ? 'that server must let pages of other origins read it (Access-Control-Allow-Origin), and a content security policy must allow workers from blob: and scripts from there'
    : 'see that the package\'s files are served there; its README says what bundlers need';
  return `the engine's worker did not start: ${script} could not be run; ${advice}`;
}
