import {badRequest, closed} from './error.js';
import {kind} from './options.js';

/** A LoRA adapter that is loaded, for requests to name. */
export class Lora {
  /** What the API's requests call it. */
  name;

  #id;
  #drop;

  /** @internal */
  constructor(id, name, drop) {
    this.name = name;
    this.#id = id;
    this.#drop = drop;
  }

  /** Takes it away from requests to come. */
  async drop() {
    if (this.#drop === null) throw closed();
    const drop = this.#drop;
    this.#drop = null;
    await drop(this.#id);
  }

  /** @internal A request of the API names it. */
  toJSON() {
    return this.name;
  }

  /** @internal What the worker is to take, of one adapter or several, each with a scale or without. */
  static named(lora) {
    if (lora === undefined || lora === null) return [];
    return (Array.isArray(lora) ? lora : [lora]).map((one) => {
      const adapter = one instanceof Lora ? one : one?.adapter;
      if (!(adapter instanceof Lora)) {
        throw badRequest(`lora must be what loadLora gave, or {adapter, scale}, or a list of these, not ${kind(one)}`);
      }
      const scale = one === adapter ? 1 : one.scale ?? 1;
      if (typeof scale !== 'number') throw badRequest(`the scale of an adapter must be a number, not ${kind(scale)}`);
      return {adapter: adapter.#id, scale};
    });
  }
}
