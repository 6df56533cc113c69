/** Gives a name that tells nobody what it is of: all scripts of an origin may list its locks, and options may have a token. */
export async function secretly(name) {
  const sum = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(name));
  return `quire ${Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
