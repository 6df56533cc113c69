/**
 * A file that is written as by a handle, where workers have none: in those that tabs share. Each write is a stream of its own, which the
 * browser puts in place as a whole. One goes on after another.
 */
export class StreamedFile {
  #file;
  #turn = Promise.resolve();

  constructor(file) {
    if (!file.createWritable) throw new Error('this browser lets no worker that tabs share write files');
    this.#file = file;
  }

  /** Resolves to the number of bytes once they are there. */
  write(bytes, {at}) {
    return this.#put({type: 'write', position: at, data: bytes}, bytes.length);
  }

  truncate(size) {
    return this.#put({type: 'truncate', size}, size);
  }

  /** Reads what is there after all writes, and gives how many bytes there were. */
  read(into, {at}) {
    return this.#next(async () => {
      const bytes = new Uint8Array(await (await this.#file.getFile()).slice(at, at + into.length).arrayBuffer());
      into.set(bytes);
      return bytes.length;
    });
  }

  /** Resolves when all is written that could be. */
  close() {
    return this.#turn;
  }

  #put(change, result) {
    return this.#next(async () => {
      const stream = await this.#file.createWritable({keepExistingData: true});
      await stream.write(change);
      await stream.close();
      return result;
    });
  }

  #next(what) {
    const result = this.#turn.then(what);
    this.#turn = result.catch(() => {}); // whoever awaits the result hears of it
    return result;
  }
}
