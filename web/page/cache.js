// The KV cache, live: a grid of blocks, what happens to them, counters, and the same in words.

import {mark, paint, Palette} from './cell.js';
import {count, whole} from './format.js';

const $ = (id) => document.getElementById(id);

const LARGEST = 42, SMALLEST = 9; // cells, in pixels
const LEAST = 32; // blocks shown, if there are so many
const FADES = 1400; // milliseconds until a mark is gone
const STAYS = 4000; // where nothing may move
const WORDS_EVERY = 2500; // milliseconds

const calm = matchMedia('(prefers-reduced-motion: reduce)');
const schemes = matchMedia('(prefers-color-scheme: dark)');

const COUNTERS = {
  free: (k) => k.stats.blocks.free, cached: (k) => k.stats.blocks.cached, active: (k) => k.stats.blocks.active, shared: (k) => k.shared,
  hits: (k) => k.stats.hitTokens, copies: (k) => k.stats.copies, evictions: (k) => k.stats.evictions,
  preemptions: (k) => k.stats.preemptions, swaps: (k) => k.stats.swaps,
};

const LEGEND = {
  free: {references: 0}, cached: {references: 0, cached: 1}, active: {references: 1, prompt: 1, index: 0, answers: 2},
  shared: {references: 4, prompt: 1, index: 0}, chat: {references: 1, prompt: 3, index: 0, label: '•'},
};

// CacheView shows the cache of the engine it is opened with; promptOf tells a generation's {number, answers}.
export class CacheView {
  #canvas = $('cache-blocks');
  #promptOf;
  #cache = null;
  #marks = new Map(); // by block: {kind, since}
  #extent = 0; // blocks shown
  #drawing = false;
  #palette = new Palette();
  #said = 0;
  #saying = 0;
  #end = () => {};

