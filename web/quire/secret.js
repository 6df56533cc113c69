import {digest} from '../store/digest.js';

/** Gives a name that tells nobody what it is of: all scripts of an origin may list its locks, and options may have a token. */
export async function secretly(name) {
  return `quire ${await digest(new TextEncoder().encode(name))}`;
}
