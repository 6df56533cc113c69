import {LATE} from './device.js';
import {Ring} from './ring.js';

const STAGE = 1 << 20; // bytes gathered for one writeBuffer
const DIRECT = 64 << 10; // bytes that are worth one of their own
const MOST = 4 << 20; // of one writeBuffer
const LARGE = 256 << 10; // bytes that go through a ring: what is mapped is sent whole
const AHEAD = 32 << 20; // bytes written between looks at how far the GPU is; at most twice that is under way

/** Writes a file's bytes to GPU buffers. */
export class Upload {
  #stage = null;
  #ahead = 0; // bytes written since the mark
  #mark = null; // settles when the GPU has what was written before it

  // run writes size bytes, rounded up to whole words with zeros; next(n, max) gives between 1 and max of them from the n-th on.
  async run(device, buffer, target, size, next) {
    let n = 0;
    for (let ring; size - n >= LARGE && (ring = device.ring);) {
      const lent = await device.finished(ring.take());
      if (lent === null) break;
      const {bytes} = lent;
      let filled = 0;
      try {
        for (const end = Math.min(Ring.size, size - n); filled < end;) {
          const piece = await next(n + filled, end - filled);
          bytes.set(piece, filled);
          filled += piece.length;
        }
      } catch (e) {
        const gone = bytes.length === 0; // with the device; a ring that is closed takes its memory back, too
        ring.give(lent);
        if (gone) await device.lossOrMoment(LATE);
        throw e;
      }
      const whole = (filled + 3) & ~3;
      bytes.fill(0, filled, whole);
      ring.send(lent, buffer, target + n, whole);
      n += filled;
    }
    if (n < size) await this.#stream(device, buffer, target + n, size - n, (at, max) => next(n + at, max));
  }

  async #stream(device, buffer, target, size, next) {
    this.#stage ??= new Uint8Array(STAGE);
    const stage = this.#stage;
    let filled = 0;
    for (let n = 0; n < size;) {
      const piece = await next(n, Math.min(size - n, filled > 0 ? STAGE - filled : MOST));
      n += piece.length;
      if (filled === 0 && piece.length >= DIRECT && piece.length % 4 === 0) {
        target = await this.#write(device, buffer, target, piece, piece.length);
        continue;
      }
      for (let at = 0; at < piece.length;) {
        const part = piece.subarray(at, at + STAGE - filled);
        stage.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled < STAGE && (n < size || at < piece.length)) continue;
        const whole = (filled + 3) & ~3;
        stage.fill(0, filled, whole);
        target = await this.#write(device, buffer, target, stage, whole);
        filled = 0;
      }
    }
  }

  async #write(device, buffer, target, bytes, size) {
    device.queue.writeBuffer(buffer, target, bytes, 0, size);
    this.#ahead += size;
    if (this.#ahead >= AHEAD) {
      if (this.#mark !== null) await device.finished(this.#mark);
      this.#mark = device.queue.onSubmittedWorkDone();
      this.#ahead = 0;
    }
    return target + size;
  }
}
