/** Gives the SHA-256 of bytes in hex. */
export async function digest(bytes) {
  const sum = await crypto.subtle.digest('SHA-256', bytes);
  return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
