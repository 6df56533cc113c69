// The models that can be talked to: the built-in one, those that the browser keeps, files, and others by their names.

import {Quire} from '../../quire.js';
import {CHAT} from '../../store/folder.js';
import {adviceFor, show} from '../advice.js';
import {bytes} from '../format.js';
import {known} from './forecast.js';
import {iconButton, make} from './icons.js';

const $ = (id) => document.getElementById(id);

// SOME are models that are known to run, small ones first: name, title, and the file's bytes.
const SOME = [
  ['hf:HuggingFaceTB/SmolLM2-360M-Instruct-GGUF:Q8_0', 'SmolLM2 360M', 386404992],
  ['hf:Qwen/Qwen3-0.6B-GGUF:Q8_0', 'Qwen3 0.6B, which thinks first', 639446688],
  ['hf:ggml-org/gemma-3-1b-it-GGUF:Q4_K_M', 'Gemma 3 1B', 806058240],
  ['hf:bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M', 'Llama 3.2 1B', 807694464],
  ['hf:bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M', 'Llama 3.2 3B', 2019377600],
];
const LARGE = 2 ** 31, SMALL = 2 ** 29; // the most that the KV cache takes by itself, on a card of its own and elsewhere

// Library is a dialog over a form that loads models.
export class Library {
  #dialog = $('library');
  #form;
  #adapters;
  #most = SMALL;