  constructor(promptOf) {
    this.#promptOf = promptOf;
    schemes.addEventListener('change', () => {
      this.#palette = new Palette();
      this.#legend();
      this.#draw();
    });
    new ResizeObserver(() => this.#draw()).observe($('cache-grid'));
    this.#legend();
  }

  open(quire) {
    this.#end = quire.watch((cache) => this.#show(cache));
  }

  close() {
    this.#end();
    this.#cache = null;
    this.#extent = 0;
    this.#marks.clear();
    clearTimeout(this.#saying);
    this.#saying = 0;
    for (const name of Object.keys(COUNTERS)) $(`cache-${name}`).textContent = '–';
    $('cache-text').textContent = 'The blocks appear here when a model is loaded.';
    this.#draw();
  }

  #show(cache) {
    const before = this.#cache;
    this.#cache = cache;
    const since = performance.now();
    const note = (block, kind) => this.#marks.set(block - 1, {kind, since});
    for (const {kind, block, to, generation} of cache.events) {
      if (kind === 'removed') note(block, 'evicted');
      if (kind === 'preempted') this.#left(before, generation).forEach((b) => note(b, kind));
      if (kind === 'copied') note(to, kind);
      if (kind === 'swapped out' || kind === 'swapped in') note(block, kind);
    }
    for (const [name, value] of Object.entries(COUNTERS)) $(`cache-${name}`).textContent = whole(value(cache));
    this.#grow();
    this.#draw();
    if (!this.#saying) this.#saying = setTimeout(() => this.#say(), Math.max(0, this.#said + WORDS_EVERY - since));
  }

  // left lists the blocks that a request had when it was last seen.
  #left(before, generation) {
    const blocks = [];
    if (!before || !generation) return blocks;
    before.owners.forEach((owner, i) => {
      if (owner >= 0 && before.sequences[owner].generation === generation) blocks.push(i + 1);
    });
    return blocks;
  }

  // grow shows a power of two of blocks, up to the last that was ever of use.
  #grow() {
    const {references, cached} = this.#cache;
    let last = references.length - 1;
    while (last >= 0 && !references[last] && !cached[last]) last--;
    let extent = Math.max(this.#extent, LEAST);
    while (extent <= last) extent *= 2;
    this.#extent = Math.min(extent, references.length);
  }

  // say writes what the grid shows, seldom.
  #say() {
    this.#saying = 0;
    if (!this.#cache) return;
    this.#said = performance.now();
    const {references, sequences, shared, stats} = this.#cache;
    const total = references.length;
    const shown = this.#extent < total ? ` The first ${whole(this.#extent)} of ${whole(total)} are shown; the others have not been used yet.` : '';
    $('cache-text').textContent = `${count(stats.blocks.active, 'block')} of ${whole(total)} in use by ${count(sequences.filter((s) => s.blocks > 0).length, 'sequence')}, ` +
      `${whole(shared)} of them shared. So far ${whole(stats.copies)} copied before writing, ${whole(stats.evictions)} evicted; ` +
      `${count(stats.preemptions, 'request')} made room for others.${shown}`;
  }

  // draw paints once a frame, and goes on while marks fade.
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame((now) => {
      this.#drawing = false;
      this.#paint(now);
      if (this.#marks.size === 0) return;
      if (calm.matches) setTimeout(() => this.#draw(), STAYS / 8);
      else this.#draw();
    });
  }

  #paint(now) {
    const box = $('cache-grid');
    const width = box.clientWidth, height = box.clientHeight;
    const canvas = this.#canvas;
    if (!this.#cache || width === 0) {
      canvas.hidden = true;
      return;
    }
    canvas.hidden = false;
    const n = this.#extent;
    let size = LARGEST;
    while (size > SMALLEST && Math.ceil(n / Math.floor(width / size)) * size > height) size--;
    const columns = Math.floor(width / size);
    const c = fit(canvas, columns * size, Math.ceil(n / columns) * size);
    const {owners, references, cached, sequences} = this.#cache;
    const holders = sequences.map(({generation, request, index}) => ({index, ...(this.#promptOf(generation) ?? this.#other(request))}));
    for (let i = 0; i < n; i++) {
      const x = (i % columns) * size, y = Math.floor(i / columns) * size;
      const {number = 0, index = 0, answers = 1, label} = holders[owners[i]] ?? {};
      paint(c, this.#palette, x, y, size, {references: references[i], cached: cached[i], prompt: number, index, answers, label});
      const flash = this.#marks.get(i);
      if (!flash) continue;
      const left = 1 - (now - flash.since) / (calm.matches ? STAYS : FADES);
      if (left <= 0) this.#marks.delete(i);
      else mark(c, this.#palette, x, y, size, flash.kind, calm.matches ? 1 : Math.min(1, 2 * left));
    }
    this.#light();
  }

  // other is what is not of a prompt: the chat's, or another tab's.
  #other(request) {
    return {number: 1 + request % 6, label: '•'};
  }

  // light stresses in the legend what can be seen to happen.
  #light() {
    const kinds = new Set([...this.#marks.values()].map(({kind}) => kind));
    for (const canvas of document.querySelectorAll('[data-cell]')) canvas.parentElement.classList.toggle('now', kinds.has(canvas.dataset.cell));
  }

  #legend() {
    for (const canvas of document.querySelectorAll('[data-cell]')) {
      const c = fit(canvas, 24, 24);
      const {cell} = canvas.dataset;
      if (LEGEND[cell]) paint(c, this.#palette, 0, 0, 24, LEGEND[cell]);
      else mark(c, this.#palette, 0, 0, 24, cell, 1);
    }
  }
}

// fit gives an empty canvas of the given size in CSS pixels.
function fit(canvas, width, height) {
  const dense = devicePixelRatio;
  const [w, h] = [Math.round(width * dense), Math.round(height * dense)];
  if (canvas.width !== w || canvas.height !== h) {
    Object.assign(canvas, {width: w, height: h});
    Object.assign(canvas.style, {width: `${width}px`, height: `${height}px`});
  }
  const c = canvas.getContext('2d');
  c.setTransform(dense, 0, 0, dense, 0, 0);
  c.clearRect(0, 0, width, height);
  return c;
}
