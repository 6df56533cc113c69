// What was said before in a prompt's conversation.

import {count} from './format.js';

// Turns shows them, the oldest first. Those that the context has no room for are set apart: the model no longer sees them.
export class Turns {
  #list;
  #said = []; // {text, answer}
  #unseen = 0; // of these, the oldest

  constructor(list) {
    this.#list = list;
  }

  // messages is what the model is to see.
  get messages() {
    return this.#said.slice(this.#unseen).flatMap(({text, answer}) => [{role: 'user', content: text}, {role: 'assistant', content: answer}]);
  }

  add(text, answer) {
    this.#said.push({text, answer});
    this.#show();
  }

  // drop tells how many messages had to be left out of what messages gave.
  drop(messages) {
    this.#unseen = Math.min(this.#said.length, this.#unseen + Math.ceil(messages / 2));
    this.#show();
  }

  kept() {
    return {turns: this.#said, unseen: this.#unseen};
  }

  restore(turns, unseen) {
    this.#said = [...turns];
    this.#unseen = Math.min(unseen, turns.length);
    this.#show();
  }

  #show() {
    this.#list.hidden = this.#said.length === 0;
    this.#list.replaceChildren(...this.#said.map(({text, answer}, i) => {
      const turn = document.createElement('li');
      turn.classList.toggle('unseen', i < this.#unseen);
      for (const [name, words] of [['said', text], ['told', answer]]) {
        const part = document.createElement('p');
        part.className = name;
        part.textContent = words;
        turn.append(part);
      }
      return turn;
    }));
    if (this.#unseen > 0) {
      const note = document.createElement('li');
      note.className = 'note';
      note.textContent = `The context is full: the model no longer sees the ${count(2 * this.#unseen, 'message')} above.`;
      this.#list.children[this.#unseen - 1].after(note);
    }
    this.#list.scrollTop = this.#list.scrollHeight;
  }
}
