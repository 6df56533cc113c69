// A worker whose engine says tokens by a formula, for tests of tabs that follow one. Its tokens are letters, of a seed and a counter.
// A request that begins here stops for good after minTokens. Once asked to encode something, it gives streams of the API no head, and
// those that are cancelled no end.

import {Hub} from './quire/hub.js';
import {lead} from './quire/lead.js';

const EACH = 5; // milliseconds
const streams = new Map(); // by the call's id: {request, left}
const adapters = new Map(); // by number: name
const engine = crypto.randomUUID();
let say = (message) => postMessage(message);
let opened = false, late = false;

const letter = (request, index, counter) => String.fromCharCode(97 + Number((BigInt(request.seed) * 11n + BigInt(index * 5 + counter * counter + request.ids.length)) % 26n)) +
  (request.lora ?? []).map(({adapter}) => adapters.get(adapter)).join('');

const methods = {
  async open(id, {url}) {
    if (url.includes('gone') && await (await fetch('/gone')).text() === 'yes') throw {name: 'ErrNotFound', message: 'the model is gone'};
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    opened = true;
    return {name: 'letters', defaults: {}};
  },
  submit(id, request) {
    const promptIds = request.ids ?? Array.from(request.prompt, (c) => c.charCodeAt(0));
    const {n = 1, maxTokens, minTokens, landed = []} = request;
    const texts = Array.from({length: n}, (_, index) => (landed[index] ?? []).map((_, i) => letter({...request, ids: promptIds}, index, i)));
    const timer = setInterval(() => {
      const value = [];
      texts.forEach((text, index) => {
        if (text.length === maxTokens || text.length === minTokens && landed.length === 0) return;
        text.push(letter({...request, ids: promptIds}, index, text.length));
        value.push({id, index, text: text.at(-1), ids: [text.length]});
      });
      if (texts.every((text) => text.length === maxTokens)) value.at(-1).result = end(id, texts, 'length');
      if (value.length > 0) say({kind: 'chunks', id: 0, value});
    }, EACH);
    streams.set(id, {timer, texts});
    return {promptIds, dropped: 0};
  },
  // ask counts from 0 to 59, and tells of two numbers ahead, of the first before its head. A call that begins here stops for good after 20.
  ask(id, {journal: {had = [], bytes = 0}}) {
    let text = had.map((one) => `${one.text} `).join('').slice(bytes), next = had.length === 0 ? 0 : had.at(-1).text + 1, told = next;
    if (told === 0) say({kind: 'events', id: 0, value: [{id, size: 0, end: false, told: [{text: told++}]}], bytes: new Uint8Array()});
    if (late) return;
    say({kind: 'head', id, value: {status: 200, headers: [['content-type', 'text/plain']], stream: true}});
    const timer = setInterval(() => {
      if (had.length === 0 && next === 20) return;
      if (next < 60) text += `${next++} `;
      const more = [];
      for (; told < Math.min(60, next + 2); told++) more.push({text: told});
      const piece = new TextEncoder().encode(text);
      const end = next === 60;
      if (end) clearInterval(timer);
      say({kind: 'events', id: 0, value: [{id, size: piece.length, end, told: more}], bytes: piece});
      text = '';
    }, EACH);
  },
  cancel(_, id) {
    setTimeout(() => {
      const stream = streams.get(id);
      if (stream && !late) say({kind: 'chunks', id: 0, value: [{id, result: end(id, stream.texts, 'cancelled')}]});
    }, EACH);
    return {};
  },
  encode() {
    late = true;
    return [];
  },
  addLoRA(id, {name}) {
    adapters.set(adapters.size + 1, name);
    return {id: adapters.size, name};
  },
  dropLoRA(_, number) {
    adapters.set(number, '?');
    return {};
  },
  stats: () => ({engine, running: streams.size, adapters: [...adapters.values()]}),
};

function end(id, texts, reason) {
  clearInterval(streams.get(id).timer);
  streams.delete(id);
  return {reason, text: texts[0].join(''), choices: texts.map((text, index) => ({index, text: text.join('')}))};
}

async function take({program, method, id, argument}) {
  if (program) return;
  try {
    if (method !== 'open' && !opened) throw {name: 'ErrClosed', message: 'no model is open'};
    const value = await methods[method](id, JSON.parse(argument));
    if (value) say({kind: 'done', id, value});
  } catch ({name, message}) {
    say({kind: 'failed', id, value: {name, message}});
  }
}

self.onmessage = ({data}) => {
  if (!data.lead) return take(data);
  const hub = new Hub(take);
  say = (message) => hub.said(message);
  lead(data.lead, hub);
};
if ('onconnect' in globalThis) {
  self.onconnect = ({ports: [port]}) => port.postMessage({kind: 'listening', gpu: false}); // as where a browser lets no shared worker use the GPU
} else {
  say({kind: 'listening'});
}
