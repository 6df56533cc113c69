import {Fault} from '../gpu/fault.js';
import {URLOrigin} from '../gpu/origin.js';
import {Turns} from '../gpu/turns.js';
import {folderIn, NO_ROOM, top} from './folder.js';
import {KeptSource} from './kept.js';
import {Hub} from './hub.js';
import {CHANNEL} from './lock.js';
import {dropOldest, find, makeRoom, use} from './models.js';
import {canonical, isFile, isName} from './name.js';
import {isKeepable, partOf, placeOf, shown} from './place.js';
import {Workers} from './workers.js';

// The Store gives a worker's sources: of files that the browser keeps, or is to keep. It tells how far they are.

const PIECE = 16 << 20; // bytes
const CONNECTIONS = 4;
const TELL_EVERY = 100; // milliseconds

export class Store {
  folder = null; // of all models; null: nothing is kept
  pieceSize = PIECE;
  connections = CONNECTIONS;
  lanes = new Turns(CONNECTIONS);
  workers = new Workers();
  from = 'network'; // where the model comes from
  #fetched;
  #tell;
  #files = new Map(); // by address: {place, done, total, over, problem}
  #keepBlobs = false;
  #hub = null;
  #hubUrl;
  #names = new Map(); // what was asked for, by the address of its first file
  #known = new Map(); // by address: what a hub says of it
  #opened = false;
  #began = 0;
  #came = 0; // bytes since then
  #told = 0;
  #later = null; // what tells of it
  #channel = null;
  #evicting = null; // several pieces may find no room at once
  #evicted = 0; // how often a model was removed
  #begun = new Map(); // sources that were begun before they were asked for, by address

  // fetched(from) gives a source that keeps nothing, tell(kind, value) tells the page.
  constructor(fetched, tell) {
    this.#fetched = fetched;
    this.#tell = tell;
  }

  /** Prepares for the sources of one model. */
  async prepare({keep, connections = CONNECTIONS, hub, hubToken}) {
    this.#keepBlobs = keep === true;
    this.#hub = new Hub(hub, hubToken);
    this.#hubUrl = hub;
    this.connections = connections;
    this.lanes = new Turns(this.connections);
    this.#names.clear();
    this.#files.clear();
    this.#opened = false;
    this.from = 'network';
    const folder = keep === false ? null : top(true); // behind workers that start, browsers answer late
    this.workers.start();
    this.folder = await folder;
    if (!this.folder) return;
    this.#channel ??= new BroadcastChannel(CHANNEL);
  }

