// Locks that all tabs of an origin share. They go when the tab does.

// AGAIN is after how many milliseconds a request is made again. A page in the back-forward cache stands still with its locks, and
// browsers drop it for who asks for one of them, but not for who had asked before.
const AGAIN = 3e3;

/** Gives what lets a lock go; null where it is taken and the options say not to wait. */
export async function lock(name, options) {
  const locks = globalThis.navigator?.locks;
  if (!locks) return () => {};
  if (options.ifAvailable) return request(locks, name, options);
  const {signal, ...more} = options;
  for (;;) {
    const turn = new AbortController();
    const abort = () => turn.abort(signal.reason);
    const timer = setTimeout(() => turn.abort(null), AGAIN);
    signal?.addEventListener('abort', abort, {once: true});
    try {
      signal?.throwIfAborted();
      return await request(locks, name, {...more, signal: turn.signal});
    } catch (e) {
      if (e !== null) throw e;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }
}

function request(locks, name, options) {
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

/** What those hold that save a conversation, which is not removed meanwhile. */
export const saveOf = (name) => `quire-sessions/${name}`;

/** Where those that fetch tell the others how far they are. */
export const CHANNEL = 'quire-models';