  // The form loads models, adapters those of the one that is loaded.
  constructor(form, adapters) {
    this.#form = form;
    this.#adapters = adapters;
    $('library-adapter').onsubmit = (e) => {
      e.preventDefault();
      const url = $('library-lora').value.trim();
      if (url) this.#adapt(() => this.#adapters.add(url));
    };
    $('chip').onclick = () => this.open();
    $('library-get').onsubmit = (e) => {
      e.preventDefault();
      const name = $('library-name').value.trim();
      if (name) this.#use('url', name);
    };
    $('library-key-form').onsubmit = (e) => {
      e.preventDefault();
      $('server-key').value = $('library-key').value;
      this.#use('server');
    };
    $('library-file').onclick = () => $('file').click();
    $('file').addEventListener('change', () => this.#dialog.open && $('file').files.length > 0 && this.#use('file'));
    $('library-stop').onclick = () => form.stop();
    $('library-persist').onclick = async () => {
      await Quire.models.persist();
      this.#list();
    };
  }

  open() {
    show($('library-error'), this.#form.problem);
    this.#dialog.showModal();
    this.#list();
    Quire.adapters().then((list) => {
      this.#most = list[0]?.type === 'discrete' ? LARGE : SMALL;
      this.#list();
    }, () => {});
  }

  // stage shows how far loading is, in percent; null where that is not known.
  stage(text, percent, loads) {
    $('library-progress').hidden = !loads;
    $('library-stage').textContent = text;
    $('library-progress').querySelector('i').style.transform = `scaleX(${(percent ?? 0) / 100})`;
  }

  async #use(from, value) {
    show($('library-error'), null);
    const quire = await this.#form.use(from, value);
    show($('library-error'), this.#form.problem);
    this.#list();
    if (!quire) return;
    this.#dialog.close();
    $('message').focus();
  }

  // adapt adds or removes an adapter.
  async #adapt(act) {
    show($('library-error'), null);
    try {
      await act();
      $('library-lora').value = '';
    } catch (e) {
      show($('library-error'), adviceFor(e));
    }
    this.#list();
  }

  async #list() {
    const [kept, storage, sessions] = await Promise.all([Quire.models.list(), Quire.models.storage(), Quire.sessions.list().catch(() => [])]).catch(() => [[], null, []]);
    const names = new Set(kept.flatMap((m) => m.names));
    $('library-key-form').hidden = $('server-key').parentElement.hidden;
    const rows = [
      ...[...$('server-model').options].map(({value}) => this.#model(value, 'This server’s', '', 'Ask', ['server', value])),
      this.#model('Quire Tales', 'Built in: a small teller of stories, 8 MB', '', 'Use', ['builtin', '']),
      ...kept.filter((m) => !m.names.some((n) => n.endsWith('/quire-tales.gguf'))).map((m) => this.#kept(m)),
      ...SOME.filter(([name]) => !names.has(name)).map(([name, title, size]) => this.#model(title, name, this.#takes([name], size), 'Get', ['url', name])),
    ];
    $('library-list').replaceChildren(...rows, ...this.#read(sessions.filter(({name}) => name.startsWith(CHAT))), ...this.#adapters.known.map((adapter) => this.#adapter(adapter)));
    $('library-adapter').hidden = Boolean(this.#form.quire?.server);
    $('library-room').textContent = storage?.quota ? `Models take ${bytes(storage.models)} here${storage.sessions ? `, kept conversations ${bytes(storage.sessions)}` : ''}; there is room for ${bytes(storage.free)}.` : '';
    $('library-persist').hidden = !storage || storage.persisted || kept.length === 0;
  }

  // read is the row of what models have read of conversations, where something of it is kept.
  #read(sessions) {
    if (sessions.length === 0) return [];
    const remove = iconButton('bin', 'Delete what models have read', async () => {
      for (const {name} of sessions) await Quire.sessions.remove(name).catch((e) => show($('library-error'), adviceFor(e)));
      this.#list();
    });
    const size = sessions.reduce((sum, {bytes: each}) => sum + each, 0);
    return [this.#row('What models have read', `Kept with conversations (${sessions.length}): without it their words are read again`, bytes(size), remove)];
  }

  #kept(model) {
    const here = model.whole ? `Kept, last used ${model.used.toLocaleDateString()}` : `${bytes(model.bytes)} of it are here`;
    const remove = iconButton('bin', `Delete ${model.name}`, async () => {
      await Quire.models.remove(model).catch((e) => show($('library-error'), adviceFor(e)));
      this.#list();
    });
    return this.#model(shortly(model.name), here, this.#takes(model.names, model.size), model.whole ? 'Use' : 'Go on', ['url', model.name], remove);
  }

  #adapter({url, lora}) {
    const remove = iconButton('bin', lora ? `Take ${lora.name} away` : `Forget ${shortly(url)}`, () => this.#adapt(() => this.#adapters.remove(url)));
    const add = lora ? [] : [button('Add', () => this.#adapt(() => this.#adapters.add(url)))];
    return this.#row(lora?.name ?? shortly(url), lora ? 'LoRA adapter, loaded: conversations choose it among their parameters' : 'LoRA adapter', '', ...add, remove);
  }

  // model is a row of one that use can load, and says so of the one that is loaded.
  #model(title, note, takes, label, [from, value], ...more) {
    const own = this.#form.loaded?.from === from && this.#form.loaded.value === value;
    return this.#row(title, own ? `In use · ${note}` : note, takes, button(own ? 'Load again' : label, () => this.#use(from, value)), ...more);
  }

  #row(title, note, takes, ...buttons) {
    for (const b of buttons) if (!b.getAttribute('aria-label')) b.setAttribute('aria-label', `${b.textContent} ${title}`);
    const size = takes ? [make('span', {className: 'note', textContent: takes})] : [];
    return make('li', {}, make('div', {}, make('strong', {textContent: title}), make('span', {className: 'note', textContent: note}), ...size), ...buttons);
  }

  // takes says how large a model's file is, and what it takes on the GPU: as it was loaded last, or at most.
  #takes(names, size) {
    const asked = Number($('kv-memory').value) * 2 ** 20, last = asked ? null : known(names);
    if (last) return `${bytes(size)}; takes ${bytes(last.weights + last.cache)} of GPU memory, of which ${bytes(last.cache)} for conversations`;
    return `${bytes(size)}; takes up to ${bytes(size + (asked || this.#most))} of GPU memory`;
  }
}

const button = (label, act) => make('button', {type: 'button', textContent: label, onclick: act});

// shortly is the end of a name that is an address.
function shortly(name) {
  if (!/^https?:/.test(name)) return name.replace(/^hf:/, '');
  const last = new URL(name).pathname.split('/').at(-1);
  try {
    return decodeURIComponent(last);
  } catch {
    return last; // addresses may have a % that is none of an escape
  }
}
