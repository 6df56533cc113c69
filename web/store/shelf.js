import {remove} from './folder.js';

// A Shelf keeps one file in pieces, each a file of its own, and notes the SHA-256 of each in the file's Record. Workers do the rest.

export class Shelf {
  record;
  #folder;
  #no;
  #workers;
  #open = new Set(); // pieces that are being written
  #sums = 0;

  constructor(folder, no, record, workers) {
    this.#folder = folder;
    this.#no = no;
    this.record = record;
    this.#workers = workers;
  }

  #name(i) {
    return `${this.#no}-${String(i).padStart(5, '0')}`;
  }

  #file(i) {
    return {folder: this.#folder.name, name: this.#name(i)};
  }

  has(i) {
    return this.record.has(i);
  }

  /** Begins the file anew: what is there goes. */
  async begin(about) {
    const before = this.record.pieces.length;
    this.record.begin(about);
    for (let i = 0; i < before; i++) await remove(this.#folder, this.#name(i));
  }

  /** Gives what is there of a piece, which is what was written, in a buffer of the workers'; of a damaged one nothing. */
  async read(i) {
    const {bytes, sha256} = this.record.pieces[i] ?? {};
    if (!bytes) return null;
    const ask = () => this.#workers.ask(i, 'read', {...this.#file(i), bytes, sha256, buffer: this.#workers.buffer(bytes)});
    // A worker that fails gives no buffer back: another is asked. One that is well would answer the same again.
    const {buffer, good} = await ask().catch((e) => (e.buffer ? e : ask())).catch((e) => e);
    if (good) return new Uint8Array(buffer, 0, bytes);
    this.#workers.take(buffer);
    return null;
  }

  /** Writes what is new of a piece, and notes it. A worker may be lent the piece's own bytes meanwhile. */
  async write(piece, lend) {
    const {number, filled, written} = piece, bytes = filled - written;
    if (bytes === 0 || piece.bytes === null) return;
    const last = piece.whole;
    lend &&= last && written === 0;
    const buffer = lend ? piece.bytes.buffer : this.#workers.buffer(bytes);
    if (lend) piece.bytes = null;
    else new Uint8Array(buffer, 0, bytes).set(piece.bytes.subarray(written, filled));
    const back = (given) => {
      if (lend && given) piece.bytes = new Uint8Array(given, 0, piece.size);
      else this.#workers.take(given);
    };
    this.#open.add(number);
    try {
      const answer = await this.#workers.ask(number, 'write', {...this.#file(number), at: written, bytes, last, buffer});
      back(answer.buffer);
      this.record.add({piece: number, bytes: filled, sha256: answer.sha256});
    } catch (e) {
      back(e.buffer); // none where the worker ended
      throw e;
    }
    piece.written = filled;
    if (last) this.#open.delete(number);
  }

  /** Gives an adder: add(i) takes pieces in order, false where one is damaged; total() gives the SHA-256. It has a worker of its own. */
  adder() {
    const sum = `${this.#folder.name} ${this.#no} ${++this.#sums}`;
    return {
      add: async (i) => (await this.#workers.ask(-1, 'add', {sum, begin: i === 0, ...this.#file(i), bytes: this.record.sizeOf(i)})).good,
      total: async () => (await this.#workers.ask(-1, 'total', {sum})).sha256,
    };
  }

  /** Notes that a piece must come again. */
  async forget(i) {
    await this.record.open();
    this.record.add({piece: i, bytes: 0, sha256: ''});
  }

  /** Notes that the file is the one that its sum names. */
  verified() {
    this.record.add({verified: true});
  }

  async close() {
    const open = [...this.#open];
    this.#open.clear();
    await Promise.all(open.map((i) => this.#workers.ask(i, 'end', this.#file(i)).catch(() => {})));
    await this.record.close();
  }
}
