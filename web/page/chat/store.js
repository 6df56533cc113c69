// Keeps conversations in the browser. A page may be without IndexedDB, or not allowed to use it: then they last as long as the page.

const NAME = 'quire.chat', STORE = 'conversations';

export class Store {
  #database = null; // a promise, once it is asked for

  // open gives the conversations that are kept; null: nothing can be kept.
  async open() {
    try {
      this.#database = await opened();
      return await done(this.#store('readonly').getAll());
    } catch {
      this.#database = null;
      return null;
    }
  }

  put(talk) {
    return this.#write((store) => store.put(talk));
  }

  remove(id) {
    return this.#write((store) => store.delete(id));
  }

  // write tells whether something is kept.
  async #write(change) {
    if (!this.#database) return false;
    try {
      await done(change(this.#store('readwrite')));
      return true;
    } catch {
      return false; // the disk is full, or the browser has taken the data away
    }
  }

  #store(mode) {
    return this.#database.transaction(STORE, mode).objectStore(STORE);
  }
}

function opened() {
  const asked = indexedDB.open(NAME, 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, {keyPath: 'id'});
  return done(asked);
}

function done(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
    asked.onblocked = () => reject(new Error('blocked'));
  });
}
