// The form that chooses a model and loads it.

import {Quire, QuireError} from '../quire.js';
import tales from '../tales.js';
import {adviceFor, platformProblem, show} from './advice.js';
import {about, bytes, count, duration} from './format.js';
import {Remote} from './remote.js';
import {server} from './server.js';

const $ = (id) => document.getElementById(id);

const STAGES = {
  engine: ({done, total}) => (total ? `Fetching the engine, ${bytes(done)} of ${bytes(total)}` : `Fetching the engine, ${bytes(done)}`),
  download: ({done, total}) => `Fetching the model, ${bytes(done)} of ${bytes(total)}`,
  weights: ({done, total}) => `Reading weights, ${bytes(done)} of ${bytes(total)}`,
  waiting: ({total, reason}) => `Waiting ${duration(1000 * total)}: ${reason}`,
  kernels: ({done, total}) => `Compiling kernels, ${done} of ${total}`,
};

const SAYS = {
  server: 'Models of this server answer: what you type goes there.',
  builtin: 'A small model that tells stories answers in this tab, on your own GPU. What you type stays here.',
  tab: 'The model answers in this tab, on your own GPU. What you type stays here.',
};

// ModelForm loads models. It tells opened(quire), closed(), stage(text, percent or null) while one loads, recovering(yes or no) when the
// GPU was taken away, dropped(files), which says whether they were for something else than a model, and chosen() when one was dropped.
export class ModelForm {
  quire = null;
  loaded = null; // {from, value} of what use would load, where the engine has it
  problem = null; // why the last load came to nothing, in words
  recovering = false;
  #server = server(); // or null
  #form = $('model');
  #abort = null; // while something loads
  #loading = null; // what comes of it: the engine, or null
  #disabled = false;
  #summary = ''; // of what is loaded

  constructor(page) {
    this.page = page;
    this.#form.addEventListener('change', () => this.#showOrigin());
    this.#form.addEventListener('submit', (e) => {
      e.preventDefault();
      if (this.#abort) this.stop();
      else this.load();
    });
    this.#dropFiles();
    if (this.#server) this.#offerServer();
    this.#showOrigin();
  }

  // served says whether the page comes from a server of models, which it then asks unless the tab is chosen.
  get served() {
    return this.#server !== null;
  }

