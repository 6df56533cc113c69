const TIMESTAMPS = 4096; // WebGPU's limit on one query set

// Timer times passes of the last submitted tape.
export class Timer {
  #owner; // the Device
  #capacity = 0; // passes
  #passes = 0; // of the last tape
  #sets = [];
  #resolved = null;
  #back = null;
  #mapped = null;

  constructor(owner) {
    this.#owner = owner;
  }

  // prepare makes room for the passes of the next tape and forgets the last one's.
  prepare(passes) {
    this.#back?.unmap();
    this.#mapped = null;
    this.#passes = passes;
    if (passes <= this.#capacity) return;
    const {device} = this.#owner;
    this.#sets.forEach((s) => s.destroy());
    this.#resolved?.destroy();
    this.#back?.destroy();
    this.#sets = [];
    for (let left = 2 * passes; left > 0; left -= TIMESTAMPS) {
      this.#sets.push(device.createQuerySet({type: 'timestamp', count: Math.min(left, TIMESTAMPS)}));
    }
    const size = 16 * passes;
    this.#resolved = device.createBuffer({label: 'timestamps', size, usage: 0x0200 | 0x04});
    this.#back = device.createBuffer({label: 'timestamps read', size, usage: 0x01 | 0x08});
    this.#capacity = passes;
  }

  // writes are a pass's timestampWrites.
  writes(pass) {
    const at = (2 * pass) % TIMESTAMPS;
    return {querySet: this.#sets[Math.floor(2 * pass / TIMESTAMPS)], beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1};
  }

  // resolve ends the tape's commands.
  resolve(encoder) {
    for (let i = 0, left = 2 * this.#passes; left > 0; i++, left -= TIMESTAMPS) {
      encoder.resolveQuerySet(this.#sets[i], 0, Math.min(left, TIMESTAMPS), this.#resolved, 8 * TIMESTAMPS * i);
    }
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#back, 0, 16 * this.#passes);
  }

  // map follows the submission.
  map() {
    this.#mapped = this.#back.mapAsync(1, 0, 16 * this.#passes);
    this.#mapped.catch(() => {}); // read tells
  }

  // read waits and returns each pass's nanoseconds.
  async read(passes) {
    if (this.#mapped === null || passes > this.#passes) throw new Error('the last tape was not recorded with Profile set');
    await this.#owner.finished(this.#mapped);
    const stamps = new BigUint64Array(this.#back.getMappedRange(0, 16 * passes));
    const nanoseconds = new Float64Array(passes);
    for (let i = 0; i < passes; i++) {
      nanoseconds[i] = Math.max(0, Number(BigInt.asIntN(64, stamps[2 * i + 1] - stamps[2 * i])));
    }
    this.#back.unmap();
    this.#mapped = null;
    return nanoseconds;
  }
}
