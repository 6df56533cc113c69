import {badRequest} from './error.js';

/** Gives a class methods that refuse by their name: now, or as a promise. The reasons say what there is in their place. */
export function lacks(type, reasons, {now = false} = {}) {
  for (const [name, reason] of Object.entries(reasons)) {
    const refuse = () => { throw badRequest(`${name} is not supported: ${reason}`); };
    Object.defineProperty(type.prototype, name, {value: now ? refuse : async () => refuse()});
  }
}