  /** Gives the address of what a name means, of its first file; other addresses are given back. */
  async resolve(text, fresh = false) {
    if (!isName(text) && !/^https?:/i.test(text)) return text;
    const name = this.#hub.parse(text);
    if (name === null) return text;
    const asked = canonical(text, this.#hubUrl);
    const kept = this.folder && !fresh ? await find(asked) : null;
    const files = kept?.whole ? kept.files.map(({url, sha256}) => ({url, sha256, name: kept.name, headers: this.#hub.headersFor(url)})) : await this.#hub.files(name);
    for (const {url, ...known} of files) this.#known.set(url, known);
    this.#names.set(files[0].url, asked);
    return files[0].url;
  }

  /** Begins to read a file that will be asked for. */
  begin(url) {
    if (!isKeepable(url)) return;
    const source = this.source(url);
    this.#begun.set(url, source);
    source.begin().catch(() => {}); // whoever asks for it hears of it
  }

  /** Gives a source that was begun, or another. */
  take(from) {
    const begun = this.#begun.get(from);
    this.#begun.delete(from);
    return begun ?? this.source(from);
  }

  /** Gives up what was begun; settles when nothing of it is held any more. */
  giveUp() {
    const begun = [...this.#begun.values()];
    this.#begun.clear();
    return Promise.allSettled(begun.map((source) => source.close()));
  }

  /** Gives a source of an address or a Blob. */
  source(from, fresh = false) {
    const fetched = (place, tag = null) => this.#fetched(new URLOrigin(from, {headers: place.headers, stored: this.folder !== null, tag}));
    if (from instanceof Blob) {
      this.from = 'file';
      return this.folder && this.#keepBlobs ? new KeptSource(`file:${from.name || 'model.gguf'}`, this, () => this.#fetched(from), true) : this.#fetched(from);
    }
    if (!isKeepable(from)) return this.#fetched(from);
    return new KeptSource(from, this, isFile(from) ? () => gone(from) : (place, tag) => fetched({...this.#known.get(from), ...place}, tag), fresh);
  }

  /** Gives the place of an address. */
  async placeOf(url) {
    return {...await placeOf(url), ...this.#known.get(url)};
  }

  /** Fetches a model without opening it. */
  async pull(name) {
    if (!this.folder) throw Object.assign(new Error('the browser keeps no files for this page'), {name: 'ErrNoStorage'});
    const url = await this.resolve(name, true);
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
    this.#settle();
  }

  /** A file is there as a whole. */
  found(place, record) {
    if ([...this.#files.values()].every(({done, total}) => done === total)) this.from = 'kept';
    this.#files.set(place.url, {place, done: record.about.size, total: record.about.size, over: true});
    this.#use(place).catch(() => {}); // another tab may write it; nobody waits for it
  }

  /** A file will come. */
  async began(place, record) {
    if (this.from !== 'file') this.from = 'network';
    this.#files.set(place.url, {place, done: record.bytes, total: record.about.size});
    await this.withRoom(place, record.about.size - record.bytes, () => this.#use(place)).catch(() => {});
    this.#progress(true);
  }

  async #use(place) {
    const {first, parts, name = shown(first)} = place;
    const names = [...new Set([this.#names.get(first) ?? name, name])];
    await use(await folderIn(this.folder, place.key), {name, names, url: first, parts});
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
    const time = performance.now(), wait = this.#told + TELL_EVERY - time;
    if (!now && wait > 0) {
      this.#later ??= setTimeout(() => this.#progress(true), wait);
      return;
    }
    clearTimeout(this.#later);
    this.#later = null;
    this.#told = time;
    let done = 0, total = 0;
    for (const file of this.#files.values()) {
      done += file.done;
      total += file.total;
      this.#channel?.postMessage({url: file.place.url, done: file.done, total: file.total});
    }
    const rate = this.#came / Math.max(1e-3, (time - this.#began) / 1000);
    this.#tell('progress', {stage: 'download', done: Math.min(done, total), total, rate: this.#began ? Math.round(rate) : 0, from: this.from});
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

  /** Does what begins a file of which so many bytes will come. For its first bytes alone browsers may want a whole MiB. */
  async withRoom(place, bytes, what) {
    const asked = this.#evicted;
    try {
      await what();
    } catch (e) {
      if (e.name !== 'QuotaExceededError' || bytes <= 0 || !await this.evict(place, bytes, asked)) throw e;
      await what();
    }
  }

  /** How many models were removed for room. */
  get evictions() { return this.#evicted; }

  /**
   * Removes another model where there was less room than the browser said; false where that would not help. Where one was removed since
   * the room was asked for, when so many had been, that may be enough.
   */
  async evict(place, bytes, asked) {
    if (asked < this.#evicted) return true;
    this.#evicting ??= dropOldest(bytes, place.key).then((done) => {
      if (done) this.#evicted++;
      return done;
    }).finally(() => { this.#evicting = null; });
    return this.#evicting;
  }
}

function gone(name) {
  throw new Fault(name, 'ErrNotFound', 'no such file is kept: choose the file again');
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
  return name === 'QuotaExceededError' ? NO_ROOM : message;
}

// size writes a number of bytes.
function size(bytes) {
  for (const [unit, of] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]]) if (bytes >= of) return `${(bytes / of).toFixed(bytes < 10 * of ? 1 : 0)} ${unit}`;
  return `${bytes} bytes`;
}
