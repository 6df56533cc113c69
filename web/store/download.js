import {Fault} from '../gpu/fault.js';
import {Piece} from './piece.js';
import {fetchIn, Line} from './remote.js';

// A Download gives a file's bytes by pieces: from a shelf, or else from the network, over several connections where the server has
// ranges, in other workers but for the first piece. Pieces that are read now come first. What comes is put on the shelf, and in the end all has
// come; where there is no shelf, only what is read next comes ahead.

const MARK_EVERY = 1000; // milliseconds between notes of how far a piece has come
const AHEAD = memory(8, 16); // pieces that are taken from the shelf before they are read
const WINDOW = memory(12, 32); // pieces that come ahead where there is no shelf
const LINE = 3; // pieces that a connection is asked for at once
const HOLD = 2000; // milliseconds that what will be read soon is not lent to be written
const BEHIND = memory(12, 32); // pieces that have come and are not written yet
const IN_MEMORY = 2; // pieces that have come and lie on the shelf

const NEVER = new AbortController().signal;

// memory gives the second number where the machine has 8 GB or more.
function memory(little, much) {
  return globalThis.navigator?.deviceMemory >= 8 ? much : little;
}

export class Download {
  #size;
  #pieceSize;
  #shelf; // or null
  #host; // network(), lanes, connections, workers, arrived(bytes), evictions(), room(error, asked), unkept(error), done(), name
  #source = null; // the network's, when it has been wanted
  #pieces = new Map(); // in memory, by number
  #ahead = new Map(); // promises of what is read next from the shelf, by number
  #cursor = 0; // the piece that is read
  #read = -HOLD; // when that was last asked for
  #running = 0; // connections
  #lines = new Set();
  #fresh = false; // nothing of what the source has open was used
  #starting = null;
  #error = null;
  #wakes = [];
  #timer = null;
  #sum; // the SHA-256 that the whole file must have, as long as that is not known
  #adding = false;
  #over = false;

  constructor(size, pieceSize, shelf, host) {
    this.#size = size;
    this.#pieceSize = pieceSize;
    this.#shelf = shelf;
    this.#host = host;
    this.#sum = shelf && !shelf.record.about.verified && shelf.record.about.sha256 || null;
  }

  get #count() {
    return Math.ceil(this.#size / this.#pieceSize);
  }

  #sizeOf(i) {
    return Math.min(this.#pieceSize, this.#size - i * this.#pieceSize);
  }

