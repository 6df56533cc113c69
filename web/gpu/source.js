// ByteSource reads a file at a URL (fetch with ranges) or a Blob forward as a stream, into memory or straight into GPU
// buffers. One response stays open; going back, or far forward, asks for a new one.

const SKIP = 4 << 20; // reading on over fewer bytes beats a new request
const STAGE = 1 << 20; // bytes gathered for one writeBuffer
const AHEAD = 32 << 20; // bytes written between looks at how far the GPU is; at most twice that is under way
const TRIES = 8; // in a row without a byte
const OPEN_TRIES = 3;

// A failure that trying again will not mend.
class Final extends Error {}

const cancelled = () => new DOMException('cancelled', 'AbortError');

export class ByteSource {
  size = 0;
  #origin; // where streams come from: {name, size, open(offset, signal)}
  #stream = null; // reader of the open response
  #position = 0; // of the next byte of the stream
  #rest = null; // bytes of the stream that were read and not used; they end at #position
  #kept = null; // {start, data}: what read last returned, so that the bytes after a header need no new request
  #abort = new AbortController();
  #pause;
  #stage = null;
  #ahead = 0; // bytes written since the mark
  #mark = null; // settles when the GPU has what was written before it
  #broken = false; // whether the last response failed
  #turn = Promise.resolve();

  // The pause is milliseconds before the second try, doubled each time.
  constructor(from, pause) {
    this.#pause = pause;
    this.#origin = from instanceof Blob ? new BlobOrigin(from) : new URLOrigin(String(from));
  }

  // open finds the size and returns it.
  open() {
    return this.#exclusive(async () => {
      await this.#retry(() => this.#restart(0), OPEN_TRIES);
      this.size = this.#origin.size;
      return this.size;
    });
  }

  // read returns size bytes at offset, fewer at the end of the file.
  read(offset, size) {
    return this.#exclusive(async () => {
      const data = new Uint8Array(Math.max(0, Math.min(size, this.size - offset)));
      for (let n = 0; n < data.length;) {
        const piece = await this.#next(offset + n, data.length - n);
        data.set(piece, n);
        n += piece.length;
      }
      this.#kept = {start: offset, data};
      return data;
    });
  }

  // upload writes size bytes at offset to a GPU buffer, rounded up to whole words with zeros.
  upload(device, buffer, target, offset, size) {
    return this.#exclusive(async () => {
      if (offset < 0 || size < 0 || offset + size > this.size) {
        throw new Error(`${this.#origin.name}: bytes ${offset} to ${offset + size} are wanted, the file has ${this.size}`);
      }
      this.#stage ??= new Uint8Array(STAGE);
      const stage = this.#stage;
      let filled = 0;
      for (let n = 0; n < size;) {
        const piece = await this.#next(offset + n, Math.min(size - n, STAGE - filled));
        stage.set(piece, filled);
        filled += piece.length;
        n += piece.length;
        if (filled < STAGE && n < size) continue;
        const whole = (filled + 3) & ~3;
        stage.fill(0, filled, whole);
        device.queue.writeBuffer(buffer, target, stage, 0, whole);
        target += whole;
        filled = 0;
        this.#ahead += whole;
        if (this.#ahead >= AHEAD) {
          if (this.#mark !== null) await device.finished(this.#mark);
          this.#mark = device.queue.onSubmittedWorkDone();
          this.#ahead = 0;
        }
      }
    });
  }

  // cancel ends the call that runs; the source may be used again.
  cancel() {
    this.#abort.abort(cancelled());
    this.#abort = new AbortController();
    this.#drop();
  }

  close() {
    this.#abort.abort(cancelled());
    this.#drop();
    this.#kept = this.#stage = null;
  }

  // exclusive runs one call at a time.
  #exclusive(call) {
    const signal = this.#abort.signal;
    const result = this.#turn.then(() => {
      signal.throwIfAborted();
      this.#signal = signal;
      return call();
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  #signal = null;

  // next returns between 1 and max bytes at offset.
  async #next(offset, max) {
    if (this.#kept !== null) {
      const at = offset - this.#kept.start;
      if (at >= 0 && at < this.#kept.data.length) return this.#kept.data.subarray(at, at + max);
    }
    return this.#retry(async () => {
      await this.#seek(offset);
      return this.#take(max);
    });
  }

  // retry calls again after a failure of the network, a number of times while no byte arrives.
  async #retry(call, limit = TRIES) {
    let reached = this.#position;
    for (let tries = 1; ; tries++) {
      try {
        return await call();
      } catch (e) {
        this.#drop();
        this.#broken = true;
        this.#signal.throwIfAborted();
        if (e instanceof Final) throw e;
        if (this.#position > reached) {
          reached = this.#position;
          tries = 1;
        }
        if (tries >= limit) throw new Error(`${e.message} (tried ${limit} times)`, {cause: e});
        await sleep(this.#pause * 2 ** (tries - 1), this.#signal);
      }
    }
  }

  async #seek(offset) {
    const start = this.#position - (this.#rest?.length ?? 0);
    const back = offset < start;
    if (this.#stream === null || back || (offset > start + SKIP && this.#origin.ranges)) {
      await this.#restart(offset);
    }
    for (;;) {
      const missing = offset - (this.#position - (this.#rest?.length ?? 0));
      if (missing === 0) return;
      await this.#take(missing);
    }
  }

  async #restart(offset) {
    this.#drop();
    const {body, start} = await this.#origin.open(offset, this.#signal, this.#broken);
    this.#broken = false;
    this.#stream = body.getReader();
    this.#position = start;
  }

  // take returns up to max bytes of the stream.
  async #take(max) {
    while (this.#rest === null) {
      const {done, value} = await this.#stream.read().catch((e) => {
        throw new Error(`${this.#origin.name}: the stream broke at byte ${this.#position} of ${this.#origin.size}: ${e.message}`, {cause: e});
      });
      this.#signal.throwIfAborted();
      if (done) throw new Error(`${this.#origin.name}: the stream ended at byte ${this.#position} of ${this.#origin.size}`);
      if (value.length === 0) continue;
      this.#position += value.length;
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, max);
    this.#rest = piece.length < this.#rest.length ? this.#rest.subarray(max) : null;
    return piece;
  }

  #drop() {
    this.#stream?.cancel().catch(() => {});
    this.#stream = this.#rest = null;
  }
}

