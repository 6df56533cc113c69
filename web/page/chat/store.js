// Keeps conversations in the browser. A page may be without IndexedDB, or not allowed to use it: then they last as long as the page.

const NAME = 'quire.chat', STORE = 'conversations';

export class Store {
  #database = null;
  #channel = new BroadcastChannel(NAME);

  // changed(id) is told of what another tab has changed.
  constructor(changed) {
    this.#channel.onmessage = ({data}) => changed(data);
  }

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

  // get gives a conversation as it is kept; undefined: it is not.
  async get(id) {
    return this.#database ? done(this.#store('readonly').get(id)).catch(() => undefined) : undefined;
  }

  put(talk) {
    return this.#write(talk.id, (store) => store.put(talk));
  }

  remove(id) {
    return this.#write(id, (store) => store.delete(id));
  }

  // write tells whether it is kept.
  async #write(id, change) {
    if (!this.#database) return false;
    try {
      await done(change(this.#store('readwrite')));
      this.#channel.postMessage(id);
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
