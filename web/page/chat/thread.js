// The messages of the conversation that is shown.

import {branches, path} from './conversation.js';
import {make} from './icons.js';
import {MessageView} from './message.js';

const NEAR_END = 80; // pixels from the end within which it keeps scrolling
const EVERY = 50; // milliseconds, at which what comes is shown

export class Thread {
  #box;
  #list = make('ol', {className: 'talk'});
  #page;
  #talk = null;
  #views = new Map(); // by message id
  #dirty = new Set();
  #drawing = false;

  constructor(box, page) {
    this.#box = box;
    this.#page = page;
    box.append(this.#list);
  }

  // show shows a conversation: another, or what has become of the same.
  show(talk) {
    const other = talk !== this.#talk;
    const follow = other || this.#near();
    if (other) {
      this.#talk = talk;
      this.#views.clear();
    }
    const nodes = path(talk).map((m) => {
      const all = branches(talk, m.parent);
      return talk.beside === m.parent && all.length > 1 && m.role !== 'user' ? this.#columns(all) : this.#view(m).node;
    });
    if (!same(nodes, [...this.#list.children])) this.#list.replaceChildren(...nodes);
    for (const id of this.#shown()) this.#update(id);
    if (follow) this.end();
  }

  // changed draws a message again with the next frame.
  changed(message) {
    this.#dirty.add(message.id);
    if (this.#drawing) return;
    this.#drawing = true;
    setTimeout(() => requestAnimationFrame(() => {
      this.#drawing = false;
      const follow = this.#near();
      for (const id of this.#dirty) this.#update(id);
      this.#dirty.clear();
      if (follow) this.end();
    }), EVERY);
  }

  // focus goes on to a message's button with a title, or its first: the one that was pressed may have gone.
  focus(id, title) {
    this.#views.get(id)?.focus(title);
  }

  // wait says what messages that nothing has come of yet wait for.
  wait(messages, text, percent) {
    for (const {id} of messages) this.#views.get(id)?.wait(text, percent);
  }

  #shown() {
    return [...this.#views].filter(([, view]) => view.node.isConnected).map(([id]) => id);
  }

  #view(m) {
    if (!this.#views.has(m.id)) this.#views.set(m.id, new MessageView(m, this.#page));
    return this.#views.get(m.id);
  }

  #columns(all) {
    const list = make('ul', {className: 'columns'}, ...all.map((m) => this.#view(m).node));
    list.setAttribute('aria-label', 'Answers side by side');
    return make('li', {className: 'beside'}, list);
  }

  #update(id) {
    const view = this.#views.get(id), m = this.#talk.messages.find((each) => each.id === id);
    if (!view || !m) return;
    const all = branches(this.#talk, m.parent);
    view.update({index: all.indexOf(m), count: all.length, beside: this.#talk.beside === m.parent && m.role !== 'user'}, this.#page.runs(this.#talk));
  }

  #near() {
    return this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < NEAR_END;
  }

  // end scrolls to the last message.
  end() {
    this.#box.scrollTop = this.#box.scrollHeight;
  }
}

const same = (a, b) => a.length === b.length && a.every((node, i) => node === b[i]);
