// Quire runs language models from GGUF files in the tab, on the GPU, in a worker of its own.
//
//   import {Quire} from 'quire';
//   const quire = await Quire.open({model: 'https://example.org/model.gguf'});
//   for await (const {text} of quire.generate({messages: [{role: 'user', content: 'Hello.'}]})) show(text);
//
// Types and what every option means: quire.d.ts.

import {adapters, FEATURES} from './gpu/adapter.js';

const BUILT_IN = 'quire-tales.gguf';
const TUNING = 'quire.tuning'; // in localStorage

// What the built-in model was tuned for, and what suits most others.
const BUILT_IN_SAMPLING = {temperature: 0.7, topK: 0, topP: 1, minP: 0.05};
const COMMON_SAMPLING = {temperature: 0.8, topK: 0, topP: 0.95, minP: 0};

/** An error of the engine; its name says which kind, such as ErrNoAdapter, FormatError or ErrContextTooLong. */
export class QuireError extends Error {
  constructor({name, message}) {
    super(message);
    this.name = name;
  }
}

const closed = () => new QuireError({name: 'ErrClosed', message: 'the engine is closed'});

export class Quire {
  /** @type {import('./quire.js').Info} */
  info;
  /** Sampling parameters that requests leave out. */
  defaults;

  #worker;
  #calls = new Map(); // by id: {resolve, reject}
  #streams = new Map(); // by the id of the call that started it
  #watchers = new Set(); // of the blocks
  #next = 1;
  #failure = null; // why the worker is gone
  #closing = null; // settles when close has ended
  #progress;
  #recovering;

  /** Lists the adapters that WebGPU offers, the best first. */
  static async adapters() {
    const list = await adapters('').catch((e) => {
      throw new QuireError({name: 'ErrNoAdapter', message: e.message});
    });
    return list.map(([, {index, name, vendor, type, features}]) =>
      ({index, name, vendor, type, features: FEATURES.filter((_, i) => features & (1 << i))}));
  }

