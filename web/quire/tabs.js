// Tabs of one engine: in a worker that they share, or in that of a tab that leads them.

import {crashed, join, unread} from '../start.js';
import {QuireError} from './error.js';
import {LedWorker} from './led.js';
import {meet} from './meet.js';

/** Gives the worker that tabs share in the way that sharingOf has found. */
export function tabsWorker(program, {way, name}, receive, fail) {
  const failed = (e) => fail(e instanceof QuireError ? e : crashed(`this page cannot share an engine with others: ${e.message}`)); // pages within others may have no locks
  return way === 'lock' ? new LedWorker(program, name, receive, failed) : new TabsWorker(program, {name, only: way === 'worker'}, receive, failed);
}

/** The worker that tabs share by a name, as EngineWorker is one of a tab's own. Without WebGPU in it, it gives way to a tab that leads. */
class TabsWorker {
  #port = null; // until the worker is joined
  #met = () => {};
  #left = false;
  #led = null; // what it has given way to
  #release = null; // lets the lock go
  #waiting = []; // messages until the worker listens; then null

  constructor(program, {name, only}, receive, fail) {
    const listens = ({gpu}) => {
      if (gpu || only) this.#listens({program: program()}, (message) => this.#port.postMessage(message));
      else this.#giveWay(new LedWorker(program, name, receive, fail));
    };
    meet(name, (full) => !this.#left && this.#join(full, listens, receive, fail)).catch(fail);
  }

  // join settles when the worker listens, or this tab has left it.
  #join(full, listens, receive, fail) {
    return new Promise((met) => {
      const {worker, script} = join(full);
      this.#met = met;
      this.#port = worker.port;
      this.#port.onmessage = ({data}) => {
        if (data.kind !== 'listening') return receive(data);
        met();
        listens(data);
      };
      worker.onerror = (e) => {
        e.preventDefault?.();
        met();
        fail(crashed(e.message || unread(script, '')));
      };
      this.#hold();
    });
  }

  // hold keeps a lock as long as this tab lives, which is how the shared worker knows; whatever ends the tab lets it go.
  #hold() {
    const lock = `quire tab ${crypto.randomUUID()}`;
    navigator.locks.request(lock, () => {
      if (this.#left) return null;
      this.#port.postMessage({lock});
      return new Promise((resolve) => { this.#release = resolve; });
    });
  }

  #listens(first, post) {
    if (first) post(first);
    this.#waiting.forEach(post);
    this.#waiting = null;
  }

  #giveWay(led) {
    this.#leave();
    this.#led = led;
    this.#listens(null, (message) => led.post(message));
  }

  post(message) {
    if (this.#waiting) this.#waiting.push(message);
    else if (this.#led) this.#led.post(message);
    else this.#port.postMessage(message);
  }

  keep() {
    if (this.#led) this.#led.keep();
    else this.#leave();
  }

  terminate() {
    if (this.#led) this.#led.terminate();
    else this.#leave();
  }

  #leave() {
    this.#left = true;
    this.#met();
    if (!this.#port) return;
    this.#port.onmessage = null;
    this.#port.postMessage({method: 'close', id: 0});
    this.#release?.();
  }
}
