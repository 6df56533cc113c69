import {badRequest} from './error.js';
import {Generation} from './generation.js';

/** A conversation: the token ids so far, which the next prompt goes on from. */
export class Session {
  #ids;
  #defaults;
  #start;
  #save;
  #running = false;
  #keeper = null; // of one that the browser keeps

  /** @internal */
  constructor(ids, defaults, start, save) {
    this.#ids = ids;
    this.#defaults = defaults;
    this.#start = start;
    this.#save = save;
  }

  /** The token ids so far: of prompts and, of each, the first answer. */
  get ids() {
    return [...this.#ids];
  }

  /**
   * Starts generating, one request at a time. It goes on from what was said: with the user's next message, or with more text.
   * @param {import('../quire.js').Request} request
   */
  generate(request) {
    let mine = false;
    const start = (asked, generation) => {
      if (this.#running) throw badRequest('the session\'s last generation has not ended');
      mine = this.#running = true;
      return this.#start({...asked, after: this.#ids}, generation);
    };
    const over = (result) => {
      if (!mine) return;
      this.#running = false;
      if (!result) return;
      this.#ids = [...result.promptIds, ...result.ids];
      this.#keeper?.changed();
    };
    return new Generation(start, request, this.#defaults, over);
  }

  /** @internal */
  keepBy(keeper) {
    this.#keeper = keeper;
    return this;
  }

  /** Keeps what was said by now; of one that the browser keeps. */
  async keep() {
    if (!this.#keeper) throw badRequest('this session has no name to be kept under: quire.keptSession(name) gives one that has');
    await this.#keeper.now();
  }

  /** Gives a file of the conversation, and of what is in the KV cache of it. */
  async save() {
    return this.#save(this.#ids);
  }
}
