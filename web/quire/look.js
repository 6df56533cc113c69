// seen gives a look with its matrices, which lie in the floats one after another, as cmd/wasm's look.go writes them.
export function seen(head, floats) {
  const {heads, kvHeads, headDim, position} = head;
  const row = heads * headDim, tokens = (position + 1) * kvHeads * headDim;
  let at = 0;
  const next = (length) => floats.subarray(at, at += length);
  return {...head, query: next(row), out: next(row), keys: next(tokens), values: next(tokens), sinks: next(floats.length)};
}
