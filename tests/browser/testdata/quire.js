// An engine for tests of the page: it says what the last message wants, at once or when it is let go on.

import {QuireError} from './quire/error.js';

export {QuireError};

globalThis.asked = []; // requests, as they came
globalThis.holding = []; // what lets answers go on that are held

const words = (text) => text.match(text.length > 4000 ? /(?:\S*\s*){1,6}/g : /\S*\s*/g).filter(Boolean); // a long text comes faster

// deltas gives what is said: "think A: B" thinks A and says B, "call A {…}" calls A, anything else is said as it is.
function* deltas(text) {
  const [, thought, rest] = /^think (.*?): (.*)$/s.exec(text) ?? [];
  const [, name, given] = /^call (\w+) (.*)$/s.exec(text) ?? [];
  if (name) {
    yield {tool_calls: [{index: 0, id: 'call-1', type: 'function', function: {name, arguments: ''}}]};
    yield {tool_calls: [{index: 0, function: {arguments: given}}]};
    return;
  }
  for (const word of words(thought ?? '')) yield {reasoning_content: word};
  for (const word of words(rest ?? text)) yield {content: word};
}

async function* events(request, signal) {
  const stopped = new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  stopped.catch(() => {});
  const content = request.messages.at(-1).content.replace(/^notes.*\n```\n\n/s, ''); // without files
  const [, kind, said] = /^(say|hold|fail) (.*)$/s.exec(content) ?? [null, 'say', content];
  let tokens = 0;
  for (let index = 0; index < (request.n ?? 1); index++) {
    const text = request.n > 1 ? `${said} (${index + 1})` : said;
    let first = true;
    for (const delta of deltas(text)) {
      tokens++;
      await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, 2))]);
      yield {choices: [{index, delta, finish_reason: null}]};
      if (first && kind === 'hold') await Promise.race([stopped, new Promise((resolve) => holding.push(resolve))]);
      if (first && kind === 'fail') throw new QuireError({name: 'ErrDeviceLost', message: 'the device is lost'});
      first = false;
    }
    yield {choices: [{index, delta: {}, finish_reason: request.max_completion_tokens ? 'length' : 'stop'}]};
  }
  const prompt = request.messages.reduce((sum, m) => sum + words(m.content ?? '').length, 0);
  yield {choices: [], usage: {prompt_tokens: prompt, completion_tokens: tokens, total_tokens: prompt + tokens, prompt_tokens_details: {cached_tokens: prompt - 1}},
    ...(content.includes('full') && {dropped: 2})};
}

export class Quire {
  info = {
    name: 'Parrot', architecture: 'llama', parameters: 1e6, weightBytes: 1e6, context: 1024, vocabulary: 1000, warnings: [], chat: true, blocks: 64, blockSize: 16,
    kvBytes: 2 ** 20, kvTokenBytes: 1024, kvType: 'f16', largestContext: {f16: 1024}, stateBytes: 0, stateSlots: 0,
    adapter: {name: 'none', type: '', features: []}, selfTest: {kernels: [], replaced: [], time: 0},
  };
  defaults = {temperature: 0.7, topP: 1, minP: 0.05, topK: 0};
  chat = {completions: {create: async (request, {signal} = {}) => {
    globalThis.asked.push(structuredClone(request));
    return events(request, signal);
  }}};

  generate({maxTokens}) {
    const figures = {generatedTokens: maxTokens, timeToFirst: 5, promptPerSecond: 5120, decodePerSecond: 64};
    return {result: Promise.resolve({figures}), async *[Symbol.asyncIterator]() {
      for (let i = 0; i < maxTokens; i++) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        yield {index: 0, text: '', ids: [i]};
      }
    }};
  }

  static models = {
    kept: [{name: 'hf:owner/finch:Q4_K_M', names: ['hf:owner/finch:Q4_K_M'], size: 5e8, bytes: 5e8, whole: true, used: new Date(0)},
      {name: 'https://example.org/50%wren.gguf', names: ['https://example.org/50%wren.gguf'], size: 4e8, bytes: 1e8, whole: false, used: new Date(0)}],
    list: async () => Quire.models.kept,
    storage: async () => ({quota: 2e10, usage: 6e8, free: 1e10, models: 6e8, persisted: false}),
    remove: async ({name}) => { Quire.models.kept = Quire.models.kept.filter((m) => m.name !== name); },
    persist: async () => true,
  };

  static sessions = {list: async () => [], remove: async () => {}};

  static adapters = async () => [{index: 0, name: 'none', features: []}];

  static async open({model, loraRank, onProgress}) {
    globalThis.opened = model;
    for (const stage of ['engine', 'weights', 'kernels']) {
      onProgress({stage, done: 1, total: 2});
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return Object.assign(new Quire(), {loraRank});
  }

  // Keys and values are a wave; what comes of them is right.
  async look({prompt = '', ids = words(prompt).map((_, i) => i), layer = 1, answers = 1}) {
    const head = {layer, layers: [0, 1, 2], position: ids.length - 1, from: 0, heads: 4, kvHeads: 2, headDim: 32, scale: 0.2, softcap: 0, blockSize: 16, promptIds: ids};
    const wave = (length, step) => Float32Array.from({length}, (_, i) => Math.sin(step * i * i));
    const tables = Array.from({length: answers}, (_, a) => Array.from({length: Math.ceil((ids.length + 1) / 16)}, (_, i) => ((i + 1) * 16 > ids.length ? 9 + a : 3 + 2 * i)));
    const look = {...head, tables, answers: tables.map(() => [7, 8]), query: wave(128, 0.7), keys: wave(ids.length * 64, 0.3), values: wave(ids.length * 64, 0.9), sinks: new Float32Array(0)};
    const {plain} = await import('./page/lesson/softmax.js');
    return {...look, out: Float32Array.from([0, 1, 2, 3].flatMap((h) => [...plain(look, h).out]))};
  }

  decode = async (ids) => ids.map((id) => ` word${id}`).join('');
  loadLora = async (url) => {
    if (!this.loraRank) throw new QuireError({name: 'ErrBadRequest', message: 'there is no room'});
    return {name: url.split('/').at(-1).replace('.gguf', ''), drop: async () => {}};
  };

  watch = () => () => {};
  said = 0;
  stats = async () => ({blocks: {total: 64, active: 9, cached: 20, free: 55}, running: 0, waiting: 0, tokens: this.said += 7});
  hostTimes = async () => ((n) => ({steps: n, schedule: 0.02 * n, build: 0.05 * n, bridge: 0.03 * n, encode: 0.11 * n, mask: 0, wait: 0.5 * n, give: 0.03 * n}))(this.said);
  close = async () => {};
}
