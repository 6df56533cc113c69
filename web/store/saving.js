import {SAVES} from './workers.js';

// A Saving makes the file of a conversation: a Blob, or one that the browser keeps, by its handle. Workers write it and make its sums.

const LARGE = 1 << 20; // bytes of a buffer that is worth keeping
const BEHIND = 128 << 20; // bytes that are in memory and not written yet

export class Saving {
  #to; // a handle; null: a Blob
  #workers;
  #key = crypto.randomUUID();
  #at = 0;
  #pieces = []; // promises of {blob, sums}
  #runs = []; // those of them whose sums are wanted
  #behind = 0;

  constructor(to, workers) {
    this.#to = to?.createSyncAccessHandle ? to : null; // not in workers that tabs share
    this.#workers = workers;
    workers.start();
  }

  /** Writes bytes, which it takes for its own. */
  write(bytes) {
    this.#put(bytes.buffer, bytes.length, bytes.length);
  }

  /** Writes what is in a mapped buffer, once there is room for it, and keeps the SHA-256 of each part. */
  async run(buffer, size, part) {
    for (let at = 0; at < size; at += part) {
      const bytes = Math.min(part, size - at);
      while (this.#behind > BEHIND) await this.#pieces.find(({over}) => !over).written;
      const copy = this.#workers.buffer(bytes);
      new Uint8Array(copy, 0, bytes).set(new Uint8Array(buffer.getMappedRange(at, bytes)));
      this.#runs.push(this.#put(copy, bytes, part));
    }
  }

  #put(buffer, bytes, part) {
    const at = this.#at, number = this.#to ? SAVES : this.#pieces.length;
    this.#at += bytes;
    this.#behind += bytes;
    const piece = {over: false};
    const given = {key: this.#key, to: this.#to, at, bytes, part, buffer};
    piece.written = this.#workers.ask(number, 'put', given).then((answer) => {
      if (bytes === part && part >= LARGE) this.#workers.take(answer.buffer);
      return answer;
    }).finally(() => {
      piece.over = true;
      this.#behind -= bytes;
    });
    piece.written.catch(() => {}); // who waits for it hears of it
    this.#pieces.push(piece);
    return piece;
  }

  /** Gives the sums of all runs. */
  async sums() {
    const all = await Promise.all(this.#runs.map(({written}) => written));
    return new Uint8Array(await new Blob(all.map(({sums}) => sums)).arrayBuffer());
  }

  /** Ends, and gives the Blob, or null. */
  async end(good) {
    const all = await Promise.allSettled(this.#pieces.map(({written}) => written));
    if (this.#to) await this.#workers.ask(SAVES, 'shut', {key: this.#key, flush: good});
    if (!good) return null;
    for (const {reason} of all) if (reason) throw reason;
    return this.#to ? null : new Blob(all.map(({value}) => value.blob));
  }
}
