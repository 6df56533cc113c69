// ByteSource reads a file at a URL (fetch with ranges) or a Blob forward as a stream, into memory or straight into GPU
// buffers. One response stays open; going back, or far forward, asks for a new one. What goes wrong with the network is a Fault.

import {Fault} from './fault.js';
import {BlobOrigin, URLOrigin} from './origin.js';
import {Upload} from './upload.js';

const SKIP = 4 << 20; // reading on over fewer bytes beats a new request
const READ = 2 << 20; // bytes that are read at once
const AHEAD = 32 << 20; // bytes of a file of no known length that are in memory
const TRIES = 8; // in a row without a byte
const OPEN_TRIES = 3;
const PATIENCE = 120e3; // milliseconds that a busy server may ask to be left alone
const MAGIC = 'GGUF';

const cancelled = () => new DOMException('cancelled', 'AbortError');

export class ByteSource {
  size = 0;
  #origin; // where streams come from
  #stream = null; // reader of the open response
  #buffer = null; // what it reads into, again and again: new memory costs more than all else
  #position = 0; // of the next byte of the stream
  #start = 0; // where the stream began
  #end = null; // and where it should end; null: not known
  #rest = null; // bytes of the stream that were read and not used; they end at #position
  #kept = null; // {start, data}: what read last returned, so that the bytes after a header need no new request
  #abort = new AbortController();
  #pause;
  #idle;
  #waiting;
  #upload = new Upload();
  #until = null; // where requests are to end; null: at the file's end
  #broken = false; // whether the last response failed
  #turn = Promise.resolve();

  // The pause is milliseconds before the second try, doubled each time; idle is how many a server may stay silent. waiting(reason,
  // milliseconds) is told of waits of a second and more.
  constructor(from, pause, idle, waiting) {
    this.#pause = pause;
    this.#idle = idle;
    this.#waiting = waiting;
    this.#origin = typeof from === 'object' && 'open' in from ? from : from instanceof Blob ? new BlobOrigin(from) : new URLOrigin(String(from));
  }

  // open finds the size and returns it. The bytes at an offset are wanted first.
  open(offset = 0) {
    return this.#exclusive(async () => {
      await this.#retry(() => this.#restart(offset), OPEN_TRIES);
      if (this.#origin.page) await this.#retry(() => this.#refusePage(), OPEN_TRIES);
      if (this.#origin.size < 0) await this.#retry(() => this.#gather(), OPEN_TRIES);
      this.size = this.#origin.size;
      return this.size;
    });
  }

  // origin is where the bytes come from.
  get origin() {
    return this.#origin;
  }

