// Conversations that the browser keeps, in the origin's private files: Quire.sessions.

import {held, NO_ROOM, SESSIONS, top as folder} from '../store/folder.js';
import {lock, saveOf} from '../store/lock.js';
import {badRequest, QuireError} from './error.js';
import {kind} from './options.js';

const QUIET = 1000; // milliseconds after an answer until it is kept

const top = (create) => folder(create, SESSIONS);

const START = 's-'; // no file may be called .
const WHOLE = 'w-'; // of a file that is written, while another tab reads the one that it is to replace
const fileOf = (name) => START + encodeURIComponent(name);
const NEW = 'n-'; // of one that is being written
const newOf = (name) => NEW + encodeURIComponent(name);
const wholeOf = (name) => WHOLE + encodeURIComponent(name);
const TRIES = 4; // to replace it
const AGAIN = 250; // milliseconds until the next
const STALE = 3_600_000; // milliseconds after which nobody is writing a file any more

export const sessions = Object.freeze({
  async list() {
    const all = await top();
    const list = new Map(), left = [];
    if (!all) return [];
    for await (const [file, handle] of all.entries()) {
      if (file.startsWith(NEW)) left.push(handle);
      if (!file.startsWith(START) && !file.startsWith(WHOLE) || handle.kind !== 'file') continue;
      const {size, lastModified} = await handle.getFile().catch(() => ({size: 0})); // it was removed meanwhile
      const name = decodeURIComponent(file.slice(START.length));
      if (size > 0 && !(list.get(name)?.saved > lastModified)) list.set(name, {name, bytes: size, saved: new Date(lastModified)});
    }
    await Promise.all(left.map((handle) => sweep(all, handle).catch(() => {}))); // or the next time
    return [...list.values()].sort((a, b) => b.saved - a.saved);
  },

  async remove(name) {
    const release = await hold(named(name), 'exclusive'); // what is being saved goes, too
    try {
      const all = await top();
      for (const file of [fileOf(name), wholeOf(name), newOf(name)]) {
        await all?.removeEntry(file).catch((e) => {
          if (e.name !== 'NotFoundError') throw e;
        });
      }
    } finally {
      release();
    }
  },
});

/** For how many milliseconds a save waits for one that removes, and that for saves, which may hang. */
export const patience = {shared: 3e3, exclusive: 30e3};

// hold has a session not be removed while it is saved. A page that is being left may get no lock.
const hold = (name, mode) => lock(saveOf(name), {mode, signal: AbortSignal.timeout(patience[mode])}).catch(() => () => {});

// sweep removes what is left of a save that a reload has broken.
async function sweep(all, handle) {
  const {lastModified} = await handle.getFile();
  if (Date.now() - lastModified > STALE) await all.removeEntry(handle.name);
}

function named(name) {
  if (typeof name !== 'string' || name === '') throw badRequest(`a session's name must be a text, not ${name === '' ? 'an empty one' : kind(name)}`);
  if (/\p{Surrogate}/u.test(name)) throw badRequest('a session\'s name must be a text: this one has half a character');
  return name;
}

/** Gives the handle of the file of a session that is kept, or null. */
export async function keptFile(name) {
  named(name);
  const all = await top();
  const [kept, whole] = await Promise.all([fileOf(name), wholeOf(name)].map((file) => filled(all, file)));
  if (!(whole?.saved > kept?.saved) && kept) return kept.handle;
  if (whole) await moved(whole.handle, fileOf(name)); // or it is read where it is
  return whole?.handle ?? null;
}

// filled finds a file that is not empty, or gives null.
async function filled(all, file) {
  const handle = await all?.getFileHandle(file).catch(() => null);
  const got = await handle?.getFile().catch(() => null); // another tab moved it
  return got?.size > 0 ? {handle, saved: got.lastModified} : null;
}

const moved = (handle, file) => handle.move(file).then(() => true, () => false);

/** Has save write a session's file, or give it as a Blob, and replaces the one that is there. */
export async function keepUnder(name, save) {
  named(name);
  const [release, all] = await Promise.all([hold(name, 'shared'), top(true)]);
  let beside = null;
  try {
    if ('move' in (globalThis.FileSystemFileHandle?.prototype ?? {})) beside = await all?.getFileHandle(newOf(name), {create: true});
    const blob = beside ? await save(beside).catch((e) => again(e, save)) : await save();
    if (blob instanceof Blob) await write(name, blob);
    else if (!await replaced(name, beside)) return;
    await all.removeEntry(wholeOf(name)).catch(() => {}); // one of before
  } catch (e) {
    if (!full(e)) throw e;
    throw new QuireError({name: 'ErrNoRoom', message: `the conversation ${JSON.stringify(name)} cannot be kept: ${NO_ROOM}`});
  } finally {
    if (beside) await all.removeEntry(newOf(name)).catch(() => {});
    release();
  }
}

// again saves what could not be written to a file, as another tab may be writing it, unless there is no room.
function again(e, save) {
  if (full(e)) throw e;
  return save();
}

const full = ({name, message}) => name === 'QuotaExceededError' || message?.includes(NO_ROOM);

// replaced puts a file that is written in the place of the one that is there, or, while another tab reads that, beside it.
async function replaced(name, beside) {
  if (await moved(beside, fileOf(name))) return true;
  if (!await moved(beside, wholeOf(name))) {
    await write(name, await beside.getFile());
    return true;
  }
  for (let tries = 1; tries < TRIES; tries++) {
    await new Promise((resolve) => { setTimeout(resolve, AGAIN); });
    if (await moved(beside, fileOf(name))) return true;
  }
  return false;
}

// write replaces a file as a whole.
async function write(name, blob) {
  const all = await top(true);
  if (!all) throw new QuireError({name: 'ErrNoStorage', message: 'the browser keeps no files for this page'});
  const writer = await held(await all.getFileHandle(fileOf(name), {create: true}), (file) => file.createWritable());
  await writer.write(blob);
  await writer.close();
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
        await keepUnder(this.#name, this.#save);
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
