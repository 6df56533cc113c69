import {CHAT, folderIn, remove, SESSIONS, textOf, top, writeText} from './folder.js';
import {lock, useOf} from './lock.js';
import {Record} from './record.js';

// The models that are kept, on pages and in workers.

const ABOUT = 'model.json'; // {name, names, url, parts, added, used}

async function aboutOf(folder) {
  try {
    return JSON.parse(await textOf(folder, ABOUT));
  } catch {
    return null;
  }
}

/** Notes that a model is used now, by a name. */
export async function use(folder, about) {
  const before = await aboutOf(folder);
  const now = Date.now();
  const names = [...new Set([...before?.names ?? [], ...about.names])];
  await writeText(folder, ABOUT, JSON.stringify({added: now, ...before, ...about, names, used: now}));
}

/** Lists the models that are kept, whole or in part, the last used first. */
export async function list() {
  const all = await top();
  const models = [];
  if (!all) return models;
  for await (const [key, folder] of all.entries()) {
    if (folder.kind !== 'directory') continue;
    const about = await aboutOf(folder) ?? {};
    const files = [];
    let empty = true;
    for await (const name of folder.keys()) {
      empty = false;
      const no = /^(\d+)\.list$/.exec(name)?.[1];
      if (no === undefined) continue;
      const record = await new Record(folder, no).read();
      if (record.about) files.push({no: Number(no), url: record.about.url, size: record.about.size, bytes: record.bytes, whole: record.whole, ...(record.about.sha256 && {sha256: record.about.sha256})});
    }
    if (empty) continue;
    files.sort((a, b) => a.no - b.no);
    const sum = (field) => files.reduce((n, file) => n + file[field], 0);
    const {name = files[0]?.url ?? key, names = [], parts = 1, added = 0, used = 0} = about;
    models.push({
      key, name, names, size: sum('size'), bytes: sum('bytes'), whole: files.length === parts && files.every((file) => file.whole),
      added: new Date(added), used: new Date(used), files: files.map(({no, ...file}) => file),
    });
  }
  return models.sort((a, b) => b.used - a.used);
}

/** Finds a model by what it is called. */
export async function find(name) {
  const all = await list();
  return all.find((m) => m.name === name || m.names.includes(name) || m.files.some(({url}) => url === name)) ?? null;
}

const unused = ({key}) => lock(useOf(key), {ifAvailable: true});

/** Removes a model; false where it is in use. */
export async function drop(model) {
  const release = await unused(model);
  if (release === null) return false;
  try {
    await removeAll(model);
    return true;
  } finally {
    release();
  }
}

async function removeAll({key}) {
  const all = await top();
  if (all && await folderIn(all, key)) await remove(all, key);
}

/** Says what the browser allows: {quota, usage, free}; null where it does not say. */
export async function room() {
  try {
    const {quota, usage} = await navigator.storage.estimate();
    return {quota, usage, free: Math.max(0, quota - usage)};
  } catch {
    return null;
  }
}

// read gives what the chat page has kept of conversations, the last first: without it a model reads their words again.
async function read() {
  const all = await top(false, SESSIONS), list = [];
  for await (const [name, file] of all?.entries() ?? []) {
    if (!/^[sw]-/.test(name) || !name.startsWith(encodeURIComponent(CHAT), 2)) continue;
    const {size: bytes, lastModified: used} = await file.getFile().catch(() => ({size: 0, lastModified: 0})); // it was removed meanwhile
    list.push({bytes, used, drop: () => all.removeEntry(name)});
  }
  return list.sort((a, b) => b.used - a.used);
}

/**
 * Removes what the chat page has kept, and then the models that were not used for longest, but for one, until there is so much room. Gives
 * what there is.
 */
export async function makeRoom(bytes, but) {
  let now = await room();
  while (now && now.free < bytes && await dropOldest(bytes - now.free, but)) now = await room();
  return now;
}

/** Removes the next of these; false where all that nobody uses have fewer bytes. */
export async function dropOldest(bytes, but) {
  const others = [], releases = [];
  try {
    for (const model of (await list()).filter(({key}) => key !== but)) {
      const release = await unused(model);
      if (release === null) continue;
      releases.push(release);
      others.push({bytes: model.bytes, drop: () => removeAll(model)});
    }
    others.push(...await read());
    if (others.reduce((sum, {bytes: has}) => sum + has, 0) < bytes) return false;
    for (const {drop} of others.reverse()) {
      if (await drop().then(() => true, () => false)) return true; // another tab may be at it
    }
    return false;
  } finally {
    for (const release of releases) release();
  }
}
