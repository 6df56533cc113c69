// A GPU device outlives who opened it, with all that was compiled on it: whoever opens the same one next has its kernels at once.

import {LOST, UNCAPTURED, text} from './notify.js';
import {Turns} from './turns.js';

const DEVICES = 2; // that nobody uses and are kept
const PIPELINES = 256; // of a device
// Kernels that compile at once. A browser that drops a device finishes all of them first, and until then neither shows the next page
// nor gives that page a device.
const COMPILERS = Math.min(8, Math.max(2, globalThis.navigator?.hardwareConcurrency ?? 2));

// Kept is a device, its pipelines by what they were made of, and who hears of it.
export class Kept {
  layouts = new Map();
  #tell = null;
  #untold = []; // [kind, value] of before anybody listened
  #pipelines = new Map(); // {begun, made: a promise, pipeline: null until then}; the last used comes last
  #compilers = new Turns(COMPILERS);
  #user = 0; // a number
  #spoilt = false;

  constructor(device, key) {
    this.device = device;
    this.key = key;
    device.addEventListener('uncapturederror', (e) => {
      e.preventDefault();
      this.#spoilt = true;
      this.#say(UNCAPTURED, text(e.error));
    });
    device.lost.then((info) => {
      this.#spoilt = true;
      this.#say(LOST, `${info.reason}: ${info.message}`);
    });
  }

  // useful says whether another may take it up.
  get useful() { return !this.#spoilt; }

  #say(kind, value) {
    if (this.#tell) this.#tell(kind, value);
    else this.#untold.push([kind, value]);
  }

  // listen has tell(kind, value) hear of what becomes of it, once this call is over.
  listen(tell) {
    this.#tell = tell;
    queueMicrotask(() => {
      for (const news of this.#untold.splice(0)) this.#tell?.(...news);
    });
  }

  // leave ends its use: what waits to be compiled is given up.
  leave() {
    this.#tell = null;
    this.#user++;
    for (const [key, {begun}] of this.#pipelines) if (!begun) this.#pipelines.delete(key);
  }

  destroy() {
    this.#spoilt = true;
    this.device.destroy();
  }

  // recall gives what was compiled before, or null.
  recall(key) {
    return this.#spoilt ? null : this.#use(key)?.pipeline ?? null;
  }

  // pipeline has compile do it in its turn, unless that was done or begun before.
  pipeline(key, compile) {
    let entry = this.#use(key);
    if (entry) return entry.made;
    entry = {begun: false, pipeline: null};
    entry.made = this.#compile(entry, compile);
    this.#pipelines.set(key, entry);
    entry.made.then((pipeline) => { entry.pipeline = pipeline; }, () => {
      if (this.#pipelines.get(key) === entry) this.#pipelines.delete(key);
    });
    if (this.#pipelines.size > PIPELINES) this.#pipelines.delete(this.#pipelines.keys().next().value);
    return entry.made;
  }

  #use(key) {
    const entry = this.#pipelines.get(key);
    if (!entry) return undefined;
    this.#pipelines.delete(key);
    this.#pipelines.set(key, entry);
    return entry;
  }

  async #compile(entry, compile) {
    const user = this.#user;
    await this.#compilers.take();
    try {
      if (user !== this.#user) throw new Error('nobody wants this kernel any more');
      entry.begun = true;
      return await compile();
    } finally {
      this.#compilers.give();
    }
  }
}

// Spares are the devices that nobody uses.
export class Spares {
  #list = [];

  // take gives one that was opened with this key, or undefined.
  take(key) {
    this.#list = this.#list.filter((kept) => kept.useful);
    const at = this.#list.findLastIndex((kept) => kept.key === key);
    return at < 0 ? undefined : this.#list.splice(at, 1)[0];
  }

  give(kept) {
    kept.leave();
    if (kept.useful) this.#list.push(kept);
    else kept.destroy();
    if (this.#list.length > DEVICES) this.#list.shift().destroy();
  }

  clear() {
    for (const kept of this.#list.splice(0)) kept.destroy();
  }
}
