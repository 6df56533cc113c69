// The messages of the conversation that is shown.

import {branches, following, path} from './conversation.js';
import {make} from './icons.js';
import {MessageView} from './message.js';

const NEAR_END = 80; // pixels from the end within which it keeps scrolling
const EVERY = 50; // milliseconds, at which what comes is shown
const PIECE = 12000; // characters of messages that are shown at once; those before them follow

export class Thread {
  #box;
  #list = make('ol', {className: 'talk'});
  #page;
  #talk = null;
  #views = new Map(); // by message
  #earlier = 0; // messages above that are still to be shown
  #timer = 0; // until the next of them
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
    const all = following(talk), list = path(talk, all);
    if (other) {
      this.#talk = talk;
      this.#views.clear();
      this.#earlier = begins(list, list.length);
    }
    this.#earlier = Math.min(this.#earlier, list.length);
    const nodes = list.slice(this.#earlier).map((m) => this.#node(m, all.get(m.parent)));
    const {children} = this.#list;
    let same = 0;
    while (same < nodes.length && nodes[same] === children[same]) same++;
    while (children.length > same) this.#list.lastElementChild.remove();
    this.#list.append(...nodes.slice(same));
    clearTimeout(this.#timer);
    if (this.#earlier > 0) this.#timer = setTimeout(() => this.#before(list, all));
    if (follow) this.end();
  }

  // before shows some messages more, above the others, which stay where they are seen.
  #before(list, all) {
    const to = this.#earlier, below = this.#box.scrollHeight - this.#box.scrollTop;
    this.#earlier = begins(list, to);
    this.#list.prepend(...list.slice(this.#earlier, to).map((m) => this.#node(m, all.get(m.parent))));
    this.#box.scrollTop = this.#box.scrollHeight - below;
    if (this.#earlier > 0) this.#timer = setTimeout(() => this.#before(list, all));
  }

  // changed draws a message again with the next frame.
  changed(message) {
    this.#dirty.add(message);
    if (this.#drawing) return;
    this.#drawing = true;
    setTimeout(() => requestAnimationFrame(() => {
      this.#drawing = false;
      const follow = this.#near();
      for (const m of this.#dirty) if (this.#views.has(m)) this.#update(m, branches(this.#talk, m.parent));
      this.#dirty.clear();
      if (follow) this.end();
    }), EVERY);
  }

  // focus goes on to a message's button with a title, or its first: the one that was pressed may have gone.
  focus(message, title) {
    this.#views.get(message)?.focus(title);
  }

  // wait says what messages that nothing has come of yet wait for.
  wait(messages, text, percent) {
    for (const m of messages) this.#views.get(m)?.wait(text, percent);
  }

  // node is what a message is shown by, among its branches: alone, or beside them.
  #node(m, all) {
    const beside = this.#talk.beside === m.parent && all.length > 1 && m.role !== 'user';
    for (const each of beside ? all : [m]) {
      if (!this.#views.has(each)) this.#views.set(each, new MessageView(each, this.#page));
      this.#update(each, all);
    }
    const nodes = (beside ? all : [m]).map((each) => this.#views.get(each).node);
    if (!beside) return nodes[0];
    const list = make('ul', {className: 'columns'}, ...nodes);
    list.setAttribute('aria-label', 'Answers side by side');
    return make('li', {className: 'beside'}, list);
  }

  #update(m, all) {
    this.#views.get(m).update({index: all.indexOf(m), count: all.length, beside: this.#talk.beside === m.parent && m.role !== 'user', last: !this.#talk.messages.some((each) => each.parent === m.id)}, this.#page.runs(this.#talk));
  }

  #near() {
    return this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < NEAR_END;
  }

  // end scrolls to the last message.
  end() {
    this.#box.scrollTop = this.#box.scrollHeight;
  }
}

// begins gives the first message of a piece that ends before another.
function begins(list, end) {
  let size = 0;
  while (end > 0 && size < PIECE) size += 300 + list[--end].text.length;
  return end;
}
