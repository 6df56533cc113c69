// Locks that all tabs of an origin share. They go when the tab does.

/** Gives what lets a lock go; null where it is taken and the options say not to wait. */
export function lock(name, options) {
  const locks = globalThis.navigator?.locks;
  if (!locks) return Promise.resolve(() => {});
  return new Promise((resolve, reject) => {
    locks.request(name, options, (taken) => {
      if (taken === null) return resolve(null);
      return new Promise((release) => { resolve(release); });
    }).catch(reject);
  });
}

/** What a model's users hold, which keeps it from being removed. */
export const useOf = (key) => `quire-models/${key}`;

/** What the one holds that fetches a file of a model. */
export const fetchOf = (key, no) => `quire-models/${key}/${no}`;

/** Where those that fetch tell the others how far they are. */
export const CHANNEL = 'quire-models';
