// The SHA-256 of what comes piece by piece, which the browser's own cannot make.

const STEP = 1 << 20; // bytes between looks at what else is to be done

const FIRST = primes(64);
const K = Int32Array.from(FIRST, (p) => fraction(Math.cbrt(p)));
const H = Int32Array.from(FIRST.slice(0, 8), (p) => fraction(Math.sqrt(p)));

function primes(count) {
  const all = [];
  for (let n = 2; all.length < count; n++) if (all.every((p) => n % p !== 0)) all.push(n);
  return all;
}

function fraction(x) {
  return Math.floor((x - Math.floor(x)) * 2 ** 32) | 0;
}

export class Sum {
  #state = H.slice();
  #words = new Int32Array(64);
  #rest = new Uint8Array(64); // of a block
  #filled = 0;
  #length = 0;

  /** Adds bytes, and lets others have their turn meanwhile. */
  async add(bytes) {
    for (let at = 0; at < bytes.length; at += STEP) {
      this.#add(bytes.subarray(at, at + STEP));
      await new Promise((resolve) => { setTimeout(resolve); });
    }
  }

  #add(bytes) {
    this.#length += bytes.length;
    let at = 0;
    if (this.#filled > 0) {
      at = Math.min(64 - this.#filled, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < 64) return;
      this.#block(this.#rest, 0);
    }
    for (; at + 64 <= bytes.length; at += 64) this.#block(bytes, at);
    this.#rest.set(bytes.subarray(at));
    this.#filled = bytes.length - at;
  }

  /** Ends, and gives the sum. */
  hex() {
    const bits = this.#length * 8;
    const end = new Uint8Array((this.#filled < 56 ? 64 : 128) - this.#filled);
    end[0] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(end.length - 4, bits >>> 0);
    this.#add(end);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #block(bytes, at) {
    const w = this.#words, s = this.#state, k = K;
    for (let i = 0; i < 16; i++, at += 4) w[i] = bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      const a = (x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3;
      const b = (y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10;
      w[i] = w[i - 16] + a + w[i - 7] + b | 0;
    }
    let a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
    for (let i = 0; i < 64; i++) {
      const x = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + k[i] + w[i] | 0;
      const y = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
      h = g; g = f; f = e; e = d + x | 0;
      d = c; c = b; b = a; a = x + y | 0;
    }
    s[0] += a; s[1] += b; s[2] += c; s[3] += d; s[4] += e; s[5] += f; s[6] += g; s[7] += h;
  }
}
