import {Files} from './files.js';

// Workers do what Files can, beside the engine's worker. They run its own script, the one that a bundler is sure to have put somewhere,
// and know by their name that they are none. Where there can be no such workers, the engine's does it all.

const NAME = 'quire files';
const AT_ONCE = {fetch: true, pull: true, drop: true, piece: true, stop: true, read: true};
const MOST = 3;
const ANY = 8; // with those that do what any may do
const APART = 1 + ANY; // the place of the one that saves
const IDLE = 3000; // milliseconds until what is not used ends
const SPARE = 16; // buffers

/** The number of tasks of saving: their worker has an open file, and is not given up for what is fetched. */
export const SAVES = -2;

/** Whether this worker is one of them. */
export const isHelper = () => globalThis.name === NAME;

/** Has this worker answer. */
export function help() {
  const files = new Files();
  files.prepare();
  globalThis.onmessage = async ({data: {id, task, ...given}}) => {
    let answer;
    try {
      answer = {id, ...await files[task](given)};
    } catch (e) {
      answer = {id, error: e, buffer: given.buffer?.byteLength > 0 ? given.buffer : undefined};
    }
    postMessage(answer, answer.buffer ? [answer.buffer] : []);
  };
  postMessage({});
}

// A Helper is one worker, or the lack of it.
class Helper {
  #worker = null;
  #ready; // a promise: whether it works
  #settle; // what settles that
  #works = false;
  #failed = false;
  #tasks = 0;
  #waiting = new Map(); // what is asked, by number
  #asked = 0;
  #own = null; // what does it in this worker, where the other has failed

  constructor() {
    this.#ready = new Promise((resolve) => { this.#settle = resolve; });
    try {
      this.#worker = new Worker(globalThis.location.href, {type: classic() ? 'classic' : 'module', name: NAME});
    } catch (e) {
      this.fail(e.message);
      return;
    }
    this.#worker.onmessage = ({data: {id, ...answer}}) => {
      if (id === undefined) {
        this.#works = true;
        this.#settle(true);
        return;
      }
      const [done, failed] = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (answer.error) failed(Object.assign(answer.error, {buffer: answer.buffer}));
      else done(answer);
    };
    this.#worker.onerror = (e) => {
      e.preventDefault();
      this.fail(e.message);
    };
  }

  /** Ends it: what it was asked has failed, and this worker does all else. */
  fail(why) {
    this.#failed = true;
    this.end();
    this.#settle(false);
    this.#ready = Promise.resolve(false);
    for (const [, failed] of this.#waiting.values()) failed(new Error(why));
    this.#waiting.clear();
  }

  /** Tasks that it has, where it works, and otherwise many. */
  get load() { return this.#tasks + (this.#works ? 0 : ANY); }

  async ask(task, given) {
    this.#tasks++;
    try {
      return await this.#ask(task, given);
    } finally {
      this.#tasks--;
    }
  }

  async #ask(task, given) {
    // What is fetched or read can be asked for again; all else waits until it is known that the worker works.
    if (this.#failed || !(task in AT_ONCE) && !await this.#ready) {
      return (this.#own ??= new Files())[task](given).catch((e) => { throw Object.assign(e, {buffer: given.buffer}); });
    }
    const id = ++this.#asked;
    return new Promise((done, failed) => {
      this.#waiting.set(id, [done, failed]);
      this.#worker.postMessage({id, task, ...given}, given.buffer ? [given.buffer] : []);
    });
  }

  end() {
    this.#worker?.terminate();
  }
}

export class Workers {
  #helpers = []; // by place
  #own = new Files(); // for what is not worth one
  #timer = 0;
  #asking = 0;
  #spare = []; // buffers: memory that is new to a process takes longer to come by than all that is done with it

  /** How many tasks go on at once. */
  static get count() {
    return Math.min(MOST, Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 2) - 1));
  }

  /** Begins to start them. */
  start() {
    for (let i = 0; i < Workers.count; i++) this.#helpers[i] ??= new Helper();
    this.#rest();
  }

  /** Asks for a task; those of one number are done one after another. */
  async ask(number, task, given) {
    const at = number === SAVES ? APART : number < 0 ? MOST : number % Workers.count;
    this.#helpers[at] ??= new Helper();
    const release = this.hold();
    try {
      return await this.#helpers[at].ask(task, given);
    } finally {
      release();
    }
  }

  /** Does without the one that is asked for tasks of a number, as it does not answer. */
  giveUp(number) {
    this.#helpers[number % Workers.count]?.fail('a worker does not answer');
  }

  /** Asks for a task that any of so many may do: the one that has least; of none, this worker. */
  async askAny(count, task, given) {
    if (count === 0) return this.#own[task](given);
    const release = this.hold();
    try {
      return await this.#first(count).reduce((least, next) => (next.load < least.load ? next : least)).ask(task, given);
    } finally {
      release();
    }
  }

  /** Asks each of so many. */
  async askAll(count, task, given) {
    if (count === 0) return this.#own[task](given);
    const release = this.hold();
    await Promise.all(this.#first(count).map((helper) => helper.ask(task, given).catch(() => {})));
    release();
  }

  // first gives so many, or as many as the machine has room for.
  #first(count) {
    count = Math.min(count, ANY, Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 2) - 1));
    return Array.from({length: count}, (_, i) => this.#helpers[i < Workers.count ? i : i + 1] ??= new Helper());
  }

  /** Keeps them, with what they know, until what it gives is called. */
  hold() {
    clearTimeout(this.#timer);
    this.#asking++;
    return () => {
      this.#asking--;
      this.#rest();
    };
  }

  // rest ends them when nothing is asked for a while.
  #rest() {
    clearTimeout(this.#timer);
    if (this.#asking === 0) this.#timer = setTimeout(() => this.end(), IDLE);
  }

  end() {
    clearTimeout(this.#timer);
    for (const helper of this.#helpers) helper?.end();
    this.#helpers = [];
    this.#spare = [];
  }

  /** Gives a buffer of at least so many bytes. */
  buffer(bytes) {
    const at = this.#spare.findIndex((buffer) => buffer.byteLength >= bytes);
    return at < 0 ? new ArrayBuffer(bytes) : this.#spare.splice(at, 1)[0];
  }

  /** Takes one back. */
  take(buffer) {
    if (buffer?.byteLength > 0 && this.#spare.length < SPARE) this.#spare.push(buffer);
  }
}

// classic says whether this worker's script is no module: modules may import no scripts.
function classic() {
  try {
    globalThis.importScripts();
    return true;
  } catch {
    return false;
  }
}
