// The chat: conversations that are kept, and answered by one backend.

import {adviceFor} from '../advice.js';
import {Answers} from './answers.js';
import {Composer} from './composer.js';
import {add, branches, conversation, isId, merge, nameOf, newId, path, ROOT} from './conversation.js';
import {iconButton, make} from './icons.js';
import {Kept} from './kept.js';
import {List} from './list.js';
import {Parameters} from './parameters.js';
import {Store} from './store.js';
import {Thread} from './thread.js';
import {fileName, read, save, written} from './transfer.js';

const $ = (id) => document.getElementById(id);

const KEPT_EVERY = 1000; // milliseconds, while an answer comes

export class Chat {
  #talks = new Map();
  #talk = conversation(); // that is shown
  #store = new Store((id) => this.#elsewhere(id), (talk, kept) => this.#merge(talk, kept));
  #unsaved = new Set();
  #saving = 0;
  #answers;
  #thread;
  #list = new List($('talks'), (id) => this.open(id));
  #composer = new Composer({send: (text, files) => this.send(text, files), stop: () => this.stop()});
  #kept = new Kept();
  #backend;
  #parameters = new Parameters((talk, field) => {
    this.#touch(talk);
    if (field === 'keep' && !talk.settings.keep) this.#kept.remove(talk.id);
  });
  #defaults = null; // what the model draws by
  #waiting = null; // {text, percent}: what answers without a first token wait for

  // The backend answers, measure takes the figures, failed() is told of answers that failed.
  constructor({backend, measure, failed}) {
    this.#backend = backend;
    this.#answers = new Answers({
      backend: () => backend, measure, failed,
      recall: (talk) => this.#kept.recall(talk, backend.quire),
      changed: (talk, message) => this.#changed(talk, message),
      ended: (talk, messages) => this.#ended(talk, messages),
    });
    this.#thread = new Thread($('thread'), {
      runs: (talk) => this.#answers.runs(talk),
      busy: () => this.#answers.runs(this.#talk),
      edit: (message, text) => this.#ask(message.parent, text, message.files),
      again: (message) => this.#answer(message.parent),
      choose: (message, index) => this.#choose(message, index),
      beside: (message) => this.#beside(message),
      results: (message, texts) => this.#results(message, texts),
    });
    $('new-talk').onclick = () => this.open(null);
    for (const example of document.querySelectorAll('#examples button')) {
      example.onclick = () => {
        this.send(example.textContent);
        $('message').focus();
      };
    }
    $('talk-title').onchange = () => {
      this.#talk.title = $('talk-title').value.trim();
      this.#touch(this.#talk);
      this.#show();
    };
    $('delete-talk').onclick = () => this.#delete(this.#talk);
    $('export-talk').onclick = () => save(fileName(nameOf(this.#talk)), written([this.#talk]));
    $('export-all').onclick = () => save('conversations.json', written([...this.#talks.values()]));
    $('import').onclick = () => $('imported').click();
    $('imported').onchange = () => this.#import($('imported').files[0]);
    addEventListener('pagehide', () => this.#save(true));
    this.#show();
  }

  // suit is told what a model draws by where nothing else is asked for.
  suit(defaults) {
    this.#defaults = defaults;
    this.#parameters.show(this.#talk, defaults);
  }

  // adapt is told which LoRA adapters there are.
  adapt(names) {
    this.#parameters.offer(names);
  }

  // attach takes files for the next message.
  attach(files) {
    return this.#composer.files.add(files);
  }

  // start lists what is kept, the last conversation first.
  async start() {
    const kept = await this.#store.open();
    $('unkept').hidden = kept !== null;
    if (kept) this.#kept.clear((id) => kept.some((talk) => talk.id === id && talk.settings.keep));
    for (const talk of kept ?? []) {
      for (const m of talk.messages) if (m.state === 'running') m.state = 'cut';
      this.#talks.set(talk.id, talk);
    }
    this.#show();
  }

  // open shows a conversation, or a new one.
  open(id) {
    this.#talk = this.#talks.get(id) ?? conversation(this.#talk.settings);
    if ($('list').matches(':popover-open')) $('list').hidePopover();
    this.#show();
    $('message').focus();
  }

  // send asks on.
  send(text, files) {
    this.#ask(path(this.#talk).at(-1)?.id ?? ROOT, text, files);
  }

  stop() {
    this.#answers.stop(this.#talk);
  }

  // wait says what answers wait for that have not begun: a model that is loaded. Nothing: they are read.
  wait(text, percent) {
    this.#waiting = text ? {text, percent} : null;
    this.#showWaiting();
  }

  #ask(parent, text, files) {
    this.#talks.set(this.#talk.id, this.#talk);
    $('chat-notice').replaceChildren();
    this.#answer(add(this.#talk, parent, {role: 'user', text, ...(files?.length && {files})}).id);
  }

  // results answers on from what tools gave.
  #results(message, texts) {
    if (this.#answers.runs(this.#talk)) return;
    let at = message.id;
    message.calls.filter(Boolean).forEach(({id, name}, i) => { at = add(this.#talk, at, {role: 'tool', text: texts[i], call: id, name}).id; });
    this.#answer(at);
    $('message').focus();
  }

  #answer(parent) {
    if (this.#answers.runs(this.#talk)) return;
    const count = this.#talk.settings.answers ?? 1;
    delete this.#talk.beside;
    this.#answers.begin(this.#talk, parent, count);
    if (count > 1) this.#talk.beside = parent;
    this.#say('Answering');
    this.#touch(this.#talk);
    this.#show();
    this.#thread.end();
  }

  #choose(message, index) {
    const talk = this.#talk;
    talk.chosen[message.parent] = branches(talk, message.parent)[index].id;
    if (talk.beside === message.parent) delete talk.beside;
    this.#touch(talk);
    const pressed = document.activeElement?.title;
    this.#show();
    this.#thread.focus(branches(talk, message.parent)[index], pressed);
  }

  #beside(message) {
    this.#talk.beside = message.parent;
    this.#touch(this.#talk);
    this.#show();
  }

  #changed(talk, message) {
    this.#touch(talk);
    if (talk !== this.#talk) return;
    this.#thread.changed(message);
    this.#thread.wait([message], '');
  }

  #ended(talk, messages) {
    this.#touch(talk);
    if (messages[0].state !== 'failed') this.#keep(talk);
    if (talk !== this.#talk) {
      this.#showList();
      return;
    }
    this.#thread.wait(messages, '');
    this.#show();
    const [{state, text}] = messages;
    this.#say(state === 'failed' ? '' : `${state === 'stopped' ? 'Stopped' : 'Answered'}: ${text.slice(0, 1000)}`);
  }

  // keep keeps what the model has read of a conversation, where it is to.
  async #keep(talk) {
    const {quire} = this.#backend;
    try {
      await this.#kept.keep(talk, quire, () => this.#talks.has(talk.id));
    } catch (e) {
      if (quire !== this.#backend.quire || this.#offers) return;
      this.#notice(e.name === 'ErrNoRoom' ? 'The browser has no more room to remember what the model has read.'
        : `What the model has read is not kept: ${adviceFor(e).message}.`);
    }
  }

  #show() {
    const talk = this.#talk, empty = talk.messages.length === 0, runs = this.#answers.runs(talk);
    this.#parameters.show(talk, this.#defaults);
    if (document.activeElement !== $('talk-title')) $('talk-title').value = nameOf(talk);
    for (const id of ['talk-title', 'export-talk', 'delete-talk']) $(id).hidden = empty;
    $('export-all').disabled = this.#talks.size === 0;
    $('welcome').hidden = !empty;
    $('thread').hidden = empty;
    this.#thread.show(talk);
    this.#composer.busy(runs);
    this.#showWaiting();
    this.#showList();
  }

  #showWaiting() {
    const {text, percent} = this.#waiting ?? {text: 'Reading', percent: null};
    this.#thread.wait(this.#talk.messages.filter((m) => m.state === 'running' && !m.text && !m.thoughts && !m.calls), text, percent);
  }

  #showList() {
    this.#list.show(this.#talks.values(), this.#talk.id, (talk) => this.#answers.runs(talk));
  }

  // elsewhere takes over what another tab has made of a conversation. What is answered here goes on here, and what is written stays.
  async #elsewhere(id) {
    const kept = await this.#store.get(id), mine = this.#talks.get(id);
    if (mine && !kept) {
      if (this.#answers.runs(mine) || this.#unsaved.has(mine)) return;
      this.#talks.delete(id);
      if (this.#talk === mine) this.#talk = conversation(mine.settings);
    } else if (!mine && kept) {
      this.#talks.set(id, kept);
    } else if (!kept || kept.version <= mine.version) {
      return;
    } else {
      this.#merge(mine, kept);
    }
    this.#show();
  }

  #merge(talk, kept) {
    merge(talk, kept, (message) => this.#answers.answers(talk, message));
    if (talk === this.#talk) setTimeout(() => this.#show());
  }

  // delete takes a conversation away; for a while it can be had back.
  #delete(talk) {
    this.#answers.stop(talk);
    this.#talks.delete(talk.id);
    this.#unsaved.delete(talk);
    this.#store.remove(talk.id);
    if (talk.settings.keep) this.#kept.remove(talk.id);
    this.open(null);
    this.#notice(`“${nameOf(talk)}” is deleted.`, 'Undo', () => {
      this.#talks.set(talk.id, talk);
      this.#unsaved.add(talk);
      this.#save();
      this.open(talk.id);
    });
  }

  async #import(file) {
    $('imported').value = '';
    try {
      const talks = read(await file.text());
      for (const talk of talks) {
        for (const m of talk.messages) if (m.state === 'running') m.state = 'cut';
        if (!isId(talk.id) || this.#talks.has(talk.id)) talk.id = newId(); // both are kept
        this.#talks.set(talk.id, talk);
        this.#unsaved.add(talk);
      }
      this.#save();
      if (talks.length > 0) this.open(talks[0].id);
      this.#notice(`${talks.length === 1 ? 'One conversation is' : `${talks.length} conversations are`} imported.`);
    } catch (e) {
      this.#notice(e.message);
    }
  }

  #notice(text, label, act) {
    const end = () => $('chat-notice').replaceChildren();
    const undo = act ? [make('button', {type: 'button', textContent: label, onclick: () => {
      end();
      act();
    }})] : [];
    $('chat-notice').replaceChildren(make('div', {className: 'chat-notice'}, make('p', {textContent: text}), ...undo, iconButton('close', 'Close', end)));
  }

  // offers tells whether a notice has something to be done.
  get #offers() {
    return $('chat-notice').querySelector('button:not(.icon-button)') !== null;
  }

  #say(text) {
    $('chat-status').textContent = text;
  }

  // touch has a conversation kept, soon.
  #touch(talk) {
    if (!this.#talks.has(talk.id)) return; // nothing is said there yet, or it is deleted
    talk.changed = Date.now();
    this.#unsaved.add(talk);
    this.#saving ||= setTimeout(() => this.#save(), KEPT_EVERY);
  }

  async #save(haste = false) {
    clearTimeout(this.#saving);
    this.#saving = 0;
    const talks = [...this.#unsaved];
    this.#unsaved.clear();
    const kept = await Promise.all(talks.map((talk) => this.#store.put(talk, haste)));
    talks.forEach((talk, i) => { if (!kept[i] && this.#talks.has(talk.id)) this.#unsaved.add(talk); }); // there may be room later
    if (talks.length > 0) $('unkept').hidden = kept.every(Boolean);
  }
}
