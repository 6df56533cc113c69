// One prompt with its output.

import {adviceFor, show} from './advice.js';
import {Answers} from './answers.js';
import {count, duration, rate} from './format.js';
import {Turns} from './turns.js';

// Prompt runs requests that settings(text, messages before it) gives on the engine that engine() gives, or load() where there is none
// yet. It tells started(generation, number, answers), first(prompt tokens, milliseconds), failed(), ended(result, if there is one),
// changed() and removed(this).
export class Prompt {
  generation = null; // while one runs
  #loading = null; // while the model is loaded first: what tells whether it is still wanted
  #answers;
  #problem = null;
  #blocks = NaN; // that the request holds, once it is known
  #held = false; // whether it ever held some
  #writing = false;
  #turns;
  #asked = null; // the text whose one answer stands there, and may be replied to

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
    this.replying = find('.reply');
    this.replying.onclick = () => this.reply();
    this.#turns = new Turns(find('.turns'));
    this.node.addEventListener('keydown', (e) => {
      if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
        e.preventDefault();
        this.run();
      } else if (e.key === 'Escape' && this.running) {
        e.stopPropagation();
        this.stop();
      }
    });
    this.#answers = new Answers(this.output, number);
    this.show();
  }

  get running() {
    return this.generation !== null || this.#loading !== null;
  }

  // show brings the button up to date.
  show() {
    this.button.disabled = !this.running && !this.page.engine();
    this.button.textContent = this.running ? 'Stop' : 'Run';
    this.button.classList.toggle('stop', this.running);
    this.replying.hidden = this.running || this.#asked === null;
    this.output.setAttribute('aria-busy', this.generation !== null);
  }

  async run() {
    if (this.running) return;
    this.#fail(null);
    const quire = this.page.engine() ?? await this.#load();
    if (quire) await this.#generate(quire);
  }

  // load gives an engine, or null where there is none or it is no longer wanted.
  async #load() {
    const wanted = this.#loading = {};
    this.#say('Loading the model first');
    this.show();
    const quire = await this.page.load();
    if (this.#loading !== wanted) return null;
    this.#loading = null;
    if (!quire) this.#say('Not run: no model was loaded');
    this.show();
    return quire;
  }

  async #generate(quire) {
    const text = this.area.value;
    const settings = this.page.settings(text, this.#turns.messages);
    this.#asked = null;
    this.#answers.begin(Math.min(64, Math.max(1, settings.n || 1)));
    this.#blocks = NaN;
    this.#held = this.#writing = false;
    const start = performance.now();
    const generation = this.generation = quire.generate(settings);
    this.#tell();
    this.show();
    this.page.started(generation, this.number, this.#answers.count);
    let result = null;
    try {
      for await (const {text, index} of generation) {
        if (!this.#writing) {
          this.#writing = true;
          if (generation.dropped > 0) this.#turns.drop(generation.dropped);
          this.#tell();
          this.page.first(generation.promptIds.length, performance.now() - start);
        }
        this.#answers.add(index, text);
      }
      result = await generation.result;
      this.#finish(result, quire.info.context);
      if (settings.messages && this.#answers.count === 1 && result.text) this.#asked = text;
    } catch (e) {
      this.#say('Failed');
      this.page.failed();
      this.#fail(adviceFor(e));
    } finally {
      this.generation = null;
      this.page.ended(result);
      this.show();
    }
  }

  // reply makes the prompt and its answer part of what was said, and the next prompt one that goes on from there.
  reply() {
    this.#turns.add(this.#asked, this.#answers.kept().answers[0]);
    this.#asked = null;
    this.#answers.begin(1);
    this.area.value = '';
    this.#say('');
    this.show();
    this.area.focus();
    this.page.changed();
  }

  // finish says how the answers ended, and what it took.
  #finish({choices, figures}, context) {
    const endings = choices.map(({reason, limit}) => {
      if (reason === 'cancelled') return 'Stopped';
      if (reason !== 'length') return 'Done';
      return limit === 'maxTokens' ? 'Done, max tokens reached' : `Done, the context of ${count(context, 'token')} is full`;
    });
    const all = endings.every((e) => e === endings[0]) ? endings[0] : 'Done';
    if (endings.length > 1) this.#answers.end(endings.map((e) => (e === 'Done' ? '' : e.replace('Done, ', '').toLowerCase())));
    const first = figures.generatedTokens > 0 ? `, first after ${duration(figures.timeToFirst)}` : '';
    const speed = figures.decodePerSecond > 0 ? `, ${rate(figures.decodePerSecond)}` : '';
    this.#say(`${all}: ${count(figures.generatedTokens, 'token')}${speed}${first}`);
  }

  // holds is told how many blocks the request holds right now: none while it waits.
  holds(blocks) {
    this.#blocks = blocks;
    this.#held ||= blocks > 0;
    this.#tell();
  }

  // tell says what the request is doing.
  #tell() {
    if (this.#blocks === 0) this.#say(this.#held ? 'Preempted: waits for free blocks' : 'Waits for its turn');
    else this.#say(this.#writing ? 'Writing' : 'Reading the prompt');
  }

  #say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  #fail(problem) {
    this.#problem = problem;
    show(this.error, problem);
  }

  stop() {
    this.generation?.cancel();
    if (!this.#loading) return;
    this.#loading = null;
    this.#say('');
    this.show();
  }

  // discard ends it and takes it off the page.
  discard() {
    this.stop();
    this.node.remove();
  }

  remove() {
    this.discard();
    this.page.removed(this);
  }

  // kept is what restore takes to show the prompt and its answers again.
  kept() {
    const status = this.generation ? 'Cut off when the page was left' : this.#loading ? '' : this.status.textContent;
    return {text: this.area.value, ...this.#answers.kept(), status, problem: this.#problem, asked: this.#asked, ...this.#turns.kept()};
  }

  restore({answers, endings, status, problem, asked = null, turns = [], unseen = 0}) {
    if (answers.length > 0) this.#answers.restore(answers, endings);
    this.#asked = answers.length === 1 ? asked : null;
    this.#turns.restore(turns, unseen);
    this.show();
    this.#say(status);
    this.#fail(problem);
  }
}
