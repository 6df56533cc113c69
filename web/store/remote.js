// Fetches in other workers, so that what comes is read while this one is busy.

const READ = 2 << 20; // bytes that are read at once
const PULLS = 8; // reads that are asked for before one is wanted

let streams = 0;

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
