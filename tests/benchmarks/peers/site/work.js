// What every page measures. ask(prompt, answer, lanes) runs so many requests at once, of so many tokens each, and gives {first, took,
// tokens}: milliseconds to the first token and in all, and the tokens that came.

export const parameters = new URLSearchParams(location.search);
const list = (name) => parameters.get(name).split(',').map(Number);
export const [prompts, lanes] = [list('prompts'), list('lanes')];
export const gen = +parameters.get('gen');
const repeat = +parameters.get('repeat');
export const context = Math.max(...prompts, 16) + gen + 64;
export const say = (text) => fetch('/log', {method: 'POST', body: String(text)});
export const randomIds = (count, vocabulary) => Array.from({length: count}, () => 3 + Math.floor(Math.random() * (Math.min(vocabulary, 100_000) - 8)));

const WARM = 2000; // milliseconds: some kernels are compiled while others do their work
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function measure(out, ask) {
  const {first} = await ask(16, 2, 1);
  out.first_ms = first;
  const part = async (name, once) => {
    try {
      for (const begin = performance.now(); performance.now() - begin < WARM;) await once(); // compiles what only this needs
      const rates = [];
      for (let i = 0; i < repeat; i++) rates.push(await once());
      out.rates[name] = median(rates);
      out.samples[name] = rates;
      say(`${name}: ${out.rates[name].toFixed(1)}`);
    } catch (e) {
      out.errors[name] = String(e);
      say(`${name}: ${e}`);
    }
  };
  for (const n of prompts) await part(`pp${n}`, async () => 1000 * n / (await ask(n, 2, 1)).first);
  for (const n of lanes) {
    await part(`tg${gen} x ${n}`, async () => {
      const {tokens, took} = await ask(16, gen, n);
      if (tokens < n * gen) throw Error(`${tokens} tokens of ${n * gen}`);
      return 1000 * tokens / took;
    });
  }
}

// run opens a peer, measures it and reports. open(out) gives ask, and what says after some work why the peer is none on the GPU.
export async function run(peer, open) {
  const out = {peer, rates: {}, samples: {}, errors: {}};
  try {
    const adapter = await navigator.gpu?.requestAdapter({powerPreference: 'high-performance'});
    if (!adapter) throw Error('there is no WebGPU adapter');
    const {vendor, architecture, description} = adapter.info;
    Object.assign(out, {adapter: description || `${vendor} ${architecture}`, features: [...adapter.features].filter((f) => /f16|subgroup/.test(f))});
    if (adapter.info.isFallbackAdapter && !parameters.has('software')) throw Error(`${out.adapter} is a software adapter`);
    const begin = performance.now();
    const {ask, refusal} = await open(out);
    out.open_ms = performance.now() - begin;
    await ask(16, 2, 1);
    out.refused = refusal?.() || undefined;
    if (!out.refused) await measure(out, ask);
  } catch (e) {
    out.refused = String(e?.message ?? e);
  }
  await fetch('/result', {method: 'POST', body: JSON.stringify(out)});
}