  /**
   * Starts a worker, loads a model and compiles what it needs.
   * @param {import('./quire.js').OpenOptions} [options]
   */
  static async open({model = 'builtin', onProgress, onRecovering, signal, ...options} = {}) {
    signal?.throwIfAborted();
    const blob = model instanceof Blob ? model : null;
    const url = blob ? '' : locate(model);
    const quire = new Quire(onProgress, onRecovering);
    const call = quire.#call('open', {...options, tuning: remembered(), url}, blob);
    quire.info = Object.freeze(await quire.#until(call, signal));
    quire.#progress = null;
    quire.defaults = Object.freeze(model === 'builtin' ? BUILT_IN_SAMPLING : COMMON_SAMPLING);
    return quire;
  }

  /**
   * Measures attention's tiles on an adapter and remembers the fastest in localStorage; every later open uses them.
   * @param {import('./quire.js').TuneOptions} [options]
   */
  static async tune({adapter = '', quick = false, onProgress, signal} = {}) {
    signal?.throwIfAborted();
    const quire = new Quire(onProgress);
    const call = quire.#call('tune', {adapter, quick, remembered: remembered()});
    const {remember: text, ...tuned} = await quire.#until(call, signal);
    quire.#end(closed());
    keep(text);
    return tuned;
  }

  /** Forgets what tune has remembered. */
  static forgetTuning() {
    keep(null);
  }

  /** @internal */
  constructor(onProgress, onRecovering) {
    this.#progress = onProgress ?? null;
    this.#recovering = onRecovering ?? null;
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), {type: 'module', name: 'quire'});
    this.#worker.onmessage = (e) => this.#receive(e.data);
    this.#worker.onerror = (e) => {
      e.preventDefault?.();
      this.#end(new QuireError({name: 'ErrCrashed', message: e.message || 'the worker did not start'}));
    };
  }

  /**
   * Starts generating. Read the chunks with for await, or only await its result.
   * @param {import('./quire.js').Request} request
   */
  generate(request) {
    const given = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
    if (typeof given.beams === 'number') given.beams = {width: given.beams};
    return new Generation(this.#start, given.beams ? given : {...this.defaults, ...given});
  }

  /** Gives a text's token ids. No BOS or EOS is added. */
  encode(text, {special = false} = {}) {
    return this.#call('encode', {text: String(text), special});
  }

  /** Gives the text of token ids. */
  decode(ids, {special = false} = {}) {
    return this.#call('decode', {ids: Array.from(ids), special});
  }

  /** Says what the engine does right now. */
  stats() {
    return this.#call('stats', null);
  }

  /**
   * Shows the KV cache's blocks: now, and whenever they have changed, at most ten times a second. Returns what ends it.
   * @param {(cache: import('./quire.js').Cache) => void} watcher
   */
  watch(watcher) {
    const own = (cache) => watcher(cache);
    this.#watchers.add(own);
    this.#call('watch', true).catch(() => {});
    return () => {
      if (this.#watchers.delete(own) && this.#watchers.size === 0) this.#call('watch', false).catch(() => {});
    };
  }

  /** Ends all generations and gives the GPU's memory and the worker back. */
  close() {
    return this.#closing ??= this.#failure ? Promise.resolve() : this.#call('close', null).then(() => {}).finally(() => this.#end(closed()));
  }

  // until waits for a call of a worker that ends when the call fails or the signal aborts.
  async #until(call, signal) {
    const abort = () => this.#end(signal.reason);
    signal?.addEventListener('abort', abort, {once: true});
    try {
      return await call;
    } catch (e) {
      this.#end(e);
      throw e;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #call(method, argument, blob = null, id = this.#next++) {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const text = JSON.stringify(argument, finite);
      this.#calls.set(id, {resolve, reject});
      this.#worker.postMessage({method, id, argument: text, blob});
    });
  }

  // start submits a request for a Generation and returns what cancels it.
  #start = (request, generation) => {
    const id = this.#next++;
    this.#streams.set(id, generation);
    this.#call('submit', request, null, id).then(({promptIds}) => { generation.accepted(promptIds); }, (e) => {
      this.#streams.delete(id);
      generation.failed(e);
    });
    return () => {
      if (this.#streams.has(id)) this.#call('cancel', id).catch(() => {});
    };
  };

  #receive({kind, id, value, bytes}) {
    switch (kind) {
      case 'done':
        this.#take(id)?.resolve(value);
        break;
      case 'failed':
        this.#take(id)?.reject(new QuireError(value));
        break;
      case 'progress':
        (this.info ? this.#recovering : this.#progress)?.(value);
        break;
      case 'chunks':
        for (const message of value) this.#deliver(message);
        break;
      case 'blocks': {
        const cache = unpack(value, new Uint16Array(bytes.buffer), (stream) => this.#streams.get(stream) ?? null);
        for (const watcher of this.#watchers) watcher(cache);
        break;
      }
      case 'crashed':
        this.#end(new QuireError(value));
        break;
    }
  }

  #take(id) {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  #deliver({id, index = 0, text = '', ids = [], tokens, result}) {
    const generation = this.#streams.get(id);
    if (ids.length > 0) generation?.chunk({index, text, ids, ...(tokens && {logprobs: tokens})});
    if (!result) return;
    this.#streams.delete(id);
    generation?.ended(result);
  }

  // end stops the worker and everything that waits for it.
  #end(error) {
    if (this.#failure) return;
    this.#failure = error;
    this.#worker.terminate();
    for (const {reject} of this.#calls.values()) reject(error);
    this.#calls.clear();
    for (const generation of this.#streams.values()) generation.failed(error);
    this.#streams.clear();
    this.#watchers.clear();
  }
}

/** One request's output: an async iterable of chunks. Leaving the loop early cancels it. */
class Generation {
  /** Resolves at the end; rejects when the request fails or its signal aborts. */
  result;
  /** The prompt's token ids, once the engine has taken the request. */
  promptIds = [];

  #chunks = [];
  #wake = null; // resolves the next() that waits
  #over = false;
  #error = null;
  #settle;
  #seed;
  #cancel = () => {};
  #unlisten = () => {};

  constructor(start, {signal, seed = randomSeed(), ...request}) {
    this.#seed = seed;
    this.result = new Promise((resolve, reject) => { this.#settle = {resolve, reject}; });
    this.result.catch(() => {}); // a reader of the chunks need not read the result too
    if (signal?.aborted) {
      this.failed(signal.reason);
      return;
    }
    this.#cancel = start({...request, seed: String(seed)}, this);
    if (!signal) return;
    const abort = () => {
      this.#cancel();
      this.failed(signal.reason);
    };
    signal.addEventListener('abort', abort, {once: true});
    this.#unlisten = () => signal.removeEventListener('abort', abort);
  }

  /** Ends the request; what has come stays, and the result's reason is "cancelled". */
  cancel() {
    this.#cancel();
  }

  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        while (this.#chunks.length > 0) yield this.#chunks.shift();
        if (this.#error) throw this.#error;
        if (this.#over) return;
        await new Promise((resolve) => { this.#wake = resolve; });
      }
    } finally {
      if (!this.#over) this.cancel();
    }
  }

  /** @internal */
  accepted(promptIds) {
    this.promptIds = promptIds;
  }

  /** @internal */
  chunk(chunk) {
    if (this.#over) return;
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  /** @internal */
  ended({error, tokens, choices, ...result}) {
    if (error) {
      this.failed(new QuireError(error));
      return;
    }
    this.#finish();
    const named = ({tokens, ...rest}) => ({...rest, ...(tokens && {logprobs: tokens})});
    this.#settle.resolve({...named({tokens, ...result}), choices: choices.map(named), promptIds: this.promptIds, seed: this.#seed});
  }

  /** @internal */
  failed(error) {
    if (this.#over) return;
    this.#error = error;
    this.#finish();
    this.#settle.reject(error);
  }

  #finish() {
    this.#over = true;
    this.#unlisten();
    this.#wake?.();
  }
}

// unpack gives what watchers see: for each block two 16-bit numbers, of cmd/wasm's watch.go.
function unpack({sequences, events, ...rest}, pairs, generation) {
  const count = pairs.length / 2;
  const owners = new Int32Array(count), references = new Uint16Array(count), cached = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    owners[i] = pairs[2 * i] - 1;
    references[i] = pairs[2 * i + 1] & 0x7fff;
    cached[i] = pairs[2 * i + 1] >> 15;
  }
  const named = ({stream, ...more}) => ({...more, generation: generation(stream)});
  return {...rest, owners, references, cached, sequences: sequences.map(named), events: events.map(named)};
}

// remembered gives what keep has kept. A page may be without storage, or not allowed to use it.
function remembered() {
  try {
    return globalThis.localStorage?.getItem(TUNING) ?? '';
  } catch {
    return '';
  }
}

function keep(text) {
  try {
    if (text === null) globalThis.localStorage?.removeItem(TUNING);
    else globalThis.localStorage?.setItem(TUNING, text);
  } catch (e) {
    console.warn(`quire: tiles cannot be remembered: ${e.message}`);
  }
}

// finite keeps JSON from turning numbers that it cannot write into nothing.
function finite(name, value) {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new QuireError({name: 'ErrBadRequest', message: `${name} is ${value}`});
  }
  return value;
}

// locate gives the whole URL of a model.
function locate(model) {
  try {
    return model === 'builtin' ? new URL(BUILT_IN, import.meta.url).href : new URL(model, globalThis.location?.href).href;
  } catch {
    throw new QuireError({name: 'ErrBadRequest', message: `${JSON.stringify(model)} is not a URL`});
  }
}

// randomSeed gives 53 random bits, which a number holds exactly.
function randomSeed() {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2));
  return (high >>> 11) * 2 ** 32 + low;
}
