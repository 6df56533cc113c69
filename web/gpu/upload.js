import {Ring} from './ring.js';

const AHEAD = 32 << 20; // bytes written between looks at how far the GPU is; at most twice that is under way
const STAGE = 1 << 20; // bytes of one write where there is no ring

/** Writes a file's bytes to GPU buffers. */
export class Upload {
  #stage = null;
  #ahead = 0; // bytes written since the mark
  #mark = null; // settles when the GPU has what was written before it

  // run writes size bytes, rounded up to whole words with zeros; next(n, max) gives between 1 and max of them from the n-th on.
  async run(device, buffer, target, size, next) {
    for (let n = 0; n < size;) {
      const ring = device.ring ?? null;
      const lent = ring && await device.finished(ring.take());
      const room = lent ? Ring.size : STAGE;
      const bytes = lent ? new Uint8Array(lent.getMappedRange()) : this.#stage ??= new Uint8Array(STAGE);
      let filled = 0;
      try {
        for (const end = Math.min(room, size - n); filled < end;) {
          const piece = await next(n + filled, end - filled);
          bytes.set(piece, filled);
          filled += piece.length;
        }
      } catch (e) {
        if (lent) ring.give(lent);
        throw e;
      }
      const whole = (filled + 3) & ~3;
      bytes.fill(0, filled, whole);
      if (lent) ring.send(lent, buffer, target, whole);
      else await this.#write(device, buffer, target, bytes, whole);
      n += filled;
      target += whole;
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
  }
}
