// A Ring is memory that lies mapped and that the GPU copies from. A browser copies twice less often than for writeBuffer, and its GPU process,
// which parses the kernels meanwhile, takes a fifth of the time. More memory than processors have at hand is slower.

const COUNT = 4; // buffers
const USAGE = 0x2 | 0x4; // for writing, and to copy from

export class Ring {
  static size = 4 << 20; // bytes of a buffer
  #device; // a GPUDevice
  #lent = null; // promises of {buffer, bytes}, the next first; null among them: there is no room for more
  #closed = false;

  constructor(device) {
    this.#device = device;
  }

  /** Gives memory once there is some, as {buffer, bytes}, or null where the GPU has no room for any. */
  async take() {
    this.#lent ??= Array.from({length: COUNT}, () => handled(this.#make()));
    while (!this.#closed && this.#lent.length > 0) {
      const next = await this.#lent.shift();
      if (next && !this.#closed) return next;
      next?.buffer.destroy();
    }
    return null;
  }

  async #make() {
    const device = this.#device;
    device.pushErrorScope('out-of-memory');
    let buffer = null;
    try {
      buffer = device.createBuffer({label: 'upload', size: Ring.size, usage: USAGE, mappedAtCreation: true});
    } catch { // no memory of the page's own
    }
    if (await device.popErrorScope() === null && buffer) return {buffer, bytes: new Uint8Array(buffer.getMappedRange())};
    buffer?.destroy();
    return null;
  }

  /** Has the GPU copy what is in the memory's beginning, which comes back when that is done. */
  send({buffer}, target, offset, size) {
    const {queue} = this.#device;
    buffer.unmap();
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, target, offset, size);
    queue.submit([encoder.finish()]);
    if (this.#closed) return buffer.destroy();
    this.#lent.push(handled(buffer.mapAsync(0x2).then(() => ({buffer, bytes: new Uint8Array(buffer.getMappedRange())}))));
  }

  /** Takes back what was not sent. */
  give(lent) {
    if (this.#closed) lent.buffer.destroy();
    else this.#lent.unshift(Promise.resolve(lent));
  }

  /** Gives all memory back. */
  async close() {
    this.#closed = true;
    await Promise.all((this.#lent ?? []).splice(0).map((next) => next.then((lent) => lent?.buffer.destroy(), () => {})));
  }
}

// handled has whoever takes a promise hear of its failure, and nobody else.
function handled(promise) {
  promise.catch(() => {});
  return promise;
}
