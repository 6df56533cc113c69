// Measures the model that is loaded, and makes a card of the result.

import {adviceFor, show} from './advice.js';
import {about, rate} from './format.js';

const $ = (id) => document.getElementById(id);

const PROMPT = 512, ANSWER = 64, TOGETHER = 8;
const WIDTH = 1200, HEIGHT = 630; // what sites that show cards take

export class Bench {
  #quire = null;
  #running = null; // what stops it

  constructor() {
    $('bench-run').onclick = () => (this.#running ? this.#running.abort() : this.#run());
    $('bench-save').onclick = () => $('bench-card').toBlob((blob) => {
      const url = URL.createObjectURL(blob);
      Object.assign(document.createElement('a'), {href: url, download: 'quire.png'}).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    });
    $('bench-copy').onclick = async () => {
      const copied = await navigator.clipboard?.writeText($('bench-card').getAttribute('aria-label')).then(() => true, () => false);
      $('bench-status').textContent = copied ? 'Copied.' : 'It could not be copied.';
    };
  }

  open(quire) {
    this.#quire = quire;
    $('bench-run').disabled = false;
  }

  close() {
    this.#running?.abort();
    this.#quire = null;
    $('bench-run').disabled = true;
  }

  async #run() {
    this.#running = new AbortController();
    const {signal} = this.#running, quire = this.#quire;
    $('bench-run').textContent = 'Stop';
    show($('bench-error'), null);
    try {
      const result = await measured(quire, signal, (text) => { $('bench-status').textContent = text; });
      this.#show(quire.info, result);
      $('bench-status').textContent = 'Done.';
    } catch (e) {
      $('bench-status').textContent = signal.aborted ? 'Stopped.' : '';
      if (!signal.aborted) show($('bench-error'), adviceFor(e));
    } finally {
      this.#running = null;
      $('bench-run').textContent = 'Measure';
    }
  }

  #show(info, {length, prompt, alone, together}) {
    const rows = [[`Prompt of ${length} tokens`, prompt], ['One answer', alone], [`${TOGETHER} answers at once`, together]];
    const what = `${info.name || info.architecture}, ${about(info.parameters)} parameters`;
    const {canvas} = card(what, info.adapter.name, rows);
    const says = `Quire in the browser: ${what}, on ${info.adapter.name}. ${rows.map(([name, value]) => `${name}: ${rate(value)}`).join('. ')}.`;
    canvas.setAttribute('aria-label', says);
    $('bench-says').textContent = says; // where the card is too small to be read
    $('bench-result').hidden = false;
  }
}

// measured gives tokens a second.
async function measured(quire, signal, say) {
  const {context, vocabulary} = quire.info;
  const length = Math.min(PROMPT, Math.floor(context / 2)), answer = Math.min(ANSWER, Math.floor(context / 4));
  const ask = (tokens, maxTokens) => quire.generate({
    ids: Array.from({length: tokens}, () => Math.floor(Math.random() * vocabulary)), maxTokens, temperature: 0, ignoreEnd: true, signal,
  });
  say('Warming up');
  await ask(length, 2).result;
  say('Reading a prompt');
  const {figures: {promptPerSecond: prompt}} = await ask(length, 1).result;
  say('Writing one answer');
  const {figures: {decodePerSecond: alone}} = await ask(8, answer).result;
  say(`Writing ${TOGETHER} answers`);
  return {length, prompt, alone, together: await perSecond(Array.from({length: TOGETHER}, () => ask(8, answer)))};
}

// perSecond is what all generations write together, from the last one's first token to the first one's last.
async function perSecond(generations) {
  const times = await Promise.all(generations.map(async (generation) => {
    const list = [];
    for await (const {ids} of generation) for (const _ of ids) list.push(performance.now());
    return list;
  }));
  const from = Math.max(...times.map((list) => list[0])), to = Math.min(...times.map((list) => list.at(-1)));
  const written = times.flat().filter((at) => at > from && at <= to).length;
  return to > from ? 1000 * written / (to - from) : 0;
}

// card draws the result in the page's colours.
function card(what, adapter, rows) {
  const canvas = $('bench-card'), c = canvas.getContext('2d');
  Object.assign(canvas, {width: WIDTH, height: HEIGHT});
  const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
  const write = (text, x, y, font, fill, most = WIDTH - 160) => {
    c.font = font;
    c.fillStyle = fill;
    c.fillText(text, x, y, most);
  };
  c.fillStyle = colour('--paper');
  c.fillRect(0, 0, WIDTH, HEIGHT);
  c.fillStyle = colour('--accent');
  c.fillRect(0, 0, 16, HEIGHT);
  const serif = colour('--serif'), sans = colour('--sans');
  write('Quire', 80, 120, `500 72px ${serif}`, colour('--ink'));
  const beside = 80 + c.measureText('Quire').width + 28;
  write('a language model in a browser tab', beside, 118, `32px ${sans}`, colour('--faded'));
  write(what, 80, 200, `36px ${sans}`, colour('--ink'));
  write(adapter, 80, 248, `28px ${sans}`, colour('--faded'));
  rows.forEach(([name, value], i) => {
    const x = 80 + 360 * i;
    write(rate(value).split(' ')[0], x, 430, `500 96px ${serif}`, colour('--accent'), 320);
    write('tokens/s', x, 480, `28px ${sans}`, colour('--ink'), 320);
    write(name, x, 530, `26px ${sans}`, colour('--faded'), 330);
  });
  return c;
}
