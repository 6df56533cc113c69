// What is done with the bytes of files beside the engine: fetching them, and of those that are kept reading, writing and adding up. All of
// it keeps a thread busy, SHA-256 above all, which browsers make at once though they give a promise.

import {readerOf} from '../gpu/source.js';
import {digest} from './digest.js';
import {bytesInto, folderIn, held, NO_ROOM, openFile, top} from './folder.js';
import {READ} from './remote.js';
import {Sum} from './sum.js';

const SUM = 32; // bytes of a SHA-256

// sumsOf gives the SHA-256 of each part of what is in a buffer.
async function sumsOf(buffer, bytes, part) {
  const sums = new Uint8Array(Math.ceil(bytes / part) * SUM);
  for (let at = 0; at < bytes; at += part) {
    const sum = await crypto.subtle.digest('SHA-256', new Uint8Array(buffer, at, Math.min(part, bytes - at)));
    sums.set(new Uint8Array(sum), at / part * SUM);
  }
  return sums;
}

// writtenTo writes to an open file and gives how many bytes there was room for.
function writtenTo(handle, data, at) {
  try {
    return handle.write(data, {at});
  } catch (e) {
    if (e.name !== 'QuotaExceededError') throw e;
    return 0;
  }
}

/** Does what it is asked to; answers have {buffer}, which may be used again. */
export class Files {
  #top = null; // a promise of the folder of all models, where it was asked for ahead
  #folders = new Map(); // by key
  #handles = new Map(); // of files that are being written, by folder and name
  #parts = new Map(); // handles of files that are read or written by parts, or promises of them, by key
  #sums = new Map(); // by number
  #scratch = null;
  #streams = new Map(); // what is fetched, by number: {abort, reader}
  #lines = new Map(); // of pieces that are fetched one after another, by number: {abort, turn, read}

  /** Asks for what the first read would wait for. */
  prepare() {
    this.#top = top();
  }

  async #folder(key) {
    if (!this.#folders.has(key)) this.#folders.set(key, await folderIn(await this.#top ?? await top(), key));
    return this.#folders.get(key);
  }

  /** Begins to fetch a URL. */
  async fetch({stream, url, headers, cache}) {
    const abort = new AbortController();
    const answer = fetch(url, {headers, cache, signal: abort.signal});
    const reader = answer.then(({body}) => readerOf(body));
    reader.catch(() => {}); // whoever pulls hears of it
    this.#streams.set(stream, {abort, reader});
    const {status, statusText, headers: list} = await answer;
    return {status, statusText, list: [...list]};
  }

  /** Gives the next bytes of what is fetched, in the buffer unless the browser has one of its own. */
  async pull({stream, buffer}) {
    const room = buffer.byteLength; // of what reading takes away
    const reader = await this.#streams.get(stream).reader;
    const {done, value} = await reader.read(new Uint8Array(buffer));
    if (done) return {done};
    const whole = value.byteOffset === 0 && (value.buffer.byteLength === room || value.length === value.buffer.byteLength) ? value : value.slice();
    return {done, buffer: whole.buffer, bytes: whole.length};
  }

  /** Ends fetching. */
  async drop({stream}) {
    this.#streams.get(stream)?.abort.abort();
    this.#streams.delete(stream);
    return {};
  }

  /** Fetches part of a file into the buffer, once the line is done with what came before, and gives how much of it came. */
  piece({line: number, ...part}) {
    const line = this.#lines.get(number) ?? {abort: new AbortController(), turn: null, read: new ArrayBuffer(READ)};
    this.#lines.set(number, line);
    return line.turn = this.#piece(line, line.turn, part);
  }

