// A Ring is buffers that lie mapped in memory and that the GPU copies from: a browser takes a third of the time for that which it takes for
// writeBuffer.

const COUNT = 12; // buffers
const USAGE = 0x2 | 0x4; // for writing, and to copy from

export class Ring {
  static size = 4 << 20; // bytes of a buffer
  #device; // a GPUDevice
  #buffers = []; // promises of mapped ones, the next first; null among them: there is no room for more
  #closed = false;

  constructor(device) {
    this.#device = device;
  }

  // take gives a mapped buffer once there is one, or null where the GPU has no room for any.
  async take() {
    if (this.#closed) return null;
    if (this.#buffers.length === 0) {
      for (let i = 0; i < COUNT; i++) this.#buffers.push(this.#make());
      for (const made of this.#buffers) made.catch(() => {});
    }
    while (!this.#closed) {
      const buffer = await this.#buffers[0];
      if (this.#closed || buffer === null && this.#buffers.length === 1) break;
      this.#buffers.shift();
      if (buffer !== null) return buffer;
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
    if (await device.popErrorScope() === null) return buffer;
    buffer?.destroy();
    return null;
  }

  // send has the GPU copy what is in a buffer, which comes back when that is done.
  send(buffer, target, offset, size) {
    const {queue} = this.#device;
    buffer.unmap();
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, target, offset, size);
    queue.submit([encoder.finish()]);
    if (this.#closed) return buffer.destroy();
    const back = buffer.mapAsync(0x2).then(() => buffer);
    back.catch(() => {}); // whoever takes it hears of it
    this.#buffers.push(back);
  }

  // give takes back what was not sent.
  give(buffer) {
    this.#buffers.unshift(Promise.resolve(buffer));
  }

  /** Gives its memory back. */
  async close() {
    this.#closed = true;
    await Promise.all(this.#buffers.splice(0).map((made) => made.then((buffer) => buffer?.destroy(), () => {})));
  }
}
