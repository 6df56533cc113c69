// Fetches in other workers, so that what comes is read while this one is busy.

export const READ = 2 << 20; // bytes that are read at once
const PATIENCE = 1500; // milliseconds that a piece may take before it is read as it comes
const SILENCE = 10e3; // milliseconds that a worker may take to end what it does
const AGAIN = 50; // more for what came while this worker was busy
const PULLS = 8; // reads that are asked for before one is wanted

let streams = 0, lines = 0;

/** Gives what fetches in the n-th of workers; of a response's body it has what ByteSource reads. */
export const fetchIn = (workers, n) => async (url, {headers, cache, signal}) => {
  signal.throwIfAborted();
  const stream = ++streams;
  const ask = (task, given) => workers.ask(n, task, {stream, ...given});
  const release = workers.hold();
  let fail;
  const aborted = new Promise((_, reject) => { fail = () => reject(signal.reason); });
  aborted.catch(() => {});
  let open = true;
  const drop = () => {
    if (!open) return;
    open = false;
    signal.removeEventListener('abort', stop);
    ask('drop', {}).catch(() => {});
    release();
  };
  const stop = () => {
    fail();
    drop();
  };
  signal.addEventListener('abort', stop, {once: true});
  try {
    const answer = ask('fetch', {url: String(url), headers, cache});
    const body = new Body(ask, aborted, drop);
    const {status, statusText, list} = await Promise.race([answer, aborted]);
    return {status, statusText, headers: new Headers(list), body};
  } catch (e) {
    drop();
    throw e;
  }
};

// Body reads a response that another worker has, some reads ahead.
class Body {
  #ask;
  #aborted;
  #drop;
  #reads = []; // promises
  #spare = []; // buffers

  constructor(ask, aborted, drop) {
    this.#ask = ask;
    this.#aborted = aborted;
    this.#drop = drop;
    this.#pull();
  }

  getReader() {
    return this;
  }

  /** Gives the next bytes in a buffer of its own; that of the given ones is used again. */
  async read({buffer}) {
    if (buffer.byteLength === READ) this.#spare.push(buffer);
    this.#pull();
    const {done, buffer: filled, bytes} = await Promise.race([this.#reads.shift(), this.#aborted]);
    if (done) this.#drop();
    return done ? {done} : {done, value: new Uint8Array(filled, 0, bytes)};
  }

  #pull() {
    while (this.#reads.length < PULLS) {
      const read = this.#ask('pull', {buffer: this.#spare.pop() ?? new ArrayBuffer(READ)});
      read.catch(() => {});
      this.#reads.push(read);
    }
  }

  async cancel() {
    this.#drop();
  }
}

// A Line fetches pieces in another worker, one after another and without a word of this one in between.
export class Line {
  #workers;
  #n;
  #line = ++lines;
  #asked = []; // promises of what was asked for, in order
  #open = new Set(); // those that have not landed

  constructor(workers, n) {
    this.#workers = workers;
    this.#n = n;
  }

  /** Asks for bytes of a response; landed is given what came of it: {status, headers, buffer, bytes}. */
  ask({url, headers, cache}, bytes, buffer, landed) {
    const answer = this.#workers.ask(this.#n, 'piece', {line: this.#line, url, headers, cache, bytes, buffer})
      .catch(() => ({status: 0, list: [], buffer: new ArrayBuffer(bytes), bytes: 0})) // the worker ended
      .then(({list, ...came}) => {
        this.#open.delete(answer);
        landed({...came, headers: new Headers(list)});
      });
    this.#open.add(answer);
    this.#asked.push(answer);
  }

  /** Waits until the next has landed; one that takes long lands as far as it has come. */
  async next() {
    const next = this.#asked.shift();
    if (await within(next, PATIENCE) || await within(next, AGAIN)) return;
    await this.stop();
  }

  /** Has all that was asked for land as far as it has come. */
  async stop() {
    this.#workers.ask(this.#n, 'stop', {line: this.#line}).catch(() => {});
    const landed = Promise.all(this.#open);
    if (!await within(landed, SILENCE) && !await within(landed, AGAIN)) this.#workers.giveUp(this.#n);
    await landed;
  }
}

// within says whether a promise resolves in time.
const within = (promise, milliseconds) => new Promise((resolve) => {
  const timer = setTimeout(() => resolve(false), milliseconds);
  promise.then(() => {
    clearTimeout(timer);
    resolve(true);
  });
});