  #offerServer() {
    for (const part of document.querySelectorAll('[data-served]')) part.hidden = false;
    this.#form.elements.from.value = 'server';
    $('server-model').onchange = () => this.load();
  }

  // offerAdapters lists the browser's adapters to choose from.
  async offerAdapters() {
    const list = await Quire.adapters();
    for (const {index, name} of list) $('adapter').add(new Option(name, index));
    return list;
  }

  // disable keeps the form from loading anything.
  disable() {
    this.#disabled = true;
    $('load').disabled = true;
    this.#stage('Nothing can be loaded here.', 0);
  }

  // address is that of the model which is chosen, or its name; '' where it has none.
  get address() {
    return this.#from === 'url' ? $('url').value.trim() : '';
  }

  get #from() {
    return this.#form.elements.from.value;
  }

  #showOrigin() {
    const remote = this.#from === 'server';
    for (const part of document.querySelectorAll('[data-tab]')) part.hidden = remote;
    $('says').textContent = SAYS[this.#from] ?? SAYS.tab;
    for (const part of this.#form.querySelectorAll('[data-from]')) part.hidden = part.dataset.from !== this.#from;
  }

  #dropFiles() {
    let depth = 0;
    const over = (more) => {
      depth = Math.max(0, depth + more);
      $('drop').classList.toggle('shown', depth > 0);
    };
    const files = (e) => e.dataTransfer?.types.includes('Files');
    addEventListener('dragenter', (e) => files(e) && over(1));
    addEventListener('dragleave', (e) => files(e) && over(-1));
    addEventListener('dragover', (e) => files(e) && e.preventDefault());
    addEventListener('drop', (e) => {
      if (!files(e)) return;
      e.preventDefault();
      over(-depth);
      if (this.page.dropped([...e.dataTransfer.files])) return;
      this.#form.elements.from.value = 'file';
      $('file').files = e.dataTransfer.files;
      this.#showOrigin();
      $('load').focus();
      this.page.chosen();
    });
  }

  // chosen returns the model, or says what is missing.
  #chosen() {
    switch (this.#from) {
      case 'file':
        return $('file').files.length > 1 ? [...$('file').files] : $('file').files[0] ?? this.#refuse('Choose a GGUF file first.', $('file'));
      case 'url':
        return $('url').value.trim() || this.#refuse('Give the URL of a GGUF file first.', $('url'));
      default:
        return tales;
    }
  }

  #refuse(message, field) {
    this.#fail({title: 'No model is chosen', message, advice: ''});
    field.focus();
    return null;
  }

  // use loads a model in place of what is loaded, or loads: the built-in one, that of an address or of the server, or a file that was chosen.
  async use(from, value) {
    this.stop();
    await this.#loading;
    this.#form.elements.from.value = from;
    if (from === 'url') $('url').value = value;
    if (from === 'server' && value) $('server-model').value = value;
    this.#showOrigin();
    return this.load();
  }

  // stop gives up what loads.
  stop() {
    this.#abort?.abort();
  }

  // load loads what is chosen, unless something loads already, and gives the engine; null where nothing comes of it.
  load() {
    if (this.#disabled) return Promise.resolve(null);
    this.#loading ??= this.#load().finally(() => { this.#loading = null; });
    return this.#loading;
  }

  async #load() {
    const remote = this.#from === 'server';
    this.#fail(remote ? null : platformProblem());
    const model = this.problem || remote ? null : this.#chosen();
    if (!model && !remote) return null;
    this.#abort = new AbortController();
    $('load').textContent = 'Cancel';
    try {
      const before = this.quire;
      this.quire = this.loaded = null;
      this.recovering = false;
      $('model-status').textContent = '';
      warn([]);
      this.page.closed();
      await before?.close();
      this.#stage('Starting', 0);
      this.quire = remote ? await this.#ofServer() : await this.#open(model);
      this.loaded = {from: this.#from, value: remote ? $('server-model').value : this.address};
      this.page.opened(this.quire);
    } catch (e) {
      this.#stage('Nothing is loaded.', 0);
      if (e.name !== 'AbortError') this.#fail(adviceFor(e));
    } finally {
      this.#abort = null;
      $('load').textContent = this.quire ? 'Load again' : 'Load';
    }
    return this.quire;
  }

  #fail(problem) {
    this.problem = problem;
    show($('model-error'), problem);
  }

  async #open(model) {
    const start = performance.now();
    const quire = await Quire.open({
      model,
      signal: this.#abort.signal,
      adapter: $('adapter').value,
      context: Number($('context').value),
      kvMemory: Math.round(Number($('kv-memory').value) * 2 ** 20),
      kvType: $('kv-type').value,
      ...(Number($('lora-rank').value) > 0 && {loraRank: Number($('lora-rank').value)}),
      deterministic: $('deterministic').checked,
      onProgress: (p) => this.#progress(p),
      onRecovering: (p) => this.#recover(p),
    });
    this.#loaded(quire.info, performance.now() - start);
    return quire;
  }

  // ofServer gives the model of the server that is chosen, or its first. Where a key is asked for, there is a field for it.
  async #ofServer() {
    const key = $('server-key'), list = $('server-model');
    if (key.value) this.#server.key = key.value;
    let models;
    try {
      models = await this.#server.models({signal: this.#abort.signal});
    } catch (e) {
      if (e.name === 'ErrKey') {
        key.parentElement.hidden = false;
        key.focus();
      }
      throw e;
    }
    const wanted = list.value;
    list.replaceChildren(...models.map(({id}) => new Option(id, id)));
    const model = models.find(({id}) => id === wanted) ?? models[0];
    if (!model) throw new QuireError({name: 'ErrNotFound', message: 'The server has no model.'});
    list.value = model.id;
    this.#summary = `${model.id}, which runs on the server${model.max_model_len ? `: a context of ${count(model.max_model_len, 'token')}` : ''}.`;
    this.#stage(this.#summary, 100);
    return new Remote(this.#server, model);
  }

  #loaded(info, ms) {
    const {name, architecture, parameters, weightBytes, context, warnings} = info;
    warn(warnings);
    this.#summary = `${name || architecture}: ${about(parameters)} parameters, ${bytes(weightBytes)} of weights, a context of ${count(context, 'token')}. Loaded in ${duration(ms)}.`;
    this.#stage(this.#summary, 100);
    $('model-status').textContent = `The model is loaded. ${this.#summary}`;
  }

  // recover shows how a lost device is built again.
  #recover(p) {
    const over = p.stage === 'kernels' && p.done === p.total;
    if (this.recovering === over) {
      this.recovering = !over;
      this.page.recovering(this.recovering);
    }
    if (over) this.#stage(this.#summary, 100);
    else this.#progress(p);
  }

  // giveUpRecovering is called when a request failed all the same.
  giveUpRecovering() {
    if (!this.recovering) return;
    this.recovering = false;
    this.page.recovering(false);
    this.#stage(this.#summary, 100);
  }

  #progress(p) {
    this.#stage(STAGES[p.stage]?.(p) ?? p.stage, p.total ? 100 * p.done / p.total : null);
  }

  // stage shows how far loading is, in percent; null where that is not known.
  #stage(text, percent) {
    $('stage').textContent = text;
    this.page.stage(text, percent);
    const bar = $('bar');
    bar.classList.toggle('unknown', percent === null);
    if (percent === null) {
      bar.removeAttribute('aria-valuenow');
      return;
    }
    bar.setAttribute('aria-valuenow', Math.round(percent));
    bar.setAttribute('aria-valuetext', text);
    bar.firstElementChild.style.transform = `scaleX(${percent / 100})`;
  }
}

// warn lists what does not keep the model from running.
function warn(warnings) {
  $('warnings').hidden = warnings.length === 0;
  $('warnings').lastElementChild.replaceChildren(...warnings.map((text) => {
    const item = document.createElement('li');
    item.textContent = text;
    return item;
  }));
}
