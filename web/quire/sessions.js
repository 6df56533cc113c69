// Conversations that the browser keeps, in the origin's private files: Quire.sessions.

import {folderIn, held} from '../store/folder.js';
import {badRequest, QuireError} from './error.js';
import {kind} from './options.js';

const TOP = 'quire-sessions';
const QUIET = 1000; // milliseconds after an answer until it is kept

async function top(create = false) {
  try {
    return await folderIn(await navigator.storage.getDirectory(), TOP, create);
  } catch {
    return null;
  }
}

const START = 's-'; // no file may be called .
const fileOf = (name) => START + encodeURIComponent(name);
const newOf = (name) => `n-${encodeURIComponent(name)}`; // one that is being written

export const sessions = Object.freeze({
  async list() {
    const all = await top();
    const list = [];
    if (!all) return list;
    for await (const [file, handle] of all.entries()) {
      if (!file.startsWith(START) || handle.kind !== 'file') continue;
      const {size, lastModified} = await handle.getFile();
      if (size > 0) list.push({name: decodeURIComponent(file.slice(START.length)), bytes: size, saved: new Date(lastModified)});
    }
    return list.sort((a, b) => b.saved - a.saved);
  },

  async remove(name) {
    const all = await top();
    for (const file of [fileOf(named(name)), newOf(name)]) {
      await all?.removeEntry(file).catch((e) => {
        if (e.name !== 'NotFoundError') throw e;
      });
    }
  },
});

function named(name) {
  if (typeof name !== 'string' || name === '') throw badRequest(`a session's name must be a text, not ${name === '' ? 'an empty one' : kind(name)}`);
  return name;
}

/** Gives the handle of the file of a session that is kept, or null. */
export async function keptFile(name) {
  const all = await top();
  const handle = await all?.getFileHandle(fileOf(named(name))).catch(() => null);
  const file = await handle?.getFile();
  return file?.size > 0 ? handle : null;
}

// keep has save write a file, and replaces the one that is there.
async function keep(name, save) {
  const all = await top(true);
  const beside = 'move' in (globalThis.FileSystemFileHandle?.prototype ?? {}) ? await all?.getFileHandle(newOf(name), {create: true}) : null;
  const blob = beside ? await save(beside).catch(() => save()) : await save(); // another tab may be writing it
  if (!(blob instanceof Blob)) {
    const done = await beside.move(fileOf(name)).then(() => true, () => false);
    if (done) return;
  }
  if (beside) await all.removeEntry(newOf(name)).catch(() => {});
  await write(name, blob instanceof Blob ? blob : await save());
}

// write replaces a file as a whole.
async function write(name, blob) {
  const all = await top(true);
  if (!all) throw new QuireError({name: 'ErrNoStorage', message: 'the browser keeps no files for this page'});
  try {
    const writer = await held(await all.getFileHandle(fileOf(name), {create: true}), (file) => file.createWritable());
    await writer.write(blob);
    await writer.close();
  } catch (e) {
    if (e.name !== 'QuotaExceededError') throw e;
    throw new QuireError({name: 'ErrNoRoom', message: `the conversation ${JSON.stringify(name)} cannot be kept: it has ${blob.size} bytes, and the browser has no more room`});
  }
}

/** Keeps a session: soon after each answer, and when the page is hidden or left. */
export class Keeper {
  #name;
  #save;
  #timer = null;
  #changed = false;
  #writing = Promise.resolve();
  #hidden = () => {
    if (globalThis.document?.visibilityState !== 'visible') this.now().catch(() => {});
  };

  // save writes the session's file to a handle, or gives it as a Blob.
  constructor(name, save) {
    this.#name = name;
    this.#save = save;
    globalThis.document?.addEventListener('visibilitychange', this.#hidden);
    globalThis.addEventListener?.('pagehide', this.#hidden);
  }

  changed() {
    this.#changed = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.now().catch((e) => console.warn(`quire: ${e.message}`)), QUIET);
  }

  /** Writes what has changed. */
  now() {
    clearTimeout(this.#timer);
    return this.#writing = this.#writing.catch(() => {}).then(async () => {
      if (!this.#changed) return;
      this.#changed = false;
      try {
        await keep(this.#name, this.#save);
      } catch (e) {
        this.#changed = true;
        throw e;
      }
    });
  }

  /** Writes for the last time. */
  async end() {
    globalThis.document?.removeEventListener('visibilitychange', this.#hidden);
    globalThis.removeEventListener?.('pagehide', this.#hidden);
    await this.now().catch((e) => console.warn(`quire: ${e.message}`));
  }
}
