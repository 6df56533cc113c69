// The tools that an answer calls, and what they give: nothing here runs them, so a reader types it.

import {codeBlock} from './code.js';
import {make} from './icons.js';
import {pretty} from './markdown.js';

// Calls shows an answer's calls. Where they are the last that was said, there is a field for each one's result, and given(results) is told.
export class Calls {
  node = make('div', {className: 'calls'});
  #given;
  #list = make('div');
  #form = null;
  #shown = '';

  constructor(given) {
    this.#given = given;
    this.node.append(this.#list);
  }

  show(calls, wanted) {
    const all = calls.filter(Boolean), now = JSON.stringify(all);
    if (now !== this.#shown) {
      this.#shown = now;
      this.#list.replaceChildren(...all.map(({name, arguments: given}) => make('div', {className: 'call'},
        make('p', {className: 'note'}, 'Calls ', make('strong', {textContent: name})), codeBlock(pretty(given) ?? given, 'json'))));
    }
    if (wanted && !this.#form) this.node.append(this.#form = this.#fields(all));
    else if (!wanted && this.#form) this.#form = this.#form.remove() ?? null;
  }

  #fields(calls) {
    const areas = calls.map(() => make('textarea', {rows: 2, spellcheck: false, placeholder: 'What the tool gives, as text or JSON'}));
    const form = make('form', {className: 'results', autocomplete: 'off'},
      ...calls.map(({name}, i) => make('label', {}, `Result of ${name} `, areas[i])),
      make('div', {className: 'bar'}, make('button', {type: 'submit', textContent: calls.length > 1 ? 'Give the results' : 'Give the result'})));
    form.onsubmit = (e) => {
      e.preventDefault();
      this.#given(areas.map((area) => area.value));
    };
    return form;
  }
}
