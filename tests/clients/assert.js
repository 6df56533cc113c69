// The few assertions that the suite needs, in browsers too.

export function ok(value, what) {
  if (!value) throw new Error(`${what} is wrong (${JSON.stringify(value)})`);
}

export function equal(got, want, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what} is ${a}, not ${b}`);
}

export function matches(got, pattern, what) {
  if (!pattern.test(String(got))) throw new Error(`${what} is ${JSON.stringify(got)}, which is not ${pattern}`);
}

/** Awaits a failure and checks some of its fields; a regular expression is matched. */
export async function fails(promise, fields) {
  const e = await Promise.resolve(promise).then((value) => {
    throw new Error(`it did not fail: ${JSON.stringify(value)}`);
  }, (e) => e);
  for (const [name, want] of Object.entries(fields)) {
    if (want instanceof RegExp) matches(e[name], want, name);
    else equal(e[name], want, `${name} (${e.name}: ${e.message})`);
  }
  return e;
}

/** Collects what a stream gives. */
export async function all(stream) {
  const list = [];
  for await (const one of await stream) list.push(one);
  return list;
}