  /** Gives between 1 and max bytes at offset. The last piece is given once the whole file is known to be right. */
  async some(offset, max, signal) {
    const i = Math.floor(offset / this.#pieceSize), at = offset - i * this.#pieceSize;
    this.#read = performance.now();
    if (i !== this.#cursor) this.#moved(i);
    for (;;) {
      signal.throwIfAborted();
      const piece = this.#pieces.get(i);
      if (piece?.bytes && piece.filled > at && !(this.#sum && i === this.#count - 1)) return piece.bytes.subarray(at, Math.min(piece.filled, at + max));
      if (this.#error) {
        const error = this.#error;
        this.#error = null;
        throw error;
      }
      if (!piece && this.#shelf?.has(i)) {
        await this.#recall(i);
      } else {
        this.start();
        await this.#change(signal);
      }
    }
  }

  /** Begins to read ahead of who will read from the beginning. */
  begin() {
    this.#read = performance.now();
    if (this.#shelf?.has(0)) this.#takeAhead(0);
    else this.start();
  }

  /** Begins to fetch what is missing, or goes on with it. */
  start() {
    if (this.#over || this.#starting) return;
    this.#starting = this.#start().catch((e) => this.#fail(e)).finally(() => { this.#starting = null; });
  }

  async #start() {
    if (this.#shelf && this.#sum) this.#addUp();
    if (this.#next() === null) return;
    if (this.#source === null) {
      this.#source = await this.#host.network();
      this.#fresh = true;
    }
    if (this.#shelf) this.#timer ??= setInterval(() => this.#mark((piece) => !(piece.whole && this.#soon(piece))), MARK_EVERY);
    // Without a shelf nothing but a tag tells pieces of a file from those of its next version.
    const several = this.#source.origin.ranges && (this.#shelf || this.#source.origin.tag) && this.#size > 2 * this.#pieceSize && this.#host.connections > 1;
    while (this.#running < (several ? this.#host.connections : 1) && !this.#over && this.#next() !== null) {
      const {workers} = this.#host, n = this.#running++;
      const source = several && !this.#fresh ? this.#source.another(fetchIn(workers, n)) : this.#source;
      this.#fresh = false;
      const line = several && source.origin.part ? new Line(workers, n) : null;
      this.#lane(source, several, line).catch((e) => this.#fail(e)).finally(() => {
        this.#running--;
        if (source !== this.#source) source.close();
        this.#rest();
        this.#tell();
      });
    }
  }

  /** Waits until all lies on the shelf. */
  async whole(signal) {
    while (this.#sum || this.#next() !== null || this.#running > 0 || this.#behind > 0) {
      if (this.#error) throw this.#error;
      if (!this.#shelf) return;
      await this.#change(signal);
    }
  }

  /** Puts what has come on the shelf, and ends. */
  async close() {
    if (this.#over) return;
    this.#end();
    await Promise.all([...this.#lines].map((line) => line.stop()));
    await this.#mark();
  }

  #end() {
    this.#over = true;
    clearInterval(this.#timer);
    this.#source?.close();
    this.#tell();
  }

  // rest ends when all has come and is written.
  #rest() {
    if (this.#running > 0 || this.#behind > 0) return;
    clearInterval(this.#timer);
    this.#timer = null;
    if (!this.#shelf || this.#over || this.#sum || this.#next() !== null) return;
    this.#source?.close();
    this.#source = null;
    this.#host.done();
  }

  #moved(i) {
    this.#cursor = i;
    for (const [number, piece] of this.#pieces) {
      if (this.#shelf && piece.whole && !piece.active && number < i) this.#put(piece);
      if (piece.whole && !piece.active && (this.#shelf ? number !== i && this.#shelf.has(number) : number < i)) this.#drop(piece);
    }
    if (!this.#shelf) this.start();
  }

  // drop forgets a piece, whose memory is used again.
  #drop(piece) {
    this.#pieces.delete(piece.number);
    this.#host.workers.take(piece.bytes?.buffer);
  }

  // next is the number of the piece to fetch now, or null.
  #next() {
    const wanted = (i) => {
      const piece = this.#pieces.get(i);
      return piece ? !piece.active && !piece.whole : !this.#shelf?.has(i);
    };
    const end = this.#shelf ? this.#count : Math.min(this.#count, this.#cursor + (this.#running > 1 ? WINDOW : 2));
    for (let i = this.#cursor; i < end; i++) if (wanted(i)) return i;
    for (let i = 0; this.#shelf && i < this.#cursor; i++) if (wanted(i)) return i;
    return null;
  }

  // lane is one connection: it fetches pieces until none is left.
  async #lane(source, several, line) {
    const {lanes} = this.#host, stream = {source, several, at: null};
    await lanes.take();
    try {
      if (line && source === this.#source) { // whose response is there already
        await this.#stream(stream, this.#choose());
        if (!this.#over) await source.rest();
      }
      if (line) await this.#askAhead(line, stream);
      for (let piece; (piece = this.#choose());) await this.#stream(stream, piece);
    } catch (e) {
      const busy = e.value?.status === 429 || e.value?.status === 503;
      if (!busy || this.#running < 2) throw e; // a server that allows fewer connections gets fewer
    } finally {
      lanes.give();
    }
  }

  // choose gives the piece to fetch now, which nobody else does meanwhile, or null.
  #choose() {
    const i = this.#over || this.#error ? null : this.#next();
    if (i === null) return null;
    const piece = this.#pieces.get(i) ?? this.#newPiece(i);
    this.#pieces.set(i, piece);
    piece.active = true;
    return piece;
  }

  // stream fetches what is missing of a piece as it comes.
  async #stream(stream, piece) {
    if (piece === null) return;
    const {source, several} = stream;
    try {
      if (this.#shelf && piece.filled === 0) await this.#resume(piece);
      const start = piece.number * this.#pieceSize, until = several ? start + piece.size : null;
      if (several && stream.at !== null && stream.at !== start + piece.filled) await source.rest();
      while (!piece.whole && !this.#over) {
        const bytes = await source.some(start + piece.filled, piece.size - piece.filled, until);
        piece.add(bytes);
        this.#host.arrived(bytes.length);
        this.#tell();
      }
      stream.at = until;
    } finally {
      piece.active = false;
    }
    await this.#came(piece);
  }

  // came puts a piece on the shelf that nobody is about to read, and waits while too many are not there yet.
  async #came(piece) {
    if (piece.whole && !this.#soon(piece)) this.#put(piece);
    this.#tell();
    while (this.#behind > BEHIND && !this.#over && !this.#error) await this.#change(NEVER);
  }

  // soon says whether a piece will be read soon. The last one of a file that is to have a sum is not, before all are written.
  #soon(piece) {
    return !(this.#sum && piece.number === this.#count - 1) && piece.number >= this.#cursor && performance.now() - this.#read < HOLD;
  }

  // askAhead fetches pieces while this worker may be busy, until one comes slowly or not at all.
  async #askAhead(line, stream) {
    const asked = []; // pieces
    this.#lines.add(line);
    try {
      for (;;) {
        const most = Math.min(LINE, Math.ceil((this.#count - (this.#next() ?? 0)) / this.#host.connections)); // the other connections have some, too
        while (asked.length < most && !this.#touched(this.#next())) {
          const piece = this.#choose();
          if (piece === null) break;
          asked.push(piece);
          this.#ask(line, piece, stream.source.origin);
        }
        if (asked.length === 0) {
          const begun = this.#choose();
          if (begun === null) return;
          await this.#stream(stream, begun);
          continue;
        }
        await line.next();
        const piece = asked.shift();
        if (!piece.whole) {
          await line.stop();
          for (const other of asked.splice(0)) other.active = false;
          return await this.#stream(stream, piece);
        }
        await this.#came(piece);
      }
    } finally {
      line.stop();
      this.#lines.delete(line);
    }
  }

  // touched says whether something has come of a piece.
  #touched(i) {
    return i !== null && (this.#pieces.get(i)?.filled > 0 || this.#shelf?.record.pieces[i]?.bytes > 0);
  }

  // ask has a whole piece fetched on a line. What comes is the piece's as soon as it is there.
  #ask(line, piece, origin) {
    const start = piece.number * this.#pieceSize, {buffer} = piece.bytes;
    piece.bytes = null;
    line.ask(origin.part(start, start + piece.size), piece.size, buffer, (came) => {
      piece.bytes = new Uint8Array(came.buffer, 0, piece.size);
      if (!origin.fits(came, start)) return;
      piece.filled = came.bytes;
      if (piece.whole) piece.active = false;
      this.#host.arrived(came.bytes);
      this.#tell();
    });
  }

  #newPiece(i) {
    const size = this.#sizeOf(i);
    return new Piece(i, new Uint8Array(this.#host.workers.buffer(size), 0, size));
  }

  // resume takes what came of a piece before.
  async #resume(piece) {
    const before = await this.#shelf.read(piece.number);
    if (before === null || before.length > piece.size) return;
    piece.add(before);
    piece.written = before.length;
    this.#host.workers.take(before.buffer);
    this.#tell();
  }

  // spare forgets pieces that lie on the shelf, but for a few.
  #spare() {
    const spare = [...this.#pieces.values()].filter((p) => p.whole && !p.active && p.number !== this.#cursor && this.#shelf?.has(p.number));
    for (const piece of spare.slice(0, Math.max(0, spare.length - IN_MEMORY))) this.#drop(piece);
  }

  // behind is how many pieces have come and are not written.
  get #behind() {
    let n = 0;
    for (const piece of this.#shelf ? this.#pieces.values() : []) if (piece.whole && piece.written < piece.filled) n++;
    return n;
  }

  // put writes a piece as far as it has come. Where no room can be made, nothing is kept from then on.
  #put(piece) {
    piece.busy = piece.busy.then(async () => {
      for (let tried = false; this.#shelf && !tried;) {
        const asked = this.#host.evictions();
        try {
          await this.#shelf.write(piece, !piece.active && piece.number !== this.#cursor);
          tried = true;
        } catch (e) {
          if (piece.bytes === null) this.#pieces.delete(piece.number);
          if (!await this.#host.room(e, asked) && this.#shelf) this.#unkept(e); // another piece may have told already
        }
      }
      if (!piece.whole) return;
      this.#spare();
      this.#tell();
      this.#rest();
    });
    return piece.busy;
  }

  #unkept(e) {
    this.#shelf = this.#sum = null;
    this.#host.unkept(e);
    this.#tell();
  }

  // mark puts what has come of the pieces, or of some.
  #mark(which = () => true) {
    return Promise.all([...this.#pieces.values()].filter((p) => p.filled > p.written && which(p)).map((p) => this.#put(p)));
  }

  // recall takes a piece from the shelf, and begins to take those after it. A damaged one comes again.
  async #recall(i) {
    for (const [number, bytes] of this.#ahead) {
      if (number >= i && number <= i + AHEAD) continue;
      this.#ahead.delete(number);
      bytes.then((b) => { if (b) this.#host.workers.take(b.buffer); });
    }
    this.#takeAhead(i);
    const bytes = await this.#ahead.get(i);
    this.#ahead.delete(i);
    if (this.#pieces.has(i)) return;
    if (bytes) {
      this.#pieces.set(i, Piece.of(i, bytes));
      this.#spare();
    } else {
      await this.#shelf?.forget(i);
    }
  }

  #takeAhead(i) {
    for (let n = i; n <= Math.min(i + AHEAD, this.#count - 1); n++) {
      if (!this.#ahead.has(n) && !this.#pieces.has(n) && this.#shelf?.has(n)) this.#ahead.set(n, this.#shelf.read(n));
    }
  }

  // addUp makes the file's SHA-256 as pieces come, and takes all back where it is not what it must be.
  async #addUp() {
    if (this.#adding) return;
    this.#adding = true;
    const release = this.#host.workers.hold(); // the server may be slow, and one of them has the sum so far
    try {
      await this.#sumUp();
    } catch (e) {
      this.#fail(e);
    } finally {
      release();
      this.#adding = false;
    }
    this.#tell();
    this.#rest();
  }

  async #sumUp() {
    const sum = this.#shelf.adder();
    for (let i = 0; i < this.#count; i++) {
      while (this.#shelf && !this.#shelf.has(i) && !this.#over) await this.#change(NEVER);
      if (!this.#shelf || this.#over) return;
      if (await sum.add(i)) continue;
      if (!this.#shelf || this.#over) return;
      await this.#shelf.forget(i);
      const piece = this.#pieces.get(i--);
      if (piece?.whole) {
        piece.written = 0;
        this.#put(piece);
      }
      this.start();
    }
    const is = await sum.total();
    if (!this.#shelf || this.#over) return;
    if (is === this.#sum) {
      this.#shelf.verified();
      this.#sum = null;
      return;
    }
    this.#pieces.clear();
    for (let i = 0; i < this.#count; i++) await this.#shelf?.forget(i); // before it is told: who hears of it closes the shelf
    throw new Fault(this.#host.name, 'ErrDamaged', `what came is not the file that the hub names: its SHA-256 is ${is}, and should be ${this.#sum}`);
  }

  #fail(e) {
    this.#error ??= e;
    this.#tell();
  }

  #tell() {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  #change(signal) {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, {once: true});
      this.#wakes.push(() => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
    });
  }
}
