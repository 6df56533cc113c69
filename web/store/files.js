// What is done with the bytes of files that are kept: reading, writing and adding up. All of it keeps a thread busy, SHA-256 above all,
// which browsers make at once though they give a promise.

import {digest} from './digest.js';
import {bytesInto, folderIn, openFile, top} from './folder.js';
import {Sum} from './sum.js';

/** Does what it is asked to; answers have {buffer}, which may be used again. */
export class Files {
  #folders = new Map(); // by key
  #handles = new Map(); // of files that are being written, by folder and name
  #sums = new Map(); // by number
  #scratch = null;

  async #folder(key) {
    if (!this.#folders.has(key)) this.#folders.set(key, await folderIn(await top(), key));
    return this.#folders.get(key);
  }

  /** Reads a file, if it is what it is to be. */
  async read({folder, name, bytes, sha256: wanted, buffer}) {
    const into = new Uint8Array(buffer, 0, bytes);
    const read = await bytesInto(await this.#folder(folder), name, into).catch(() => 0);
    return {buffer, good: read === bytes && await digest(into) === wanted};
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
