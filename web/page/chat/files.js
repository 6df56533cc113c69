// Text files that go with the next message.

import {bytes} from '../format.js';
import {iconButton, make} from './icons.js';

const $ = (id) => document.getElementById(id);

const MOST = 2_000_000; // bytes a file: far more than a context holds

export class Files {
  #files = []; // {name, text}

  constructor() {
    $('attach').onclick = () => $('attached').click();
    $('attached').onchange = async () => {
      await this.add($('attached').files);
      $('attached').value = '';
    };
  }

  // add reads files; of those that are no text it says so.
  async add(files) {
    const problems = [];
    for (const file of files) {
      const text = file.size <= MOST ? await file.text().catch(() => null) : '';
      if (file.size > MOST) problems.push(`${file.name} is too long: ${bytes(file.size)}.`);
      else if (text === null) problems.push(`${file.name} cannot be read.`);
      else if (text.includes('\0') || text.includes('\uFFFD')) problems.push(`${file.name} is not text.`);
      else this.#files.push({name: file.name, text});
    }
    $('files-problem').textContent = problems.join(' ');
    this.#show();
    $('message').focus();
  }

  // take gives the files, which go with a message.
  take() {
    const files = this.#files;
    this.#files = [];
    $('files-problem').textContent = '';
    this.#show();
    return files;
  }

  get any() {
    return this.#files.length > 0;
  }

  #show() {
    $('files').hidden = !this.any;
    $('files').replaceChildren(...this.#files.map((file, i) => make('li', {}, `${file.name} `, make('span', {className: 'note', textContent: bytes(file.text.length)}),
      iconButton('close', `Take ${file.name} off`, () => {
        this.#files.splice(i, 1);
        this.#show();
        $('message').focus();
      }))));
  }
}
