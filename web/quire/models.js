// The models that the browser keeps, which are the origin's: Quire.models.

import {FIREFOX} from '../gpu/browser.js';
import {drop, find, list, room} from '../store/models.js';
import {canonical} from '../store/name.js';
import {badRequest, QuireError} from './error.js';
import {given, modelOf} from './options.js';
import {sessions as kept} from './sessions.js';

const shownModel = ({key, ...model}) => model;

/** Gives Quire.models; fetched(model, options) is what pulls one. */
export const models = (pull) => Object.freeze({
  list: async () => (await list()).map(shownModel),

  async pull(model, options) {
    const name = await pull(model, given(options));
    return shownModel(await find(canonical(name)));
  },

  async remove(model) {
    const found = await find(nameOf(model));
    if (!found) throw new QuireError({name: 'ErrNotFound', message: `no model is kept that is called ${nameOf(model)}`});
    if (!await drop(found)) throw new QuireError({name: 'ErrInUse', message: `${found.name} is open, here or in another tab: close it first`});
    return found.bytes;
  },

  async storage() {
    const all = await list();
    const {quota = 0, usage = 0, free = 0} = await room() ?? {};
    const [models, sessions] = [all, await kept.list().catch(() => [])].map((of) => of.reduce((sum, {bytes}) => sum + bytes, 0));
    return {quota, usage, free, models, sessions, persisted: await navigator.storage?.persisted?.() ?? false};
  },

  persist: async () => await navigator.storage?.persist?.() ?? false,
});

// persistQuietly asks that what is kept may stay, where the browser decides without asking the visitor.
export function persistQuietly() {
  if (!FIREFOX) globalThis.navigator?.storage?.persist?.().catch(() => {});
}

// nameOf gives what a model is called; one that was listed may have a name that is no address.
export function nameOf(model) {
  const {url} = modelOf(model);
  if (!url) throw badRequest('models that are kept have names and addresses: give one, or what Quire.models lists');
  if (typeof model.name === 'string') return model.name;
  try {
    return canonical(url);
  } catch (e) {
    throw new QuireError({name: e.value.kind, message: `${e.value.url}: ${e.value.reason}`});
  }
}
