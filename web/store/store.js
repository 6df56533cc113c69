import {Fault} from '../gpu/fault.js';
import {URLOrigin} from '../gpu/origin.js';
import {Turns} from '../gpu/turns.js';
import {folderIn, top} from './folder.js';
import {KeptSource} from './kept.js';
import {CHANNEL} from './lock.js';
import {makeRoom, use} from './models.js';
import {isKeepable, partOf, placeOf, shown} from './place.js';

// The Store gives a worker's sources: of files that the browser keeps, or is to keep. It tells how far they are.

const PIECE = 16 << 20; // bytes
const CONNECTIONS = 4;
const TELL_EVERY = 100; // milliseconds

export class Store {
  folder = null; // of all models; null: nothing is kept
  pieceSize = PIECE;
  connections = CONNECTIONS;
  lanes = new Turns(CONNECTIONS);
  from = 'network'; // where the model comes from
  #fetched;
  #tell;
  #keep = false;
  #names = [];
  #known = new Map(); // by address: what a hub says of it
  #files = new Map(); // by address: {place, done, total, over, problem}
  #opened = false;
  #began = 0;
  #came = 0; // bytes since then
  #told = 0;
  #channel = null;

  // fetched(from) gives a source that keeps nothing, tell(kind, value) tells the page.
  constructor(fetched, tell) {
    this.#fetched = fetched;
    this.#tell = tell;
  }

  /** Prepares for the sources of one model. */
  async prepare({keep = true, connections = CONNECTIONS, name = ''}) {
    this.#keep = keep;
    this.connections = Math.max(1, Math.min(6, connections));
    this.lanes = new Turns(this.connections);
    this.#names = name ? [name] : [];
    this.#files.clear();
    this.#opened = false;
    this.from = 'network';
    this.folder = keep ? await top(true) : null;
    if (this.folder) this.#channel ??= new BroadcastChannel(CHANNEL);
  }

  /** Gives a source of an address or a Blob. */
  source(from, fresh = false) {
    if (from instanceof Blob) {
      this.from = 'file';
      return this.#fetched(from);
    }
    if (!this.folder || !isKeepable(from)) return this.#fetched(from);
    return new KeptSource(from, this, (place, tag) => this.#fetched(new URLOrigin(from, {headers: place.headers, stored: true, tag})), fresh);
  }

  /** Gives the place of an address. */
  async placeOf(url) {
    return {...await placeOf(url), ...this.#known.get(url)};
  }

  /** Fetches a model without opening it. */
  async pull(url) {
    if (!this.folder) throw Object.assign(new Error('the browser keeps no files for this page'), {name: 'ErrNoStorage'});
    const {parts} = await this.placeOf(url);
    const sources = Array.from({length: parts}, (_, no) => this.source(parts > 1 ? partOf(url, no) : url, true));
    try {
      for (const source of sources) await source.open();
      for (const source of sources) await source.whole();
    } finally {
      await Promise.all(sources.map((source) => source.close()));
    }
  }

  /** The model is open: no more files come. */
  opened() {
    this.#opened = true;
    this.#names = [];
    this.#settle();
  }

  /** A file is there as a whole. */
  async found(place, record) {
    if (this.#files.size === 0) this.from = 'kept';
    this.#files.set(place.url, {place, done: record.about.size, total: record.about.size, over: true});
    await this.#use(place).catch(() => {}); // another tab may write it
  }

  /** A file will come. */
  async began(place, record) {
    this.from = 'network';
    this.#files.set(place.url, {place, done: record.bytes, total: record.about.size});
    await this.#use(place).catch(() => {});
    this.#progress(true);
  }

  async #use(place) {
    const {first, parts, name = shown(first)} = place;
    await use(await folderIn(this.folder, place.key), {name, names: [...new Set([...this.#names, name])], url: first, parts});
  }

  arrived(place, bytes) {
    this.#began ||= performance.now();
    this.#came += bytes;
    this.#files.get(place.url).done += bytes;
    this.#progress(false);
  }

  /** Says what went wrong without an engine, which has the words otherwise. */
  failure(e) {
    if (e.name === 'QuotaExceededError') return {name: 'ErrNoRoom', message: `the model cannot be kept: ${why(e)}; remove others, or give the page more room`};
    if (!(e instanceof Fault)) return {name: e.name, message: e.message};
    const {kind, url, reason, more, status} = e.value;
    return {name: kind || nameOf(status), message: `${shown(url)}: ${reason}${more}`};
  }

  /** A file cannot be kept. */
  unkept(place, error, total) {
    const problem = why(error);
    const before = this.#files.get(place.url);
    this.#files.set(place.url, {place, done: 0, total, ...before, over: true, problem: `The model is not kept: ${problem}.`});
    this.#settle();
  }

  done(place) {
    this.#files.get(place.url).over = true;
    this.#progress(true);
    this.#settle();
  }

  #settle() {
    const files = [...this.#files.values()];
    if (!this.#opened || files.some(({over}) => !over)) return;
    this.#opened = false;
    const problem = files.find((file) => file.problem)?.problem;
    const kept = files.length > 0 && !problem;
    this.#tell('kept', {kept, from: this.from, ...(kept && {name: files[0].place.name ?? shown(files[0].place.first)}), ...(problem && {problem})});
  }

  #progress(now) {
    const time = performance.now();
    if (!now && time - this.#told < TELL_EVERY) return;
    this.#told = time;
    let done = 0, total = 0;
    for (const file of this.#files.values()) {
      done += file.done;
      total += file.total;
      this.#channel?.postMessage({url: file.place.url, done: file.done, total: file.total});
    }
    const rate = this.#came / Math.max(1e-3, (time - this.#began) / 1000);
    this.#tell('progress', {stage: 'download', done: Math.min(done, total), total, rate: this.#began ? Math.round(rate) : 0, from: 'network'});
  }

  /** Tells how far another tab is with a file, until what it gives is called. */
  follow(place) {
    const hear = ({data}) => {
      if (data.url === place.url) this.#tell('progress', {stage: 'download', done: data.done, total: data.total, rate: 0, from: 'tab'});
    };
    this.#tell('progress', {stage: 'download', done: 0, total: 0, rate: 0, from: 'tab'});
    this.#channel.addEventListener('message', hear);
    return () => this.#channel.removeEventListener('message', hear);
  }

  /** Makes room for so many bytes of a model, or throws. */
  async room(place, bytes) {
    const room = await makeRoom(bytes, place.key);
    if (room && room.free < bytes) throw Object.assign(new DOMException('no room', 'QuotaExceededError'), {needs: bytes, has: room.free});
  }
}

// nameOf is what package hub calls a status.
function nameOf(status) {
  if (status === 404 || status === 410) return 'ErrNotFound';
  if ([401, 403, 407, 451].includes(status)) return 'ErrForbidden';
  return status === 429 || status === 503 ? 'ErrBusy' : 'ErrServer';
}

// why says why a file cannot be kept.
function why({name, message, needs, has}) {
  if (needs !== undefined) return `it needs ${size(needs)}, and the browser has room for ${size(has)}`;
  return name === 'QuotaExceededError' ? 'the browser has no more room' : message;
}

// size writes a number of bytes.
function size(bytes) {
  for (const [unit, of] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]]) if (bytes >= of) return `${(bytes / of).toFixed(bytes < 10 * of ? 1 : 0)} ${unit}`;
  return `${bytes} bytes`;
}
