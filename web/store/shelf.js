import {bytesOf, openFile, remove} from './folder.js';

// A Shelf keeps one file in pieces, each a file of its own, and notes the SHA-256 of each in the file's Record.

const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, '0')).join('');
const sha256 = async (bytes) => hex(await crypto.subtle.digest('SHA-256', bytes));

export class Shelf {
  record;
  #folder;
  #no;
  #handles = new Map(); // of pieces that are being written

  constructor(folder, no, record) {
    this.#folder = folder;
    this.#no = no;
    this.record = record;
  }

  #name(i) {
    return `${this.#no}-${String(i).padStart(5, '0')}`;
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

  /** Gives what is there of a piece, which is what was written; of a damaged one nothing. */
  async read(i) {
    const noted = this.record.pieces[i];
    if (!noted?.bytes) return null;
    const bytes = await bytesOf(this.#folder, this.#name(i), noted.bytes).catch(() => null);
    return bytes?.length === noted.bytes && await sha256(bytes) === noted.sha256 ? bytes : null;
  }

  /** Writes what is new of a piece, and notes it. */
  async write(piece) {
    const {number, filled} = piece;
    if (piece.written === filled) return;
    const hash = sha256(piece.bytes.subarray(0, filled));
    if (!this.#handles.has(number)) this.#handles.set(number, await openFile(this.#folder, this.#name(number)));
    const handle = this.#handles.get(number);
    const left = filled - piece.written;
    if (handle.write(piece.bytes.subarray(piece.written, filled), {at: piece.written}) < left) throw new DOMException('no room', 'QuotaExceededError');
    this.record.add({piece: number, bytes: filled, sha256: await hash});
    piece.written = filled;
    if (filled < piece.bytes.length) return;
    handle.close();
    this.#handles.delete(number);
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

  close() {
    for (const handle of this.#handles.values()) handle.close();
    this.#handles.clear();
    this.record.close();
  }
}
