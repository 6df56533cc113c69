// Turns lets so many at once go on; the others wait in order.
export class Turns {
  #free;
  #waiting = [];

  constructor(count) {
    this.#free = count;
  }

  async take() {
    if (this.#free > 0) this.#free--;
    else await new Promise((resolve) => { this.#waiting.push(resolve); });
  }

  give() {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}
