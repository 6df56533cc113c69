// Keeps conversations in the browser. A page may be without IndexedDB, or not allowed to use it: then they last as long as the page.

const NAME = 'quire.chat', STORE = 'conversations';

export class Store {
  #database = null;
  #channel = new BroadcastChannel(NAME);

  #merge;

  // changed(id) is told of what another tab has changed; merge(talk, kept) takes it in where both have.
  constructor(changed, merge) {
    this.#channel.onmessage = ({data}) => changed(data);
    this.#merge = merge;
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

  // put keeps a conversation, with what other tabs have made of it since it was read. In haste, when the page is left, there is no time
  // to look.
  async put(talk, haste = false) {
    let {version} = talk;
    const written = await this.#write(talk.id, async (store) => {
      const kept = haste ? null : await done(store.get(talk.id));
      if (kept?.version > (talk.version ?? 0)) this.#merge(talk, kept);
      ({version} = talk);
      talk.version = (version ?? 0) + 1;
      await done(store.put(talk));
    });
    if (!written) talk.version = version; // another tab's next is newer
    return written;
  }

  remove(id) {
    return this.#write(id, (store) => done(store.delete(id)));
  }

  // write tells whether it is kept.
  async #write(id, change) {
    if (!this.#database) return false;
    try {
      const store = this.#store('readwrite');
      await Promise.all([change(store), over(store.transaction)]);
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

// over settles with a transaction: where there is no room, it fails though all that was asked of it was done.
function over(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}

function done(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
    asked.onblocked = () => reject(new Error('blocked'));
  });
}
