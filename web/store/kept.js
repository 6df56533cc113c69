import {Upload} from '../gpu/upload.js';
import {Download} from './download.js';
import {folderIn} from './folder.js';
import {lock, fetchOf, useOf} from './lock.js';
import {Record} from './record.js';
import {Shelf} from './shelf.js';

// A KeptSource reads a file that the browser keeps, or will: what is missing of it comes from the network, or from a Blob, and is kept,
// unless nothing is to be.

export class KeptSource {
  size = 0;
  #url;
  #place = null; // of the store
  #store;
  #network; // (place, tag) gives a ByteSource of where it comes from
  #fresh; // the network is asked whether what is there is still the file
  #folder = null;
  #shelf = null; // null: it cannot be kept
  #download = null;
  #problem = null; // why it cannot be kept
  #opening = null; // a promise of the size
  #opened = null; // the network's source, until the download has it
  #release = []; // what lets the model go
  #unlocks = null; // what lets others fetch
  #upload = new Upload();
  #abort = new AbortController();
  #left = false; // nobody wants it any more, and the store may have others' files
  #turn = Promise.resolve();

  constructor(url, store, network, fresh) {
    this.#url = url;
    this.#store = store;
    this.#network = network;
    this.#fresh = fresh;
  }

  // open finds the size and returns it.
  open() {
    return this.#opening ??= this.#exclusive(async (signal) => {
      await (this.#store.folder ? this.#find(signal) : this.#pass(signal));
      return this.size;
    });
  }

  // begin opens, and begins to read ahead of who will read from the beginning.
  async begin() {
    const {signal} = this.#abort;
    await this.open();
    if (!signal.aborted) this.#download.begin();
  }

  // pass makes ready to read what nobody keeps.
  async #pass(signal) {
    const network = async () => this.#opened ??= await this.#reach(null, 0, this.#abort.signal);
    this.#opened = await this.#reach(null, 0, signal);
    this.size = this.#opened.size;
    const {lanes, connections, workers, pieceSize} = this.#store;
    this.#download = new Download(this.size, pieceSize, null, {name: this.#url, lanes, connections, workers, network, arrived() {}});
  }

  // find looks for what is there of the file, and makes ready to fetch the rest.
  async #find(signal) {
    this.#place = await this.#store.placeOf(this.#url);
    const {key, no} = this.#place;
    this.#release.push(await lock(useOf(key), {mode: 'shared'}));
    let record = await this.#recorded();
    if (!record.whole || this.#fresh) record = await this.#fetch(signal);
    else await this.#tell('found', record);
    this.size = record.about?.size ?? this.#opened.size;
    this.#shelf ??= record.whole ? new Shelf(this.#folder, no, record, this.#store.workers) : null;
    this.#download = new Download(this.size, record.about?.pieceSize ?? this.#store.pieceSize, this.#shelf, this.#host(record));
  }

  // recorded reads what is there of the file. There is no folder before something comes for it.
  async #recorded(create = false) {
    this.#folder = await folderIn(this.#store.folder, this.#place.key, create);
    return new Record(this.#folder, this.#place.no).read();
  }

  // fetch makes ready to fetch what is missing, and gives the record of it. One tab does; the others wait until it is done, or gone.
  async #fetch(signal) {
    await this.#lock(signal);
    let record = await this.#recorded();
    if (record.whole && !this.#fresh) {
      this.#unlock();
      await this.#tell('found', record);
      return record;
    }
    const {no, sha256} = this.#place;
    const before = record.about;
    const known = before !== null && (before.tag || before.sha256) ? before : null;
    const source = await this.#reach(known?.tag ?? null, known && !record.whole ? record.start : 0, signal).catch((e) => {
      this.#unlock();
      throw e;
    });
    record = await this.#recorded(true);
    const shelf = new Shelf(this.#folder, no, record, this.#store.workers);
    const {tag = null} = source.origin;
    const same = known !== null && known.size === source.size && (sha256 ? sha256 === known.sha256 : known.tag === tag);
    this.#opened = source;
    const about = {url: this.#place.url, size: source.size, tag, pieceSize: this.#store.pieceSize, ...(sha256 && {sha256})};
    try {
      await record.open();
      if (!same) await this.#store.withRoom(this.#place, source.size - record.bytes, () => shelf.begin(about));
      await this.#store.room(this.#place, source.size - record.bytes);
      this.#shelf = shelf;
      await this.#tell('began', record);
    } catch (e) {
      this.#problem = e;
      await shelf.close();
      this.#unlock();
      this.#tell('unkept', e, source.size);
    }
    return record;
  }

  // tell has the store hear of the file.
  #tell(what, ...more) {
    return this.#left ? undefined : this.#store[what](this.#place, ...more);
  }

  // reach opens the network's source, at an offset where the server still has the file that is there in part.
  async #reach(tag, offset, signal) {
    signal.throwIfAborted();
    const open = async (source, at) => {
      const abort = () => source.close();
      signal.addEventListener('abort', abort, {once: true});
      try {
        await source.open(at);
        return source;
      } catch (e) {
        source.close();
        signal.throwIfAborted();
        throw e;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    };
    try {
      return await open(this.#network(this.#place, tag), offset);
    } catch (e) {
      if (offset === 0 || e.value?.status !== 416) throw e;
      return open(this.#network(this.#place, null), 0);
    }
  }

  async #lock(signal) {
    const {key, no} = this.#place;
    const name = fetchOf(key, no);
    this.#unlocks = await lock(name, {ifAvailable: true});
    if (this.#unlocks) return;
    const end = this.#store.follow(this.#place);
    try {
      this.#unlocks = await lock(name, {signal});
    } finally {
      end();
    }
  }

  #unlock() {
    this.#unlocks?.();
    this.#unlocks = null;
  }

  #host(record) {
    const store = this.#store, place = this.#place;
    return {
      name: place.url,
      lanes: store.lanes,
      connections: store.connections,
      workers: store.workers,
      network: async () => {
        const opened = this.#opened;
        this.#opened = null;
        return opened ?? this.#again(record);
      },
      arrived: (bytes) => this.#tell('arrived', bytes),
      evictions: () => store.evictions,
      room: (e, asked) => e.name === 'QuotaExceededError' && store.evict(place, record.about.size - record.bytes, asked),
      unkept: (e) => {
        if (e.name === 'QuotaExceededError') e = Object.assign(new DOMException('no room', e.name), {needs: this.size, has: record.bytes});
        this.#problem = e;
        this.#shelf.close().then(() => this.#unlock());
        this.#tell('unkept', e, this.size);
      },
      done: () => {
        this.#shelf.close().then(() => this.#unlock());
        this.#tell('done');
      },
    };
  }

  // again reaches the network for a piece that was damaged. Where it cannot, it may be asked to once more.
  async #again(record) {
    const {signal} = this.#abort;
    await this.#lock(signal);
    try {
      return await this.#anew(record, signal);
    } catch (e) {
      await this.#shelf.close();
      this.#unlock();
      throw e;
    }
  }

  async #anew(record, signal) {
    await record.open();
    const {size, tag} = record.about;
    const source = await this.#reach(tag, 0, signal).catch((e) => {
      throw e.with ? e.with('; a part of the file that is kept is damaged, and must come again') : e;
    });
    if (source.size === size && (tag === null || source.origin.tag === tag)) return source;
    source.close();
    await this.#shelf.begin({...record.about, size: 0});
    throw source.origin.changed();
  }

  read(offset, size) {
    return this.#exclusive(async (signal) => {
      const data = new Uint8Array(Math.max(0, Math.min(size, this.size - offset)));
      for (let n = 0; n < data.length;) {
        const piece = await this.#download.some(offset + n, data.length - n, signal);
        data.set(piece, n);
        n += piece.length;
      }
      return data;
    });
  }

  upload(device, buffer, target, offset, size) {
    return this.#exclusive(async (signal) => {
      if (offset < 0 || size < 0 || offset + size > this.size) {
        throw new Error(`${this.#url}: bytes ${offset} to ${offset + size} are wanted, the file has ${this.size}`);
      }
      this.#download.start();
      await this.#upload.run(device, buffer, target, size, (n, max) => this.#download.some(offset + n, max, signal));
    });
  }

  // verify reads to the end of what nobody keeps, where its length is not sure.
  async verify() {
    if (!this.#place) await this.#opened?.verify();
  }

  // cancel ends the call that runs; the source may be used again.
  cancel() {
    this.#abort.abort(new DOMException('cancelled', 'AbortError'));
    this.#abort = new AbortController();
  }

  /** Resolves when all of the file is kept. */
  async whole() {
    const {signal} = this.#abort;
    if (this.#shelf === null) throw this.#problem;
    this.#download.start();
    await this.#download.whole(signal);
    if (this.#problem) throw this.#problem;
  }

  async close() {
    this.#left = true;
    this.#abort.abort(new DOMException('cancelled', 'AbortError'));
    await this.#opening?.catch(() => {}); // what it takes hold of meanwhile is let go of here, too
    this.#opened?.close();
    try {
      await this.#download?.close();
      await this.#shelf?.close();
    } finally {
      this.#unlock();
      for (const release of this.#release.splice(0)) release();
    }
  }

  #exclusive(call) {
    const {signal} = this.#abort;
    const result = this.#turn.then(() => {
      signal.throwIfAborted();
      return call(signal);
    });
    this.#turn = result.catch(() => {});
    return result;
  }
}