  async #piece(line, before, {url, headers, cache, bytes, buffer}) {
    await before;
    const {signal} = line.abort, came = {status: 0, list: [], buffer, bytes: 0};
    if (signal.aborted) return came;
    try {
      const {status, headers: list, body} = await fetch(url, {headers, cache, signal});
      Object.assign(came, {status, list: [...list]});
      const reader = readerOf(body);
      while (status === 206) {
        const {done, value} = await reader.read(new Uint8Array(line.read));
        if (value) line.read = value.buffer; // at the end, too, for the next part
        if (done) break;
        if (came.bytes + value.length > bytes) {
          reader.cancel().catch(() => {});
          break;
        }
        new Uint8Array(buffer).set(value, came.bytes);
        came.bytes += value.length;
      }
    } catch { // who asks for the rest hears why
    }
    if (came.bytes < bytes) line.abort.abort(); // and nothing more is asked of a server that may be busy
    return came;
  }

  /** Ends a line: what it was asked for is given as far as it has come. */
  async stop({line}) {
    this.#lines.get(line)?.abort.abort();
    this.#lines.delete(line);
    return {};
  }

  /** Reads a file, if it is what it is to be. */
  async read({folder, name, bytes, sha256: wanted, buffer}) {
    const into = new Uint8Array(buffer, 0, bytes);
    const read = await bytesInto(await this.#folder(folder), name, into).catch(() => 0);
    return {buffer, good: read === bytes && await digest(into) === wanted};
  }

  /** Makes ready for parts of a file. */
  async opens({key, from}) {
    if (!(from instanceof Blob)) await this.#opened(key, from);
    return {};
  }

  /** Reads some of a Blob, or of a file by its handle, and gives the SHA-256 of each part of them. */
  async part({key, from, at, bytes, part, buffer}) {
    const handle = from instanceof Blob ? null : await this.#opened(key, from);
    if (handle) {
      const read = handle.read(new Uint8Array(buffer, 0, bytes), {at});
      if (read < bytes) throw new Error(`the file ends after ${at + read} bytes`);
    } else {
      const blob = (from instanceof Blob ? from : await held(from, () => from.getFile())).slice(at, at + bytes);
      buffer = await held(blob, () => blob.arrayBuffer());
      if (buffer.byteLength < bytes) throw new Error(`the file ends after ${at + buffer.byteLength} bytes`);
    }
    return {buffer, sums: await sumsOf(buffer, bytes, part)};
  }

  /** Writes bytes to a file by its handle, anew from its beginning on, or makes a Blob of them, and gives the SHA-256 of each part. */
  async put({key, to, at, bytes, part, buffer}) {
    const data = new Uint8Array(buffer, 0, bytes);
    if (to && at === 0) {
      const opened = held(to, () => to.createSyncAccessHandle()).then((handle) => {
        handle.truncate(0);
        return handle;
      });
      opened.catch(() => {}); // whoever writes hears of it
      this.#parts.set(key, opened);
    }
    const sums = await sumsOf(buffer, bytes, part);
    if (!to) return {buffer, sums, blob: new Blob([data])};
    const handle = await this.#parts.get(key);
    if (writtenTo(handle, data, at) < bytes) throw new DOMException(NO_ROOM, 'QuotaExceededError');
    return {buffer, sums};
  }

  // opened gives a handle, or null where there can be none: where another has one, and the browser knows none for reading alone.
  #opened(key, from) {
    if (this.#parts.has(key)) return this.#parts.get(key);
    const handle = held(from, () => from.createSyncAccessHandle({mode: 'read-only'})).catch(() => null);
    this.#parts.set(key, handle);
    return handle;
  }

  /** Lets go of what parts were read or written of; flush has the disk have it before. */
  async shut({key, flush = false}) {
    const opened = this.#parts.get(key);
    this.#parts.delete(key);
    const handle = await opened?.catch(() => null);
    try {
      if (flush) handle?.flush();
    } finally {
      handle?.close();
    }
    return {};
  }

  /** Writes bytes at a place, the end of what is there so far, and gives the sum of all up to their end. */
  async write({folder, name, at, bytes, last, buffer}) {
    const key = `${folder}/${name}`, part = new Uint8Array(buffer, 0, bytes);
    if (!this.#handles.has(key)) this.#handles.set(key, await openFile(await this.#folder(folder), name));
    const handle = this.#handles.get(key);
    if (await handle.write(part, {at}) < bytes) throw new DOMException('no room', 'QuotaExceededError');
    let whole = part;
    if (at > 0) {
      whole = new Uint8Array(at + bytes);
      await handle.read(whole, {at: 0});
    }
    const sum = await digest(whole);
    if (last) await this.end({folder, name});
    return {buffer, sha256: sum};
  }

  /** Lets a file go that was being written. */
  async end({folder, name}) {
    const key = `${folder}/${name}`, handle = this.#handles.get(key);
    this.#handles.delete(key);
    await handle?.close();
  }

  /** Adds a file to a sum; begin makes the sum anew. False where there are not so many bytes. */
  async add({sum, begin, folder, name, bytes}) {
    if (begin) this.#sums.set(sum, new Sum());
    if (!(this.#scratch?.length >= bytes)) this.#scratch = new Uint8Array(bytes);
    const part = this.#scratch.subarray(0, bytes);
    if (await bytesInto(await this.#folder(folder), name, part).catch(() => 0) < bytes) return {good: false};
    await this.#sums.get(sum).add(part);
    return {good: true};
  }

  /** Gives a sum, and forgets it. */
  async total({sum}) {
    const total = this.#sums.get(sum).hex();
    this.#sums.delete(sum);
    return {sha256: total};
  }
}
