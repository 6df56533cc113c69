// llama.cpp's Vulkan backend through node-llama-cpp. Arguments: a GGUF file, and the same parameters as the pages have.
import {getLlama} from 'node-llama-cpp';

const [file, query] = process.argv.slice(2);
const parameters = new URLSearchParams(query), list = (name) => parameters.get(name).split(',').map(Number);
const prompts = list('prompts'), lanes = list('lanes'), gen = +parameters.get('gen'), repeat = +parameters.get('repeat');
const WARM = 2000; // milliseconds, as pages have
const out = {peer: 'llama.cpp', rates: {}, samples: {}, errors: {}};
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const say = (text) => console.error(text);

async function main() {
  const llama = await getLlama({gpu: 'vulkan', build: 'never', progressLogs: false, logLevel: 'warn'});
  const devices = await llama.getGpuDeviceNames();
  Object.assign(out, {version: llama.llamaCppRelease?.release ?? '', adapter: devices.join(', ')});
  if (llama.gpu !== 'vulkan') throw Error(`node-llama-cpp computes with ${llama.gpu || 'the CPU'}, not Vulkan`);
  if (devices.length === 0) throw Error('llama.cpp finds no Vulkan device that is a GPU, and computes on the CPU');
  if (!parameters.has('software') && devices.some((name) => /llvmpipe|swiftshader/i.test(name))) throw Error(`${out.adapter} is a software adapter`);
  const begin = performance.now();
  const model = await llama.loadModel({modelPath: file, gpuLayers: 'max'});
  if (!(model.gpuLayers > 0)) throw Error('llama.cpp has no layer on the GPU');
  const contextSize = Math.max(...prompts, 16) + gen + 64;
  const batchSize = +parameters.get('batch') || undefined;
  const open = (sequences) => model.createContext({contextSize, batchSize, sequences});
  let context = await open(1);
  out.open_ms = performance.now() - begin;
  const random = (n) => Array.from({length: n}, () => 3 + Math.floor(Math.random() * (Math.min(+parameters.get('vocabulary'), 100_000) - 8)));
  const ask = async (prompt, answer, together) => {
    if (context.totalSequences < together) {
      await context.dispose();
      context = await open(together);
    }
    const sequences = Array.from({length: together}, () => context.getSequence()), ids = sequences.map(() => random(prompt));
    const began = performance.now();
    let first = 0, tokens = 0;
    await Promise.all(sequences.map(async (sequence, i) => {
      let n = 0;
      for await (const _ of sequence.evaluate(ids[i], {temperature: 0, yieldEogToken: true})) {
        first ||= performance.now() - began;
        tokens++;
        if (++n >= answer) break;
      }
    }));
    const took = performance.now() - began;
    await Promise.all(sequences.map((sequence) => sequence.dispose())); // their places are free behind this
    return {first, tokens, took};
  };
  out.first_ms = (await ask(16, 2, 1)).first;
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
    }
  };
  for (const n of prompts) await part(`pp${n}`, async () => 1000 * n / (await ask(n, 2, 1)).first);
  for (const n of lanes) await part(`tg${gen} x ${n}`, async () => {
    const {tokens, took} = await ask(16, gen, n);
    return 1000 * tokens / took;
  });
}

await main().catch((e) => { out.refused = String(e?.message ?? e); });
console.log(JSON.stringify(out));
process.exit(0);
