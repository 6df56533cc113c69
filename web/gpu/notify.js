// What notify(target, kind, value) says: the kinds for a call's token and those for a device.
export const DONE = 0, FAILED = 1, OUT_OF_MEMORY = 2, SHADER = 3, SOURCE = 4;
export const LOST = 0, UNCAPTURED = 1, MAPPED = 2, BROKEN = 3;

// text gives an error's message.
export const text = (e) => e?.message || String(e);

// Failure is an answer of a kind other than FAILED.
export class Failure extends Error {
  constructor(kind, value) {
    super(text(value));
    this.kind = kind;
    this.value = value;
  }
}
