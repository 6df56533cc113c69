import {EngineWorker} from '../start.js';
import {lock} from '../store/lock.js';
import {Calls} from './calls.js';
import {QuireError} from './error.js';
import {between} from './lead.js';
import {secretly} from './secret.js';

/** How long, in milliseconds, a leader may be hidden before one that is seen takes over, and a tab waits for an answer to who leads. */
export const patience = {hidden: 10e3, knock: 1000};

const COARSE = 50; // milliseconds by which clocks may be behind timers

const hidden = () => globalThis.document?.visibilityState === 'hidden';

const letGo = (taken) => void taken.then((release) => release(), () => {});

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

/**
 * The worker of whichever tab of a name leads, as EngineWorker is one of a tab's own. Who has the lock leads, and starts the worker. All
 * tabs, that one too, talk to it in the same way. When another leads, what is not answered yet goes on there.
 */
export class LedWorker {
  #program;
  #name;
  #receive;
  #fail;
  #calls = new Calls();
  #over = false;
  #away = null; // aborted when this tab leaves, for good or for the back-forward cache
  #tab; // its name, anew whenever it comes
  #alive; // gives what lets the lock go that says that the tab lives
  #seen = null; // gives what lets the lock go that says that the tab is seen
  #channel; // of all
  #term = ''; // of the leader
  #port = null; // to the leader
  #joined = false; // the leader listens
  #resign = null; // ends this tab's leading
  #hiddenAt = 0;
  #timers = {};
  #events = [['visibilitychange', () => this.#look()], ['pagehide', () => this.#leave()], ['pageshow', ({persisted}) => { if (persisted) this.#come(); }]];

  constructor(program, name, receive, fail) {
    this.#program = program;
    this.#receive = receive;
    this.#fail = fail;
    secretly(name).then((secret) => {
      if (this.#over) return;
      this.#name = secret;
      for (const event of this.#events) globalThis.addEventListener(...event);
      this.#come();
    }).catch(fail);
  }

  post(message) {
    if (message.method === 'close') {
      queueMicrotask(() => this.#receive({kind: 'done', id: message.id, value: {}}));
      return;
    }
    const asked = this.#calls.asked(message);
    if (asked) this.#port.postMessage(asked);
  }

  keep() {
    this.terminate();
  }

  terminate() {
    this.#over = true;
    for (const event of this.#events) globalThis.removeEventListener(...event);
    this.#leave();
  }

  #come() {
    if (this.#away) return;
    const {signal} = this.#away = new AbortController();
    this.#tab = crypto.randomUUID();
    this.#alive = lock(this.#lifeOf(), {});
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({data}) => this.#hear(data);
    this.#look();
    this.#knock();
    this.#seek(signal).catch((e) => { if (!signal.aborted) this.#fail(e); });
  }

  #leave() {
    if (!this.#away) return;
    this.#away.abort();
    this.#away = null;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#see(false);
    this.#part();
    this.#channel.close();
    this.#resign?.();
    letGo(this.#alive);
  }

  #lifeOf() {
    return `quire tab ${this.#tab}`;
  }

  // seek waits for the lock, and leads. One that is hidden lets those go first that are seen, and wait too.
  async #seek(signal) {
    for (;;) {
      const release = await lock(`${this.#name} leads`, {signal});
      try {
        if (!hidden() || !await this.#isAnySeen()) await this.#lead(signal);
      } finally {
        release();
      }
      if (signal.aborted) return;
      await pause(50);
    }
  }

  #lead(signal) {
    if (signal.aborted) return null;
    return new Promise((resolve) => {
      const worker = EngineWorker.take(this.#program, ({kind, value}) => { if (kind === 'crashed') this.#fail(new QuireError(value)); }, this.#fail);
      worker.post({lead: {name: this.#name, term: crypto.randomUUID()}});
      this.#resign = () => {
        this.#resign = null;
        worker.terminate();
        resolve();
      };
    });
  }

  #hear({leads, seen}) {
    if (seen) this.#handOver();
    if (leads && leads !== this.#term) this.#join(leads);
  }

  // knock asks who leads until the tab has joined: the one that it has heard of may be gone.
  #knock() {
    if (this.#joined) return;
    this.#channel.postMessage({who: true});
    this.#timers.knock = setTimeout(() => this.#knock(), patience.knock);
  }

  #join(term) {
    this.#part();
    this.#term = term;
    const join = crypto.randomUUID(); // who comes again is another to the leader
    this.#port = between(this.#name, term, join);
    this.#port.onmessage = ({data}) => this.#heard(data);
    this.#channel.postMessage({join, term});
    this.#timers.knock = setTimeout(() => this.#knock(), patience.knock);
  }

  #part() {
    clearTimeout(this.#timers.knock);
    if (this.#joined) this.#port.postMessage({method: 'close', id: 0});
    this.#calls.end();
    this.#port?.close();
    this.#port = null;
    this.#term = ''; // whoever comes back joins the same leader again
    this.#joined = false;
  }

  async #heard(message) {
    if (message.kind === 'listening') {
      const port = this.#port;
      await this.#alive;
      if (port !== this.#port) return;
      this.#joined = true;
      port.postMessage({lock: this.#lifeOf()});
      port.postMessage(this.#calls.begin());
      return;
    }
    const {own, more} = this.#calls.heard(message);
    for (const call of more) this.#port.postMessage(call);
    own.forEach(this.#receive);
  }

  // look notes whether the tab is seen, and has others know.
  #look() {
    if (!this.#away) return;
    clearTimeout(this.#timers.hidden);
    this.#see(!hidden());
    if (!hidden()) {
      this.#seen.then(() => { if (this.#seen) this.#channel.postMessage({seen: true}); }, () => {}); // others look for the lock
      return;
    }
    this.#hiddenAt = performance.now();
    this.#timers.hidden = setTimeout(() => this.#handOver(), patience.hidden + COARSE);
  }

  #see(on) {
    if (on === Boolean(this.#seen)) return;
    if (on) this.#seen = lock(this.#seenLock(), {mode: 'shared'});
    else this.#seen = letGo(this.#seen);
  }

  #seenLock() {
    return `${this.#name} seen`;
  }

  async #isAnySeen() {
    return (await navigator.locks.query()).held.some(({name}) => name === this.#seenLock());
  }

  // handOver ends the leading of a tab that has been hidden for long, where another is seen.
  async #handOver() {
    const isLong = () => this.#resign && hidden() && performance.now() - this.#hiddenAt >= patience.hidden;
    if (isLong() && await this.#isAnySeen() && isLong()) this.#resign();
  }
}
