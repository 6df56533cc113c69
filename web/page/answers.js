// The answers to one prompt: one is the output itself, several stand in it one below the other.

import {letter, TONES} from './cell.js';

const NEAR_END = 40; // pixels from the end within which the output keeps scrolling

export class Answers {
  #output;
  #number;
  #texts = [];
  #endings = [];
  #places = []; // where they stand
  #drawing = false;

  // The output is an element, the number its prompt's.
  constructor(output, number) {
    this.#output = output;
    this.#number = number;
  }

  get count() {
    return this.#texts.length;
  }

  // begin makes room for so many answers.
  begin(count) {
    this.#texts = Array(count).fill('');
    this.#endings = [];
    this.#layOut();
  }

  add(index, text) {
    this.#texts[index] += text;
    this.#draw();
  }

  // end writes how each of several answers ended.
  end(endings) {
    this.#endings = endings;
    this.#output.querySelectorAll('.answer').forEach((place, i) => { place.textContent = this.#name(i) + (endings[i] ? `: ${endings[i]}` : ''); });
  }

  kept() {
    return {answers: this.#texts.some(Boolean) ? this.#texts : [], endings: this.#endings};
  }

  restore(answers, endings) {
    this.begin(answers.length);
    this.#texts = [...answers];
    this.#write();
    this.end(endings);
  }

  #name(index) {
    return `Answer ${this.#number}${letter(index)}`;
  }

  #layOut() {
    const {length} = this.#texts;
    this.#output.replaceChildren();
    if (length > 1) {
      this.#output.append(...this.#texts.map((_, i) => {
        const answer = document.createElement('div');
        const name = document.createElement('h4');
        name.className = 'answer';
        name.style.setProperty('--hue', `var(--hue-${1 + (this.#number - 1) % 6})`);
        name.style.setProperty('--paler', `${100 * TONES[i % TONES.length]}%`);
        name.textContent = this.#name(i);
        answer.append(name, document.createElement('p'));
        return answer;
      }));
    }
    this.#places = length > 1 ? [...this.#output.querySelectorAll('p')] : [this.#output];
  }

  // draw shows the texts once a frame, and follows their end while the reader is there.
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      const o = this.#output;
      const follow = o.scrollHeight - o.scrollTop - o.clientHeight < NEAR_END;
      this.#write();
      if (follow) o.scrollTop = o.scrollHeight;
    });
  }

  #write() {
    this.#places.forEach((place, i) => { place.textContent = this.#texts[i]; });
  }
}
