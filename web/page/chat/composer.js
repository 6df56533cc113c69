// Where the next message is written.

import {Files} from './files.js';
import {icon} from './icons.js';

const $ = (id) => document.getElementById(id);

export class Composer {
  area = $('message');
  files = new Files();
  #page;
  #busy = false;

  // The page is told send(text, files) and stop().
  constructor(page) {
    this.#page = page;
    this.area.addEventListener('input', () => this.#grow());
    this.area.addEventListener('keydown', (e) => {
      if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
      e.preventDefault();
      if (!this.#busy) this.#send();
    });
    $('composer').addEventListener('submit', (e) => {
      e.preventDefault();
      if (this.#busy) this.#page.stop();
      else this.#send();
    });
  }

  // busy tells whether the conversation is being answered: then the button stops it.
  busy(busy) {
    const button = $('send');
    if (busy === this.#busy && button.firstChild) return;
    this.#busy = busy;
    button.replaceChildren(icon(busy ? 'stop' : 'send'));
    button.classList.toggle('stops', busy);
    button.title = busy ? 'Stop' : 'Send';
    button.setAttribute('aria-label', busy ? 'Stop' : 'Send');
  }

  // put writes a text to go on with.
  put(text) {
    this.area.value = text;
    this.#grow();
  }

  #send() {
    const text = this.area.value;
    if (!text.trim() && !this.files.any) return;
    this.put('');
    this.#page.send(text, this.files.take());
  }

  // grow makes the field as high as its text; style.css says how high at most.
  #grow() {
    this.area.style.height = 'auto';
    this.area.style.height = `${this.area.scrollHeight + 2}px`;
  }
}
