import {StreamedFile} from './streamed.js';

// The browser's private files (OPFS): one folder for models, and in it one for each, and one for conversations.

const TOP = 'quire-models';
export const SESSIONS = 'quire-sessions';

/** How the names of what the chat page keeps of conversations begin: other pages of the origin keep theirs in the same folder. */
export const CHAT = 'quire.chat/';

/** The message of what has failed for want of room, which is all that comes through the engine. */
export const NO_ROOM = 'the browser has no more room';

const asked = new Set();

/** Asks an object and holds it meanwhile: Chromium may never answer for one that is collected before. */
export async function held(object, ask) {
  asked.add(object);
  try {
    return await ask(object);
  } finally {
    asked.delete(object);
  }
}

/** Gives the folder of all models, or another, or null where the browser keeps nothing. */
export async function top(create = false, name = TOP) {
  try {
    const root = await globalThis.navigator.storage.getDirectory();
    return await held(root, () => root.getDirectoryHandle(name, {create}));
  } catch {
    return null;
  }
}

/** Gives a folder in a folder, or null. */
export const folderIn = (folder, name, create = false) => folder.getDirectoryHandle(name, {create}).catch(() => null);

/** Reads a text; what is not there is empty. */
export async function textOf(folder, name) {
  try {
    const file = await held(await folder.getFileHandle(name), (handle) => handle.getFile());
    return await held(file, () => file.text());
  } catch {
    return '';
  }
}

/** Removes a file or a folder, which need not be there. */
export const remove = (folder, name) => folder.removeEntry(name, {recursive: true}).catch((e) => {
  if (e.name !== 'NotFoundError') throw e;
});

/** Opens a file to write to; workers only. In one that tabs share all it does must be awaited. */
export async function openFile(folder, name) {
  const file = await folder.getFileHandle(name, {create: true});
  return file.createSyncAccessHandle ? held(file, () => file.createSyncAccessHandle()) : new StreamedFile(file);
}

/** Reads a file's first bytes, and gives how many there were. */
export async function bytesInto(folder, name, into) {
  const file = await folder.getFileHandle(name);
  let handle = null;
  try {
    handle = await held(file, () => file.createSyncAccessHandle({mode: 'read-only'}));
  } catch (e) {
    if (e.name !== 'NoModificationAllowedError' && file.createSyncAccessHandle) throw e;
    // Another tab reads it, where browsers know no reading alone, or this worker is one that tabs share.
    const blob = (await held(file, () => file.getFile())).slice(0, into.length);
    const bytes = new Uint8Array(await held(blob, () => blob.arrayBuffer()));
    into.set(bytes);
    return bytes.length;
  }
  try {
    return handle.read(into, {at: 0});
  } finally {
    handle.close();
  }
}

/** Writes a small file anew. */
export async function writeText(folder, name, text) {
  const file = await folder.getFileHandle(name, {create: true});
  const bytes = new TextEncoder().encode(text);
  if (!file.createSyncAccessHandle) { // on pages
    const writer = await held(file, () => file.createWritable());
    await writer.write(bytes);
    await writer.close();
    return;
  }
  const handle = await held(file, () => file.createSyncAccessHandle());
  try {
    handle.truncate(0);
    handle.write(bytes, {at: 0});
  } finally {
    handle.close();
  }
}
