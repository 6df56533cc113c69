// The figures of the engine, live while something runs.

import {binary, duration, rate, whole} from './format.js';
import {History} from './history.js';

const $ = (id) => document.getElementById(id);
const EVERY = 250; // milliseconds

export class Figures {
  #running = 0; // requests of this page
  #together = false; // whether several have run at once since the page was last idle
  #timer = 0;
  #last = null; // tokens generated, when last asked
  #begin = null; // {tokens, at}: since when the rate of all streams is taken
  #settled = false; // whether it is known
  #history = new History();

  // open shows a model's adapter and follows its engine.
  open(quire) {
    this.quire = quire;
    const {adapter, kvBytes, kvTokenBytes, kvType, largestContext, blocks, blockSize, stateBytes, stateSlots, selfTest} = quire.info;
    $('figure-adapter').textContent = adapter.type === 'cpu' ? `${adapter.name}, in software: slow` : adapter.name;
    $('figure-features').textContent = adapter.features.join(', ') || 'none beyond the core';
    $('figure-self-test').textContent = tested(selfTest);
    const states = stateBytes > 0 ? `; ${binary(stateBytes)} for states, ${binary(stateBytes / (stateSlots + 1))} a sequence or snapshot` : '';
    $('figure-kv').textContent = `${binary(kvBytes)} of ${kvType}: ${whole(blocks)} blocks of ${whole(blockSize)} tokens, ${binary(kvTokenBytes)} a token${states}`;
    const others = Object.entries(largestContext).filter(([type]) => type !== kvType).map(([type, n]) => `${whole(n)} in ${type}`);
    $('figure-largest').textContent = `${whole(largestContext[kvType])} tokens in ${kvType}; ${others.join(', ')}`;
    this.#follow();
  }

  close() {
    this.quire = null;
    this.#history.clear();
    clearTimeout(this.#timer);
    for (const name of ['adapter', 'features', 'self-test', 'prompt', 'decode', 'first', 'running', 'blocks', 'kv', 'largest']) $(`figure-${name}`).textContent = '–';
    this.#meter(0);
  }

  // started counts a request in.
  started() {
    if (this.#running++ > 0) {
      this.#together = true;
      return;
    }
    this.#together = this.#settled = false;
    this.#last = this.#begin = null;
    this.#follow();
  }

  // first tells of a request's first token: how many tokens the prompt had and how long it took.
  first(promptTokens, ms) {
    $('figure-prompt').textContent = rate(1000 * promptTokens / ms);
    $('figure-first').textContent = duration(ms);
  }

  // ended counts a request out and takes over the engine's own figures, which the answer is shown with. What several decoded
  // together has no other figure than this page's.
  ended(result) {
    this.#running--;
    if (!result || result.figures.generatedTokens === 0) return;
    const {promptPerSecond, timeToFirst, decodePerSecond} = result.figures;
    $('figure-prompt').textContent = rate(promptPerSecond);
    $('figure-first').textContent = duration(timeToFirst);
    if (this.#together || decodePerSecond === 0) return;
    this.#decode(decodePerSecond);
    this.#settled = true;
  }

  async #follow() {
    clearTimeout(this.#timer);
    const {quire} = this;
    const [s, host] = await Promise.all([quire?.stats().catch(() => null), quire?.hostTimes?.().catch(() => null)]); // servers tell no times
    if (!s || quire !== this.quire) return;
    const {total, active, cached} = s.blocks;
    $('figure-blocks').textContent = `${whole(active)} of ${whole(total)}, ${whole(cached)} cached`;
    $('figure-running').textContent = s.waiting ? `${s.running}, ${s.waiting} wait` : String(s.running);
    this.#meter(active / total);
    this.#history.add(s, host);
    this.#decoding(s.tokens);
    clearTimeout(this.#timer);
    if (this.#running + s.running + s.waiting > 0) this.#timer = setTimeout(() => this.#follow(), EVERY);
  }

  // decoding shows the rate of all streams since tokens began to come, until a lone answer's own is known.
  #decoding(tokens) {
    const at = performance.now(), before = this.#last;
    this.#last = tokens;
    if (this.#settled || before === null || tokens <= before) return;
    this.#begin ??= {tokens, at};
    if (tokens > this.#begin.tokens) this.#decode(1000 * (tokens - this.#begin.tokens) / (at - this.#begin.at));
  }

  #decode(perSecond) {
    $('figure-decode-name').textContent = this.#together ? 'Decode, together' : 'Decode';
    $('figure-decode').textContent = rate(perSecond);
  }

  #meter(active) {
    $('blocks').firstElementChild.style.width = active > 0 ? `max(2px, ${100 * active}%)` : 0;
  }
}

// tested says what became of a self-test.
function tested({kernels, replaced, time}) {
  if (kernels.length === 0) return 'none';
  const right = `${whole(kernels.length)} kernels in ${whole(Math.round(time))} ms`;
  return replaced.length === 0 ? right : `${right}; ${replaced.join(', ')} computed wrongly, the baseline runs in their place`;
}
