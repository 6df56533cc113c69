// Figures over time, while something runs.

const $ = (id) => document.getElementById(id);

const SPAN = 120; // seconds that are seen
const HEIGHT = 160; // pixels; chat.css has it too
const PAUSE = 2; // seconds without a sample, after which the line is broken

const schemes = matchMedia('(prefers-color-scheme: dark)');

// PARTS are what a step's time goes to, the first at the bottom: names, colours, and how engines tell of them.
const PARTS = [
  ['go', '--hue-1', (t) => t.schedule + t.build + t.mask + t.give], ['bridge', '--hue-2', (t) => t.bridge], ['encode', '--hue-3', (t) => t.encode],
  ['wait', '--edge', (t) => t.wait],
];

const empty = () => Array.from({length: 4 + PARTS.length}, () => []);

// History draws tokens a second, blocks, and what a step's time goes to. The library comes with the first sample.
export class History {
  #rows = empty(); // seconds since the page began, tokens a second, active and cached blocks, milliseconds of a step up to each part
  #last = null; // {at, tokens, host}
  #charts = null; // a promise, then a list

  constructor() {
    schemes.addEventListener('change', () => this.#rebuild());
    new ResizeObserver(() => this.#size()).observe($('history'));
  }

  // add takes what the engine says of itself right now.
  add({tokens, blocks}, host) {
    const at = performance.now() / 1000, last = this.#last;
    this.#last = {at, tokens, host};
    if (!last || at <= last.at) return;
    if (at - last.at > PAUSE) this.#push(last.at + 0.001, ...Array(3 + PARTS.length).fill(null));
    else this.#push(at, (tokens - last.tokens) / (at - last.at), blocks.active, blocks.cached, ...this.#parts(last.host, host));
    while (this.#rows[0][0] < at - SPAN) for (const row of this.#rows) row.shift();
    this.#draw();
  }

  // parts gives the milliseconds of a step between two answers, each with those before it.
  #parts(before, now) {
    const steps = before && now ? now.steps - before.steps : 0;
    if (!(steps > 0)) return PARTS.map((_, i) => this.#rows[4 + i].at(-1) ?? null);
    let sum = 0;
    return PARTS.map(([name,, of]) => {
      const ms = Math.max(0, of(now) - of(before)) / steps;
      $(`host-${name}`).textContent = ms.toFixed(ms < 10 ? 2 : 0);
      return sum += ms;
    });
  }

  clear() {
    this.#rows = empty();
    for (const [name] of PARTS) $(`host-${name}`).textContent = '–';
    this.#last = null;
    $('history').hidden = true;
  }

  #push(...values) {
    values.forEach((value, i) => this.#rows[i].push(value));
  }

  async #draw() {
    $('history').hidden = false;
    if ($('history').clientWidth === 0) return; // the view is another
    const charts = await (this.#charts ??= this.#build());
    const [at, rate, active, cached, ...host] = this.#rows;
    charts[0].setData([at, rate]);
    charts[1].setData([at, active, cached]);
    charts[2].setData([at, ...host.reverse()]); // what lies lower is drawn over what holds it
  }

  async #build() {
    const {default: Plot} = await import('./lib/uplot.js');
    const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
    const axis = {stroke: colour('--faded'), grid: {stroke: colour('--rule'), width: 1}, ticks: {show: false}, font: '12px system-ui'};
    const chart = (id, colours, least, more) => new Plot({
      width: Math.max(50, $(id).clientWidth), height: HEIGHT, legend: {show: false}, cursor: {show: false}, padding: [8, 16, 0, 0],
      axes: [{...axis, size: 28, incrs: [1, 2, 5, 10, 15, 30, 60], splits: (_, axis, from, to, step) => back(from, to, step),
        values: (plot, list) => list.map((at) => ago(plot.data[0].at(-1) - at))}, {...axis, size: 48}],
      scales: {x: {time: false}, y: {range: (_, low, high) => [0, Math.max(least, 1.1 * high)]}},
      series: [{}, ...colours.map((name) => ({stroke: colour(name), width: 1.5, points: {show: false}, ...more?.(colour(name))}))],
    }, [[], ...colours.map(() => [])], $(id));
    return [chart('history-rate', ['--accent'], 1), chart('history-blocks', ['--accent', '--edge'], 1),
      chart('history-host', PARTS.map(([, name]) => name).reverse(), 0.1, (fill) => ({fill, width: 0}))];
  }

  async #rebuild() {
    if (!this.#charts) return;
    (await this.#charts).forEach((c) => c.destroy());
    this.#charts = this.#build();
    this.#draw();
  }

  async #size() {
    const width = $('history-rate').clientWidth;
    if (width === 0 || this.#rows[0].length === 0) return;
    if (this.#charts) (await this.#charts).forEach((c) => c.setSize({width, height: HEIGHT}));
    this.#draw();
  }
}

// back gives the times from the last one backwards, a step apart.
const back = (from, to, step) => Array.from({length: Math.floor((to - from) / step) + 1}, (_, i) => to - i * step).reverse();

const ago = (seconds) => (Math.round(seconds) === 0 ? 'now' : `−${Math.round(seconds)} s`);
