/** A part of a file that is in memory, as far as it has come. */
export class Piece {
  filled = 0;
  written = 0; // of what is filled
  active = false; // somebody fetches it
  busy = Promise.resolve(); // the write that goes on

  constructor(number, bytes) {
    this.number = number;
    this.size = bytes.length;
    this.bytes = bytes; // null: a worker has them
  }

  /** A whole one that lies on the shelf. */
  static of(number, bytes) {
    const piece = new Piece(number, bytes);
    piece.filled = piece.written = bytes.length;
    return piece;
  }

  get whole() {
    return this.filled === this.size;
  }

  add(bytes) {
    this.bytes.set(bytes, this.filled);
    this.filled += bytes.length;
  }
}
