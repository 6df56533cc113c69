import {openFile, textOf} from './folder.js';

// A Record tells what is there of a file: lines of JSON, of which the first says what file it is, and each of the others what of a
// piece has been written, with its SHA-256. The last line of a piece counts. A line that was not written whole counts as none.

export class Record {
  /** {url, size, tag, sha256, pieceSize} of the file; null: there is nothing of it. */
  about = null;
  /** By piece: {bytes, sha256}. */
  pieces = [];
  #folder;
  #name;
  #handle = null;
  #end = 0;

  static nameOf = (no) => `${no}.list`;

  constructor(folder, no) {
    this.#folder = folder;
    this.#name = Record.nameOf(no);
  }

  /** Reads what is there. */
  async read() {
    this.about = null;
    this.pieces = [];
    const text = this.#folder ? await textOf(this.#folder, this.#name) : '';
    const lines = text.split('\n');
    this.#end = new TextEncoder().encode(text.slice(0, text.length - lines.pop().length)).length;
    try {
      for (const line of lines) this.#take(JSON.parse(line));
    } catch {
      this.about = null; // nobody knows what it is
      this.pieces = [];
    }
    return this;
  }

  #take({piece, bytes, sha256, ...about}) {
    if (piece === undefined) this.about = {...this.about, ...about, ...(sha256 && {sha256})};
    else this.pieces[piece] = {bytes, sha256};
  }

  get count() {
    return Math.ceil(this.about.size / this.about.pieceSize);
  }

  /** The size of a piece. */
  sizeOf(i) {
    return Math.min(this.about.pieceSize, this.about.size - i * this.about.pieceSize);
  }

  has(i) {
    return this.pieces[i]?.bytes === this.sizeOf(i);
  }

  /** How many bytes are there. */
  get bytes() {
    return this.pieces.reduce((sum, piece) => sum + (piece?.bytes ?? 0), 0);
  }

  /** The first piece that is not there. */
  get missing() {
    for (let i = 0; i < this.count; i++) if (!this.has(i)) return i;
    return this.count;
  }

  /** Where the first byte is that is not there. */
  get start() {
    return this.missing * this.about.pieceSize + (this.pieces[this.missing]?.bytes ?? 0);
  }

  get whole() {
    return this.about !== null && this.about.size > 0 && this.bytes === this.about.size && (!this.about.sha256 || this.about.verified === true);
  }

  /** Makes it ready to be written; workers only, one at a time. */
  async open() {
    this.#handle ??= await openFile(this.#folder, this.#name);
  }

  /** Begins anew. */
  begin(about) {
    this.#handle.truncate(0);
    this.#end = 0;
    this.about = null;
    this.pieces = [];
    this.add(about);
  }

  /** Adds a line. */
  add(line) {
    const bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    this.#handle.write(bytes, {at: this.#end});
    this.#end += bytes.length;
    this.#take(line);
  }

  /** Ends writing; resolves when all of it is there. */
  async close() {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }
}
