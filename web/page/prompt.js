// One prompt with its output.

import {adviceFor, show} from './advice.js';
import {count, duration, rate} from './format.js';

const REASONS = {stop: 'Done', length: 'Done, the limit is reached', cancelled: 'Stopped'};
const NEAR_END = 40; // pixels from the end within which the output keeps scrolling

// Prompt runs requests that settings(text) gives on the engine that engine() gives. It tells started(),
// first(prompt tokens, milliseconds), failed(), ended() and removed(this).
export class Prompt {
  #generation = null;
  #text = '';
  #drawing = false;

  constructor(number, text, page) {
    this.page = page;
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
    this.#text = '';
    this.#draw();
    let writing = false;
    const start = performance.now();
    const generation = this.#generation = quire.generate(this.page.settings(this.area.value));
    this.status.textContent = 'Reading the prompt';
    this.show();
    this.page.started();
    try {
      for await (const {text} of generation) {
        if (!writing) {
          writing = true;
          this.status.textContent = 'Writing';
          this.page.first(generation.promptIds.length, performance.now() - start);
        }
        this.#text += text;
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

  // draw shows the text once a frame, and follows its end while the reader is there.
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      const o = this.output;
      const follow = o.scrollHeight - o.scrollTop - o.clientHeight < NEAR_END;
      o.textContent = this.#text;
      if (follow) o.scrollTop = o.scrollHeight;
    });
  }
}
