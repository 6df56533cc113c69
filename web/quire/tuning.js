// What Quire.tune found, in localStorage. A page may be without storage, or not allowed to use it.

const KEY = 'quire.tuning';

// remembered gives what keep has kept.
export function remembered() {
  try {
    return globalThis.localStorage?.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

// keep keeps a text; null forgets it.
export function keep(text) {
  try {
    if (text === null) globalThis.localStorage?.removeItem(KEY);
    else globalThis.localStorage?.setItem(KEY, text);
  } catch (e) {
    console.warn(`quire: tiles cannot be remembered: ${e.message}`);
  }
}
