// Table hands out handles: an index, and above it a generation, so that a released handle is never taken for another.
const INDEX_BITS = 20, INDEX = (1 << INDEX_BITS) - 1, GENERATIONS = 0x7ff;

export class Table {
  #slots = [null];
  #handles = [0];
  #free = [];

  add(object) {
    const index = this.#free.length > 0 ? this.#free.pop() : this.#slots.length;
    if (index > INDEX) throw new Error('too many live GPU objects');
    const generation = ((this.#handles[index] ?? 0) >>> INDEX_BITS) + 1;
    const handle = ((generation & GENERATIONS) << INDEX_BITS) | index;
    this.#slots[index] = object;
    this.#handles[index] = handle;
    return handle;
  }

  // find returns what the handle names, or undefined.
  find(handle) {
    const index = handle & INDEX;
    if (handle <= 0 || this.#handles[index] !== handle) return undefined;
    return this.#slots[index] ?? undefined;
  }

  get(handle) {
    const object = this.find(handle);
    if (object === undefined) throw new Error(`handle ${handle} names nothing: used after release`);
    return object;
  }

  // remove returns what the handle named, or undefined.
  remove(handle) {
    const object = this.find(handle);
    if (object === undefined) return undefined;
    const index = handle & INDEX;
    this.#slots[index] = null;
    this.#free.push(index);
    return object;
  }
}
