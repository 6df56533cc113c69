import {Upload} from '../gpu/upload.js';
import {held} from './folder.js';

// A SavedSource reads a conversation that was saved, from a Blob or from the handle of a file that the browser keeps. Workers read it and
// make its sums.

const EACH = 16 << 20; // bytes of the file that a worker is worth
const SUM = 32; // bytes of a SHA-256
const PARTS = 12; // of a file that are read ahead
const RUNS = 2; // of a Blob: browsers take milliseconds to begin with one

export class SavedSource {
  size = 0;
  #from;
  #file = null;
  #count = 0; // of workers; 0: this one
  #workers;
  #key = crypto.randomUUID();
  #parts = new Map(); // promises of {buffer, sums} by place
  #upload = new Upload();

  constructor(from, workers) {
    this.#from = from;
    this.#workers = workers;
  }

  /** Finds the size and returns it. */
  async open() {
    this.#file = this.#from instanceof Blob ? this.#from : await held(this.#from, (handle) => handle.getFile());
    if (!this.#from.createSyncAccessHandle) this.#from = this.#file; // in workers that tabs share
    this.size = this.#file.size;
    this.#count = Math.floor(this.size / EACH);
    this.#workers.askAll(this.#count, 'opens', {key: this.#key, from: this.#from}).catch(() => {}); // while it is found what is wanted
    return this.size;
  }

  /** Gives bytes at an offset, fewer at the end of the file. The workers may still be on their way. */
  async read(offset, size) {
    const blob = this.#file.slice(offset, offset + size);
    return new Uint8Array(await held(blob, () => blob.arrayBuffer()));
  }

  #part(at, bytes, part) {
    const buffer = this.#from instanceof Blob ? undefined : this.#workers.buffer(bytes);
    return this.#workers.askAny(this.#count, 'part', {key: this.#key, from: this.#from, at, bytes, part, buffer});
  }

  // spare keeps a buffer for what is read next, unless it is a Blob's own.
  #spare(buffer) {
    if (!(this.#from instanceof Blob)) this.#workers.take(buffer);
  }

  /**
   * Copies bytes to the beginning of a buffer, and gives the SHA-256 of each part of them. More of that size, and in the end fewer, are
   * wanted next, up to an end.
   */
  async uploadSummed(device, buffer, offset, size, part, end) {
    const blob = this.#from instanceof Blob;
    const lengthAt = (at) => Math.min(blob ? size : part, size - (at - offset) % size, end - at);
    const sums = new Uint8Array(Math.ceil(size / part) * SUM);
    let at = 0, length = 0, current = null, used = null;
    await this.#upload.run(device, buffer, 0, size, async (n, max) => {
      if (n === at + length) {
        this.#spare(used?.buffer);
        at = n;
        length = lengthAt(offset + at);
        this.#ahead(offset + at, end, blob ? RUNS : PARTS, lengthAt, part);
        current = await this.#parts.get(offset + at);
        this.#parts.delete(offset + at);
        sums.set(current.sums, at / part * SUM);
        used = current;
      }
      return new Uint8Array(current.buffer, n - at, Math.min(max, at + length - n));
    });
    this.#spare(used?.buffer);
    return sums;
  }

  #ahead(at, end, count, lengthAt, part) {
    for (; count > 0 && at < end; count--, at += lengthAt(at)) {
      if (this.#parts.has(at)) continue;
      const read = this.#part(at, lengthAt(at), part);
      read.catch(() => {}); // who wants it hears of it
      this.#parts.set(at, read);
    }
  }

  cancel() {}

  /** Lets the file go. */
  async close() {
    const waiting = [...this.#parts.values()];
    this.#parts.clear();
    for (const read of waiting) await read.then(({buffer}) => this.#spare(buffer), () => {});
    await this.#workers.askAll(this.#count, 'shut', {key: this.#key});
  }
}
