import {QuireError} from './error.js';
import {Lora} from './lora.js';
import {given} from './options.js';

/** One request's output: an async iterable of chunks. Leaving the loop early cancels it. */
export class Generation {
  /** Resolves at the end; rejects when the request fails or its signal aborts. */
  result;
  /** The prompt's token ids, once the engine has taken the request. */
  promptIds = [];
  /** With truncation "auto", how many messages were left out, once the engine has taken the request. */
  dropped = 0;

  #chunks = [];
  #wakes = []; // resolve each next() that waits
  #over = false;
  #error = null;
  #settle;
  #seed;
  #cancel = () => {};
  #unlisten = () => {};
  #told; // hears the result, or null, before all others

  // A request that cannot be read fails like any other: nothing is thrown here.
  constructor(start, request, defaults, told = () => {}) {
    this.#told = told;
    this.result = new Promise((resolve, reject) => { this.#settle = {resolve, reject}; });
    this.result.catch(() => {}); // a reader of the chunks need not read the result too
    try {
      this.#begin(start, read(request, defaults));
    } catch (e) {
      this.failed(e);
    }
  }

  #begin(start, {signal, seed, ...request}) {
    this.#seed = seed;
    signal?.throwIfAborted();
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
        await new Promise((resolve) => { this.#wakes.push(resolve); });
      }
    } finally {
      if (!this.#over) this.cancel();
    }
  }

  /** @internal */
  accepted({promptIds, dropped}) {
    this.promptIds = promptIds;
    this.dropped = dropped;
  }

  /** @internal */
  chunk(chunk) {
    if (this.#over) return;
    this.#chunks.push(chunk);
    this.#wake();
  }

  /** @internal */
  ended({error, ...result}) {
    if (this.#over) return;
    if (error) {
      this.failed(new QuireError(error));
      return;
    }
    const whole = {...result, promptIds: this.promptIds, seed: this.#seed};
    this.#finish(whole);
    this.#settle.resolve(whole);
  }

  /** @internal */
  failed(error) {
    if (this.#over) return;
    this.#error = error;
    this.#finish(null);
    this.#settle.reject(error);
  }

  #finish(result) {
    this.#over = true;
    this.#told(result);
    this.#unlisten();
    this.#wake();
  }

  #wake() {
    for (const wake of this.#wakes.splice(0)) wake();
  }
}

// read gives a request with all that it leaves out.
function read(request, defaults) {
  const asked = given(request, 'the request');
  asked.seed ??= randomSeed();
  if ('lora' in asked) asked.lora = Lora.named(asked.lora);
  if (typeof asked.dry === 'number') asked.dry = {multiplier: asked.dry};
  if (asked.dry) asked.dry = given(asked.dry, 'dry');
  if (typeof asked.beams === 'number') asked.beams = {width: asked.beams};
  if (!asked.beams) return {...defaults, ...asked};
  asked.beams = given(asked.beams, 'beams');
  return asked;
}

// randomSeed gives 53 random bits, which a number holds exactly.
export function randomSeed() {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2));
  return (high >>> 11) * 2 ** 32 + low;
}
