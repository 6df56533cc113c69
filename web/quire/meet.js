// How tabs and the worker that they share find each other. One that has just ended itself is joined all the same, for a moment in
// Chromium, for longer in Firefox. So the name of an ended one is not used again: it has a number, which is in the name of a lock
// that the worker holds while it lives. Those who join and the one that ends take turns.

const turn = (name) => `quire turn ${name}`;
const life = (name) => `quire engine ${name} `;

/** Calls join with the full name of the worker that lives, or of a new one, which must listen when what join gives settles. */
export function meet(name, join) {
  return navigator.locks.request(turn(name), async () => {
    const {held} = await navigator.locks.query();
    const lock = held.find((l) => l.name.startsWith(life(name)));
    return join(`${name} ${lock ? lock.name.slice(life(name).length) : crypto.randomUUID()}`);
  });
}

/** What the worker of a full name holds while it lives. */
export class Life {
  #name;
  #over;

  constructor(full) {
    this.#name = full.slice(0, full.lastIndexOf(' '));
    const number = full.slice(this.#name.length + 1);
    /** Settles when it can be found. */
    this.begun = new Promise((begun) => {
      navigator.locks.request(life(this.#name) + number, () => {
        begun();
        return new Promise((over) => { this.#over = over; });
      });
    });
  }

  /** Ends it, unless somebody has joined meanwhile, and says whether. */
  end(empty) {
    return navigator.locks.request(turn(this.#name), () => {
      if (!empty()) return false;
      this.#over();
      return true;
    });
  }
}
