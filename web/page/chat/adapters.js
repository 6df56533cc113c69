// LoRA adapters of the model that is loaded, which conversations choose from. Addresses are remembered.

const KEY = 'quire.adapters', MOST = 8;
const RANK = 32; // ranks that a model is opened with once an adapter is wanted

const $ = (id) => document.getElementById(id);

// Adapters loads them into the model of a form, and tells changed(names).
export class Adapters {
  #form;
  #changed;
  #quire = null; // that has them
  #loaded = new Map(); // by address

  constructor(form, changed) {
    this.#form = form;
    this.#changed = changed;
  }

  // known lists addresses: those that are loaded, and others that were.
  get known() {
    return [...new Set([...this.#loaded.keys(), ...recall()])].map((url) => ({url, lora: this.#loaded.get(url) ?? null}));
  }

  // suit is told which model is loaded; null: none.
  suit(quire) {
    this.#quire = quire;
    this.#loaded.clear();
    this.#tell();
  }

  // add loads one, and the model anew where it has no room for any.
  async add(url) {
    if (!this.#quire || Number($('lora-rank').value) === 0) {
      if (Number($('lora-rank').value) === 0) $('lora-rank').value = RANK;
      if (!await this.#form.load()) return;
    }
    this.#loaded.set(url, await this.#quire.loadLora(url));
    remember([url, ...recall().filter((each) => each !== url)]);
    this.#tell();
  }

  // remove takes one away; where it was not loaded it is forgotten.
  async remove(url) {
    const lora = this.#loaded.get(url);
    if (lora) await lora.drop();
    else remember(recall().filter((each) => each !== url));
    this.#loaded.delete(url);
    this.#tell();
  }

  #tell() {
    this.#changed([...this.#loaded.values()].map(({name}) => name));
  }
}

// A page may be without storage, or not allowed to use it: then nothing is remembered.
function recall() {
  try {
    const list = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(list) ? list.filter((url) => typeof url === 'string') : [];
  } catch {
    return [];
  }
}

function remember(list) {
  try {
    localStorage.setItem(KEY, JSON.stringify(list.slice(0, MOST)));
  } catch {
    // they are known until the page is left
  }
}
