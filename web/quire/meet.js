// How tabs and the worker that they share find each other. One that has just ended itself is joined all the same, for a moment in
// Chromium, for longer in Firefox. So the name of an ended one is not used again: it has a number, which is in the name of a lock
// that the worker holds while it lives. Those who join and the one that ends take turns.

import {secretly} from './secret.js';

const turn = (secret) => `${secret} turn`;
const life = (secret) => `${secret} engine `;

/** Calls join with the full name of the worker that lives, or of a new one, which must listen when what join gives settles. */
export async function meet(name, join) {
  const secret = await secretly(name);
  return navigator.locks.request(turn(secret), async () => {
    const {held} = await navigator.locks.query();
    const lock = held.find((l) => l.name.startsWith(life(secret)));
    return join(`${name} ${lock ? lock.name.slice(life(secret).length) : crypto.randomUUID()}`);
  });
}

/** What the worker of a full name holds while it lives. */
export class Life {
  #secret;
  #over;

  constructor(full) {
    const at = full.lastIndexOf(' '), number = full.slice(at + 1);
    /** Settles when it can be found. */
    this.begun = secretly(full.slice(0, at)).then((secret) => new Promise((begun) => {
      this.#secret = secret;
      navigator.locks.request(life(secret) + number, () => {
        begun();
        return new Promise((over) => { this.#over = over; });
      });
    }));
  }

  /** Ends it, unless somebody has joined meanwhile, and says whether. */
  end(empty) {
    return navigator.locks.request(turn(this.#secret), () => {
      if (!empty()) return false;
      this.#over();
      return true;
    });
  }
}
