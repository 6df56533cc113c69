// unpack gives what watchers see: for each block two 16-bit numbers, of cmd/wasm's watch.go.
export function unpack({sequences, events, ...rest}, pairs, generation) {
  const count = pairs.length / 2;
  const owners = new Int32Array(count), references = new Uint16Array(count), cached = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    owners[i] = pairs[2 * i] - 1;
    references[i] = pairs[2 * i + 1] & 0x7fff;
    cached[i] = pairs[2 * i + 1] >> 15;
  }
  const named = ({stream, ...more}) => ({...more, generation: generation(stream)});
  return {...rest, owners, references, cached, sequences: sequences.map(named), events: events.map(named)};
}
