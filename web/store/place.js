import {digest} from './digest.js';
import {isFile} from './name.js';

// Where a file of a model is kept. All files of a split model (…-00002-of-00003.gguf) lie in one folder.

const PART = /-(\d{5})-of-(\d{5})(?=\.gguf(?!.*-\d{5}-of-\d{5}\.gguf))/i;

/** Gives {key, no, parts, url, first} of an address: its folder, its number of so many, and the address of the first. */
export async function placeOf(url) {
  const [address] = url.split('#');
  const [, no = 1, parts = 1] = (PART.exec(address) ?? []).map(Number);
  const split = no >= 1 && no <= parts && parts > 1;
  const first = split ? partOf(address, 0) : address;
  const sum = await digest(new TextEncoder().encode(first));
  return {key: sum.slice(0, 32), no: split ? no - 1 : 0, parts: split ? parts : 1, url: address, first};
}

/** Gives the address of another file of a split model. */
export const partOf = (url, no) => url.replace(PART, (_, mine, parts) => `-${String(no + 1).padStart(5, '0')}-of-${parts}`);

/** Whether an address is one whose files can be kept. */
export const isKeepable = (url) => /^https?:/i.test(url) || isFile(url);

/** Gives an address without a password. */
export const shown = (url) => url.replace(/^(\w+:\/\/[^/@:]*):[^/@]*@/, '$1:xxxxx@');
