// The list of conversations.

import {nameOf} from './conversation.js';
import {make} from './icons.js';

export class List {
  #node;
  #open;

  // The node is a list element; open(id) is told which was chosen.
  constructor(node, open) {
    this.#node = node;
    this.#open = open;
  }

  // show lists conversations, the last changed first; current is one's id, runs tells whether one answers.
  show(talks, current, runs) {
    const focused = this.#node.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    const sorted = [...talks].sort((a, b) => b.changed - a.changed);
    this.#node.replaceChildren(...sorted.map((talk) => {
      const button = make('button', {type: 'button', onclick: () => this.#open(talk.id)}, make('span', {textContent: nameOf(talk)}));
      button.dataset.id = talk.id;
      if (talk.id === current) button.setAttribute('aria-current', 'true');
      if (runs(talk)) button.append(make('span', {className: 'hidden', textContent: ', answering'}), make('span', {className: 'pulse'}));
      return make('li', {}, button);
    }));
    if (focused) this.#node.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }
}
