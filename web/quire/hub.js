// Several tabs with one engine, in a worker that they share or in that of one of them: each calls as if the engine were its own. A call
// has a number of its tab's, and another here, which is the engine's.

/** Between tabs and an engine. */
export class Hub {
  #engine; // takes a message
  #last; // told when the last tab is gone; may be null
  #tabs = new Set();
  #calls = new Map(); // by the engine's number: {tab, id, method}
  #next = 1;
  #running = false;
  #opening = []; // calls to open, until the first is answered
  #opened = null; // that answer
  #kept = null; // what was said of how the model is kept
  #watched = false;
  #crash = null; // what was said of how the engine ended

  constructor(engine, last = null) {
    this.#engine = engine;
    this.#last = last;
  }

  /** Whether no tab is there. */
  get empty() { return this.#tabs.size === 0; }

  /** Takes in a tab; whether the worker has WebGPU is for it to know. */
  join(port) {
    const tab = {port, watching: false, adapters: new Set()};
    this.#tabs.add(tab);
    port.onmessage = ({data}) => this.#hear(tab, data);
    port.postMessage({kind: 'listening', gpu: Boolean(globalThis.navigator?.gpu)});
    if (this.#crash) port.postMessage(this.#crash);
  }

  /** Hands on what the engine says. */
  said({kind, id, value, bytes}) {
    switch (kind) {
      case 'done': case 'failed': case 'head':
        this.#answered(kind, id, value, bytes);
        break;
      case 'chunks':
        for (const [tab, own] of this.#split(value, ({result}) => result)) tab.port.postMessage({kind, id: 0, value: own});
        break;
      case 'events': {
        let at = 0;
        const pieces = value.map((part) => ({...part, bytes: bytes.slice(at, at += part.size)}));
        for (const [tab, own] of this.#split(pieces, ({end}) => end)) {
          for (const {bytes: piece, ...part} of own) tab.port.postMessage({kind, id: 0, value: [part], bytes: piece});
        }
        break;
      }
      case 'blocks':
        for (const tab of this.#tabs) {
          if (tab.watching) tab.port.postMessage({kind, id: 0, value: this.#seen(tab, value), bytes});
        }
        break;
      default:
        if (kind === 'kept') this.#kept = {kind, id: 0, value};
        if (kind === 'crashed') this.#crash = {kind, id: 0, value};
        for (const {port} of this.#tabs) port.postMessage({kind, id: 0, value});
    }
  }

  #hear(tab, {program, lock, ...message}) {
    if (lock) {
      navigator.locks.request(lock, () => this.#leave(tab)); // which the tab holds as long as it lives
    } else if (!program) {
      this.#call(tab, message);
    } else if (!this.#running) {
      this.#running = true;
      this.#engine({program});
    }
  }

  #call(tab, {method, id, argument, ...more}) {
    const done = (value = {}) => tab.port.postMessage({kind: 'done', id, value});
    switch (method) {
      case 'open':
        if (this.#opened) {
          done(this.#opened);
          if (this.#kept) tab.port.postMessage(this.#kept);
          return;
        }
        this.#opening.push({tab, id});
        if (this.#opening.length > 1) return;
        break;
      case 'close':
        done();
        this.#leave(tab);
        return;
      case 'watch':
        tab.watching = argument === 'true';
        done();
        this.#watch(tab.watching);
        return;
      case 'dropLoRA':
        tab.adapters.delete(Number(argument));
        break;
      case 'cancel':
        argument = String(this.#numberOf(tab, Number(argument)));
        break;
      case 'flow': {
        const {id: call, open} = JSON.parse(argument);
        argument = JSON.stringify({id: this.#numberOf(tab, call), open});
      }
    }
    this.#ask(tab, id, {method, argument, ...more});
  }

  #ask(tab, id, message) {
    const number = this.#next++;
    this.#calls.set(number, {tab, id, method: message.method});
    this.#engine({...message, id: number});
  }

  #adapted(tab, adapter) {
    if (tab) tab.adapters.add(adapter);
    else this.#drop(adapter);
  }

  #drop(adapter) {
    this.#ask(null, 0, {method: 'dropLoRA', argument: String(adapter)});
  }

  #answered(kind, number, value, bytes) {
    const call = this.#calls.get(number);
    const goesOn = kind === 'done' && call?.method === 'submit' || kind === 'head' && value.stream;
    if (!goesOn) this.#calls.delete(number);
    if (call?.method === 'addLoRA' && kind === 'done') this.#adapted(call.tab, value.id);
    if (call?.method !== 'open') {
      call?.tab?.port.postMessage({kind, id: call.id, value, bytes});
      return;
    }
    this.#opened = kind === 'done' ? value : null;
    for (const {tab, id} of this.#opening.splice(0)) tab?.port.postMessage({kind, id, value});
  }

  // split gives each tab its part of what is said of several calls; over says that it is the last of its call.
  #split(list, over) {
    const parts = new Map();
    for (const {id: number, ...more} of list) {
      const {tab, id} = this.#calls.get(number) ?? {};
      if (over(more)) this.#calls.delete(number);
      if (!tab) continue;
      if (!parts.has(tab)) parts.set(tab, []);
      parts.get(tab).push({...more, id});
    }
    return parts;
  }

  // seen gives the blocks as a tab sees them: it knows its own streams, and others have no number.
  #seen(tab, {sequences, events, ...rest}) {
    const own = ({stream, ...more}) => {
      const call = this.#calls.get(stream);
      return {...more, stream: call?.tab === tab ? call.id : 0};
    };
    return {...rest, sequences: sequences.map(own), events: events.map(own)};
  }

  #numberOf(tab, id) {
    for (const [number, call] of this.#calls) {
      if (call.tab === tab && call.id === id) return number;
    }
    return 0;
  }

  // watch has the engine tell of its blocks if a tab wants it; anew tells how they are now, which who begins to watch has not heard.
  #watch(anew = false) {
    const on = [...this.#tabs].some(({watching}) => watching);
    if (on === this.#watched && !anew) return;
    this.#watched = on;
    this.#ask(null, 0, {method: 'watch', argument: String(on)});
  }

  // leave ends what a tab that is gone has asked for.
  #leave(tab) {
    if (!this.#tabs.delete(tab)) return;
    tab.port.close();
    for (const call of this.#opening) if (call.tab === tab) call.tab = null; // others that come meanwhile hear the answer
    for (const [number, call] of this.#calls) {
      if (call.tab !== tab) continue;
      call.tab = null;
      if (call.method !== 'open') this.#ask(null, 0, {method: 'cancel', argument: String(number)});
    }
    for (const adapter of tab.adapters) this.#drop(adapter);
    this.#watch();
    if (this.empty) this.#last?.();
  }
}
