// A GPU device outlives who opened it, with all that was compiled on it: whoever opens the same one next has its kernels at once.

import {LOST, UNCAPTURED, text} from './notify.js';
import {Turns} from './turns.js';

const DEVICES = 2; // that nobody uses and are kept
const PIPELINES = 256; // of a device
// Kernels that compile at once. A browser that drops a device finishes all of them first, and until then neither shows the next page
// nor gives that page a device.
const COMPILERS = Math.min(8, Math.max(2, globalThis.navigator?.hardwareConcurrency ?? 2));

// Kept is a device, its pipelines by what they were made of, and who hears of it: tell(kind, value).
export class Kept {
  tell = () => {};
  layouts = new Map();
  #pipelines = new Map(); // promises; the last used comes last
  #compilers = new Turns(COMPILERS);
  #compiling = 0;
  #spoilt = false;

  constructor(device, key) {
    this.device = device;
    this.key = key;
    device.addEventListener('uncapturederror', (e) => {
      e.preventDefault();
      this.#spoilt = true;
      this.tell(UNCAPTURED, text(e.error));
    });
    device.lost.then((info) => {
      this.#spoilt = true;
      this.tell(LOST, `${info.reason}: ${info.message}`);
    });
  }

  // useful says whether another may take it up. Where kernels compile that nobody awaits any more, dropping it ends that.
  get useful() { return !this.#spoilt && this.#compiling === 0; }

  destroy() {
    this.#spoilt = true;
    this.device.destroy();
  }

  // pipeline gives what was compiled before, or has compile do it in its turn.
  pipeline(key, compile) {
    const made = this.#pipelines.get(key) ?? this.#compile(compile);
    this.#pipelines.delete(key);
    this.#pipelines.set(key, made);
    made.catch(() => this.#pipelines.delete(key));
    if (this.#pipelines.size > PIPELINES) this.#pipelines.delete(this.#pipelines.keys().next().value);
    return made;
  }

  async #compile(compile) {
    this.#compiling++;
    await this.#compilers.take();
    try {
      return await compile();
    } finally {
      this.#compilers.give();
      this.#compiling--;
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
    kept.tell = () => {};
    if (kept.useful) this.#list.push(kept);
    else kept.destroy();
    if (this.#list.length > DEVICES) this.#list.shift().destroy();
  }

  clear() {
    for (const kept of this.#list.splice(0)) kept.destroy();
  }
}
