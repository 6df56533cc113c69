// What models took on the GPU when they were last loaded, as the engine said: the library tells it before they are loaded again.

const KEY = 'quire.memory', MOST = 32;

// known gives {weights, cache} in bytes, of a model by one of its names; null: it was not loaded yet.
export function known(names) {
  const all = recall();
  return names.map((name) => all[name]).find(Boolean) ?? null;
}

// learn takes what a model takes, where the KV cache's size was left to the engine.
export function learn(name, {weightBytes, kvBytes, stateBytes}) {
  const {[name]: _, ...rest} = recall();
  const all = [[name, {weights: weightBytes, cache: kvBytes + stateBytes}], ...Object.entries(rest)].slice(0, MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(all)));
  } catch {
    // the library says how much it is at most
  }
}

// A page may be without storage, or not allowed to use it.
function recall() {
  try {
    const all = JSON.parse(localStorage.getItem(KEY));
    return typeof all === 'object' && all !== null ? all : {};
  } catch {
    return {};
  }
}
