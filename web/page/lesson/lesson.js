// "How it works": steps through paging and online softmax on what the loaded model has computed.

import {adviceFor, show} from '../advice.js';
import {liveliest} from './softmax.js';
import {stepsOf} from './steps.js';

const $ = (id) => document.getElementById(id);

const SAMPLE = 'Once upon a time there was a small fox who found a red kite in a tree. The fox could not climb, so it asked the owl for help. The owl flew up to the kite and';
export class Lesson {
  #quire = null;
  #ids = [];
  #pieces = [];
  #begun = null; // the look at two answers
  #look = null;
  #steps = [];
  #at = 0;
  #asked = 0; // counts looks, so that the last one asked for is shown

  constructor() {
    $('lesson-text').value = SAMPLE;
    $('lesson-form').onsubmit = (e) => {
      e.preventDefault();
      this.#begin();
    };
    $('lesson-back').onclick = () => this.#go(this.#at - 1);
    $('lesson-next').onclick = () => this.#go(this.#at + 1);
    $('lesson-at').oninput = () => this.#go($('lesson-at').valueAsNumber - 1);
    for (const id of ['lesson-layer', 'lesson-query']) $(id).onchange = () => this.#move();
    $('lesson-head').onchange = () => this.#show();
    $('lesson-stage').addEventListener('keydown', (e) => {
      const by = {ArrowLeft: -1, ArrowRight: 1}[e.key];
      if (!by || e.ctrlKey || e.altKey || e.metaKey || e.target.closest('input, select, textarea')) return;
      e.preventDefault();
      this.#go(this.#at + by);
    });
  }

  // open takes the model that is loaded; one of a server shows nothing of itself.
  open(quire) {
    this.close();
    this.#quire = quire.look ? quire : null;
    $('lesson-begin').disabled = !this.#quire;
    $('lesson-note').hidden = Boolean(this.#quire);
    $('lesson-note').textContent = this.#quire ? '' : 'The lesson looks into a model as it computes: it needs one in this tab. Choose “Built in” under Model.';
  }

  close() {
    this.#asked++;
    this.#quire = this.#look = this.#begun = null;
    $('lesson-begin').disabled = true;
    $('lesson-stage').hidden = true;
    $('lesson-note').hidden = false;
    $('lesson-note').textContent = 'The lesson begins when a model is loaded.';
    show($('lesson-error'), null);
  }

  // begin reads the text, and begins two answers to it.
  async #begin() {
    await this.#ask(async (quire) => {
      const look = await quire.look({prompt: $('lesson-text').value, answers: 2});
      const pieces = await Promise.all(look.promptIds.map((id) => quire.decode([id], {special: true})));
      this.#begun = {look, pieces: await Promise.all(look.answers.map((ids) => quire.decode(ids)))};
      [this.#look, this.#ids, this.#pieces] = [look, look.promptIds, pieces];
      fill($('lesson-layer'), look.layers.map((layer) => [layer, `${layer + 1}`]), look.layer);
      Object.assign($('lesson-query'), {max: pieces.length, value: pieces.length});
      this.#heads(liveliest(look));
      this.#at = 0;
    });
    if (this.#look) $('lesson-title').focus();
  }

  // move looks at another layer, or at another token as the last.
  async #move() {
    const query = $('lesson-query');
    query.value = Math.min(Math.max(1, query.valueAsNumber || 1), this.#ids.length);
    await this.#ask(async (quire) => {
      this.#look = await this.#looked(quire);
      this.#heads(Math.min($('lesson-head').value, this.#look.heads - 1));
    });
  }

  #looked(quire) {
    return quire.look({ids: this.#ids.slice(0, $('lesson-query').valueAsNumber), layer: Number($('lesson-layer').value)});
  }

  #heads(head) {
    fill($('lesson-head'), Array.from({length: this.#look.heads}, (_, i) => [i, `${i + 1}`]), head);
  }

  async #ask(look) {
    const asked = ++this.#asked;
    show($('lesson-error'), null);
    $('lesson').setAttribute('aria-busy', true);
    $('lesson-begin').disabled = true;
    try {
      await look(this.#quire);
      if (asked === this.#asked) this.#show();
    } catch (e) {
      if (asked === this.#asked) show($('lesson-error'), adviceFor(e));
    } finally {
      $('lesson').setAttribute('aria-busy', false);
      $('lesson-begin').disabled = !this.#quire;
    }
  }

  #show() {
    const pieces = this.#pieces.slice(0, this.#look.position + 1);
    this.#steps = stepsOf({look: this.#look, pieces, begun: this.#begun, head: Number($('lesson-head').value), blocks: this.#quire.info.blocks});
    $('lesson-at').max = this.#steps.length;
    $('lesson-stage').hidden = false;
    this.#go(Math.min(this.#at, this.#steps.length - 1));
  }

  #go(to) {
    if (to < 0 || to >= this.#steps.length) return;
    this.#at = to;
    const {title, text, nodes} = this.#steps[to];
    $('lesson-title').textContent = title;
    $('lesson-says').textContent = text;
    $('lesson-drawing').replaceChildren(...nodes());
    $('lesson-count').textContent = `${to + 1} of ${this.#steps.length}`;
    $('lesson-at').value = to + 1;
    $('lesson-at').setAttribute('aria-valuetext', `${to + 1} of ${this.#steps.length}: ${title}`);
    for (const [id, off] of [['lesson-back', to === 0], ['lesson-next', to === this.#steps.length - 1]]) $(id).setAttribute('aria-disabled', off);
  }
}

function fill(list, options, chosen) {
  list.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  list.value = chosen;
}