  // another reads the same file over another connection, which fetch makes.
  another(fetch) {
    const other = new ByteSource(this.#origin.copy(fetch), this.#pause, this.#idle, this.#waiting);
    other.size = this.size;
    return other;
  }

  // some gives between 1 and max bytes at offset. A request that is made for them asks for those up to until.
  some(offset, max, until = null) {
    return this.#exclusive(() => {
      this.#until = until;
      return this.#next(offset, max);
    });
  }

  // rest ends the open response; the source may be used again.
  rest() {
    return this.#exclusive(() => this.#drop());
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
      this.#until = null;
      await this.#upload.run(device, buffer, target, size, (n, max) => this.#next(offset + n, max));
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
    this.#kept = this.#buffer = null;
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
        if (!(e instanceof Fault) || e.final) throw e;
        if (this.#position > reached) {
          reached = this.#position;
          tries = 1;
        }
        if (tries >= limit) throw e.with(`, ${limit} times in a row`);
        const pause = Math.max(e.after, this.#pause * 2 ** (tries - 1));
        if (pause > PATIENCE) throw e.with(` and asks to be left alone for ${Math.round(pause / 1000)} s`);
        if (pause >= 1000) this.#waiting?.(e.message, pause);
        await sleep(pause, this.#signal);
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
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(this.#silence()), this.#idle);
    try {
      const {body, start, end} = await this.#origin.open(offset, AbortSignal.any([this.#signal, limit.signal]), this.#broken, this.#until);
      this.#broken = false;
      this.#stream = readerOf(body);
      this.#start = this.#position = start;
      this.#end = end;
    } finally {
      clearTimeout(timer);
    }
  }

  // silence is final unless a part of the file has come, for then the rest can be asked for.
  #silence() {
    const final = !(this.#origin.ranges && this.#stream !== null && this.#position > this.#start);
    return new Fault(this.#origin.name, 'ErrSilent', `the server has sent nothing for ${this.#idle / 1000} s`, {final});
  }

  // some reads what is there. It is good until more is read.
  async #some() {
    if (this.#stream instanceof ReadableStreamDefaultReader) return this.#stream.read();
    const buffer = this.#buffer ?? new ArrayBuffer(READ);
    this.#buffer = null;
    const {done, value} = await this.#stream.read(new Uint8Array(buffer));
    if (value) this.#buffer = value.buffer;
    return {done, value};
  }

  // read gives the stream's next piece, or null at its end.
  async #read() {
    let timer;
    const silence = new Promise((_, reject) => {
      timer = setTimeout(() => reject(this.#silence()), this.#idle);
    });
    try {
      const {done, value} = await Promise.race([this.#some(), silence]);
      this.#signal.throwIfAborted();
      if (done) return null;
      this.#position += value.length;
      if (this.#end === null || this.#position <= this.#end) return value;
    } catch (e) {
      throw e instanceof Fault ? e : this.#origin.broke(this.#position, e);
    } finally {
      clearTimeout(timer);
    }
    throw new Fault(this.#origin.name, 'ErrEncoded',
      'the server sends more bytes than it says: it seems to compress the file on the way (Content-Encoding)');
  }

  // take returns up to max bytes of the stream.
  async #take(max) {
    while (this.#rest === null) {
      const at = this.#position;
      const value = await this.#read();
      if (value !== null) {
        if (value.length > 0) this.#rest = value;
      } else if (at === this.#end && at > this.#start && at < this.size) { // the server gives less at once than it was asked for
        await this.#restart(at);
        if (this.#start !== at) throw this.#origin.broke(at);
      } else {
        throw this.#origin.broke(at);
      }
    }
    const piece = this.#rest.subarray(0, max);
    this.#rest = piece.length < this.#rest.length ? this.#rest.subarray(max) : null;
    return piece;
  }

  // refusePage finds a web page where a model should be. Some servers call everything so: the first bytes tell.
  async #refusePage() {
    if (this.#stream === null || this.#position > 0) await this.#restart(0);
    const piece = this.#end === 0 ? new Uint8Array() : await this.#take(Infinity);
    if (new TextDecoder('latin1').decode(piece.subarray(0, MAGIC.length)) !== MAGIC) {
      throw new Fault(this.#origin.name, 'ErrWebPage', 'the server sends a web page, not a model file');
    }
    this.#rest = piece;
  }

  // gather takes in a file whose length nobody tells, and goes on with what has come.
  async #gather() {
    if (this.#stream === null || this.#start > 0) await this.#restart(0);
    let whole = new Blob(), pieces = this.#rest ? [this.#rest.slice()] : [], size = 0;
    for (let piece; (piece = await this.#read()) !== null;) {
      pieces.push(piece.slice());
      size += piece.length;
      if (size < AHEAD) continue;
      whole = new Blob([whole, ...pieces]); // which browsers may move out of memory
      pieces = [];
      size = 0;
    }
    this.#drop();
    this.#origin = new BlobOrigin(new Blob([whole, ...pieces]), this.#origin.name);
  }

  // verify reads on to the end of a file whose length only one header told, and fails where that was not true.
  verify() {
    return this.#exclusive(async () => {
      if (this.#origin.ranges) return;
      try {
        if (this.#stream === null) await this.#restart(0);
        while (await this.#read() !== null);
      } catch (e) {
        if (e.value?.kind === 'ErrEncoded') throw e;
      } finally {
        this.#drop();
      }
    });
  }

  #drop() {
    this.#stream?.cancel().catch(() => {});
    this.#stream = this.#rest = null;
  }
}

// readerOf gives a reader into memory of ours where a stream has such.
export function readerOf(body) {
  try {
    return body.getReader({mode: 'byob'});
  } catch {
    return body.getReader();
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
