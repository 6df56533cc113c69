// The figures of the engine, live while something runs.

import {duration, rate, whole} from './format.js';

const $ = (id) => document.getElementById(id);
const EVERY = 250; // milliseconds

export class Figures {
  #running = 0; // requests of this page
  #timer = 0;
  #before = null; // {tokens, at}: for the rate of all streams together

  // open shows a model's adapter and follows its engine.
  open(quire) {
    this.quire = quire;
    const {adapter} = quire.info;
    $('figure-adapter').textContent = adapter.type === 'cpu' ? `${adapter.name}, in software: slow` : adapter.name;
    $('figure-features').textContent = adapter.features.join(', ') || 'none beyond the core';
    this.#follow();
  }

  close() {
    this.quire = null;
    clearTimeout(this.#timer);
    for (const name of ['adapter', 'features', 'prompt', 'decode', 'first', 'running', 'blocks']) $(`figure-${name}`).textContent = '–';
    this.#meter(0);
  }

  // started counts a request in.
  started() {
    if (this.#running++ > 0) return;
    this.#before = null;
    this.#follow();
  }

  // first tells of a request's first token: how many tokens the prompt had and how long it took.
  first(promptTokens, ms) {
    $('figure-prompt').textContent = rate(1000 * promptTokens / ms);
    $('figure-first').textContent = duration(ms);
  }

  // ended counts a request out.
  ended() {
    this.#running--;
  }

  async #follow() {
    clearTimeout(this.#timer);
    const {quire} = this;
    const s = await quire?.stats().catch(() => null);
    if (!s || quire !== this.quire) return;
    const {total, active, cached} = s.blocks;
    $('figure-blocks').textContent = `${whole(active)} of ${whole(total)}, ${whole(cached)} cached`;
    $('figure-running').textContent = s.waiting ? `${s.running}, ${s.waiting} wait` : String(s.running);
    this.#meter(active / total);
    const now = {tokens: s.tokens, at: performance.now()};
    if (this.#before && now.tokens > this.#before.tokens) {
      $('figure-decode').textContent = rate(1000 * (now.tokens - this.#before.tokens) / (now.at - this.#before.at));
    }
    if (!this.#before || now.tokens > this.#before.tokens) this.#before = now;
    clearTimeout(this.#timer);
    if (this.#running + s.running + s.waiting > 0) this.#timer = setTimeout(() => this.#follow(), EVERY);
  }

  #meter(active) {
    $('blocks').firstElementChild.style.width = active > 0 ? `max(2px, ${100 * active}%)` : 0;
  }
}