class BlobOrigin {
  ranges = true;

  constructor(blob) {
    this.blob = blob;
    this.name = blob.name || 'the file';
    this.size = blob.size;
  }

  async open(offset) {
    return {body: this.blob.slice(offset).stream(), start: offset};
  }
}

class URLOrigin {
  ranges = false; // known after the first response
  size = -1;
  #tag = null; // ETag or date of the first response

  constructor(url) {
    this.name = url;
  }

  // The browser's cache may serve what it has, as when weights are read again after the GPU was lost. It may have parts of
  // an older file, so it is passed over where no tag tells, and after a failure.
  async open(offset, signal, broken) {
    const first = this.size < 0;
    const cached = !broken && (first || this.#tag !== null);
    const response = await fetch(parse(this.name), {
      headers: {Range: `bytes=${offset}-`}, signal, cache: cached ? 'default' : 'no-store',
    }).catch((e) => {
      throw new Error(`${this.name}: ${e.message}: offline, no such host, or it forbids pages of other origins (CORS)`, {cause: e});
    });
    const status = `HTTP ${response.status}${response.statusText ? ' ' + response.statusText : ''}`;
    if (response.status !== 200 && response.status !== 206) {
      await response.body?.cancel();
      const again = response.status === 408 || response.status === 429 || response.status >= 500;
      throw new (again ? Error : Final)(`${this.name}: ${status}`);
    }
    const {start, size} = extent(response, offset);
    if (size === null) {
      await response.body?.cancel();
      throw new Final(`${this.name}: ${status} without a length`);
    }
    const tag = response.headers.get('ETag') ?? response.headers.get('Last-Modified');
    if (first) {
      this.size = size;
      this.#tag = tag;
      this.ranges = response.status === 206;
    } else if (size !== this.size || (tag !== null && this.#tag !== null && tag !== this.#tag)) {
      await response.body?.cancel();
      throw new (cached ? Error : Final)(`${this.name}: the file changed while it was read (${this.size} bytes, ${this.#tag}; now ${size} bytes, ${tag}): load it again`);
    }
    return {body: response.body, start};
  }
}

// extent says where a response's body starts in the file and how long the file is; null where it does not say.
function extent(response, offset) {
  const number = (text) => (text !== null && /^\d+$/.test(text.trim()) ? Number(text) : null);
  const length = response.headers.has('Content-Encoding') ? null : number(response.headers.get('Content-Length'));
  if (response.status === 200) return {start: 0, size: length};
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('Content-Range') ?? '');
  if (range) {
    if (Number(range[1]) !== offset) return {start: offset, size: null};
    return {start: offset, size: Number(range[2])};
  }
  // Across origins Content-Range may be hidden; what was asked for reaches to the end.
  return {start: offset, size: length === null ? null : offset + length};
}

function parse(url) {
  try {
    return new URL(url, globalThis.location?.href);
  } catch (e) {
    throw new Final(`${url}: not a URL`);
  }
}

function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', stop, {once: true});
  });
}
