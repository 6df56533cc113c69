// AHEAD is how many bytes of events wait for a reader here. The worker keeps what comes after them, and the engine goes on.
const AHEAD = 1 << 16;

/** What the worker answers to a call of the API: a head, with a body or with events that come one by one. */
export class Answer {
  /** Resolves to {status, headers, body}, where body is bytes, or a ReadableStream of the events' bytes. */
  head;

  #port; // {cancel(), flow(open)} of the call
  #settle;
  #events = null; // the body's controller
  #held = false; // the worker was told to keep events back
  #over = false;
  #unlisten = () => {};

  constructor(port, signal) {
    this.#port = port;
    this.head = new Promise((resolve, reject) => { this.#settle = {resolve, reject}; });
    if (!signal) return;
    const abort = () => {
      this.#port.cancel();
      this.failed(signal.reason);
    };
    signal.addEventListener('abort', abort, {once: true});
    this.#unlisten = () => signal.removeEventListener('abort', abort);
  }

  /** The head has come, with the body unless that is a stream. */
  begins({status, headers, stream}, body) {
    if (this.#over) return;
    if (stream) body = this.#stream();
    else this.#end();
    this.#settle.resolve({status, headers, body});
  }

  #stream() {
    return new ReadableStream({
      start: (controller) => { this.#events = controller; },
      pull: () => {
        if (!this.#held || this.#over) return;
        this.#held = false;
        this.#port.flow(true);
      },
      cancel: () => {
        if (this.#over) return;
        this.#end();
        this.#port.cancel();
      },
    }, new ByteLengthQueuingStrategy({highWaterMark: AHEAD}));
  }

  /** Whole events have come, or the end of all. Before the head there may be some of no bytes, by which calls.js hears of a token. */
  comes(bytes, end) {
    if (this.#over) return;
    if (bytes.length > 0) this.#events.enqueue(bytes);
    if (end) {
      this.#end();
      this.#events.close();
    } else if (!this.#held && this.#events?.desiredSize <= 0) {
      this.#held = true;
      this.#port.flow(false);
    }
  }

  failed(error) {
    if (this.#over) return;
    this.#end();
    this.#settle.reject(error);
    this.#events?.error(error);
  }

  #end() {
    this.#over = true;
    this.#unlisten();
  }
}

/** Gives what comes of a promise, or rejects as soon as the signal aborts. */
export async function until(signal, promise) {
  if (!signal) return promise;
  signal.throwIfAborted();
  let abort;
  const aborted = new Promise((_, reject) => { abort = () => reject(signal.reason); });
  signal.addEventListener('abort', abort, {once: true});
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
