// One prompt with its output.

import {adviceFor, show} from './advice.js';
import {letter, TONES} from './cell.js';
import {count, duration, rate} from './format.js';

const REASONS = {stop: 'Done', length: 'Done, the limit is reached', cancelled: 'Stopped'};
const NEAR_END = 40; // pixels from the end within which the output keeps scrolling

// Prompt runs requests that settings(text) gives on the engine that engine() gives. It tells
// started(generation, number, answers), first(prompt tokens, milliseconds), failed(), ended() and removed(this).
export class Prompt {
  #generation = null;
  #texts = ['']; // of the answers
  #places = []; // where they stand
  #drawing = false;

  constructor(number, text, page) {
    this.page = page;
    this.number = number;
    this.node = document.getElementById('prompt').content.firstElementChild.cloneNode(true);
    const find = (selector) => this.node.querySelector(selector);
    this.area = find('textarea');
    this.button = find('.run');
    this.status = find('.status');
    this.output = find('.output');
    this.error = find('.error');
    this.area.value = text;
    this.area.id = `prompt-${number}`;
    find('label').htmlFor = this.area.id;
    find('h3').textContent = find('label').textContent = `Prompt ${number}`;
    this.output.setAttribute('aria-label', `Output of prompt ${number}`);
    find('.remove').setAttribute('aria-label', `Remove prompt ${number}`);
    find('.remove').onclick = () => this.remove();
    this.button.onclick = () => (this.running ? this.stop() : this.run());
    this.node.addEventListener('keydown', (e) => {
      if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
        e.preventDefault();
        this.run();
      } else if (e.key === 'Escape' && this.running) {
        e.stopPropagation();
        this.stop();
      }
    });
    this.show();
  }

  get running() {
    return this.#generation !== null;
  }

  // show brings the button up to date.
  show() {
    this.button.disabled = !this.running && !this.page.engine();
    this.button.textContent = this.running ? 'Stop' : 'Run';
    this.button.classList.toggle('stop', this.running);
    this.output.setAttribute('aria-busy', this.running);
  }

  async run() {
    const quire = this.page.engine();
    if (!quire || this.running) return;
    show(this.error, null);
    const settings = this.page.settings(this.area.value);
    this.#texts = Array(Math.min(64, Math.max(1, settings.n || 1))).fill('');
    this.#layOut();
    let writing = false;
    const start = performance.now();
    const generation = this.#generation = quire.generate(settings);
    this.status.textContent = 'Reading the prompt';
    this.show();
    this.page.started(generation, this.number, this.#texts.length);
    try {
      for await (const {text, index} of generation) {
        if (!writing) {
          writing = true;
          this.status.textContent = 'Writing';
          this.page.first(generation.promptIds.length, performance.now() - start);
        }
        this.#texts[index] += text;
        this.#draw();
      }
      const {reason, figures} = await generation.result;
      const first = figures.generatedTokens > 0 ? `, first after ${duration(figures.timeToFirst)}` : '';
      const speed = figures.decodePerSecond > 0 ? `, ${rate(figures.decodePerSecond)}` : '';
      this.status.textContent = `${REASONS[reason] ?? reason}: ${count(figures.generatedTokens, 'token')}${speed}${first}`;
    } catch (e) {
      this.status.textContent = 'Failed';
      this.page.failed();
      show(this.error, adviceFor(e));
    } finally {
      this.#generation = null;
      this.page.ended();
      this.show();
    }
  }

  stop() {
    this.#generation?.cancel();
  }

  remove() {
    this.stop();
    this.node.remove();
    this.page.removed(this);
  }

  // layOut makes room for the answers: one is the output itself, several stand in it one below the other.
  #layOut() {
    const {length} = this.#texts;
    this.output.replaceChildren();
    if (length > 1) {
      this.output.append(...this.#texts.map((_, i) => {
        const answer = document.createElement('div');
        const name = document.createElement('h4');
        name.className = 'answer';
        name.style.setProperty('--hue', `var(--hue-${1 + (this.number - 1) % 6})`);
        name.style.setProperty('--paler', `${100 * TONES[i % TONES.length]}%`);
        name.textContent = `Answer ${this.number}${letter(i)}`;
        answer.append(name, document.createElement('p'));
        return answer;
      }));
    }
    this.#places = length > 1 ? [...this.output.querySelectorAll('p')] : [this.output];
  }

  // draw shows the text once a frame, and follows its end while the reader is there.
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      const o = this.output;
      const follow = o.scrollHeight - o.scrollTop - o.clientHeight < NEAR_END;
      this.#places.forEach((place, i) => { place.textContent = this.#texts[i]; });
      if (follow) o.scrollTop = o.scrollHeight;
    });
  }
}
