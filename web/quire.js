// Quire runs language models from GGUF files in the tab, on the GPU, in a worker of its own.
//
//   import {Quire} from 'quire-llm';
//   const quire = await Quire.open({model: 'https://example.org/model.gguf'});
//   for await (const {text} of quire.generate({messages: [{role: 'user', content: 'Hello.'}]})) show(text);
//
// Types and what every option means: quire.d.ts.

import {adapters, FEATURES} from './gpu/adapter.js';
import {EngineWorker, programs} from './start.js';
import {Answer} from './quire/answer.js';
import {methods} from './quire/api.js';
import {unpack} from './quire/blocks.js';
import {badRequest, closed, QuireError} from './quire/error.js';
import {fetchOver} from './quire/fetch.js';
import {Generation} from './quire/generation.js';
import {Lora} from './quire/lora.js';
import {seen} from './quire/look.js';
import {models, persistQuietly} from './quire/models.js';
import {fetchable, given, keeping, kind, modelOf, sharingOf, urlOf, written} from './quire/options.js';
import {Session} from './quire/session.js';
import {Keeper, keepUnder, keptFile, sessions} from './quire/sessions.js';
import {tabsWorker} from './quire/tabs.js';
import {keep, remembered} from './quire/tuning.js';

export {QuireError};

export class Quire {
  /** @type {import('./quire.js').Info} */
  info;
  /** Sampling parameters that requests leave out. */
  defaults;
  /** A fetch whose server is this engine, whatever the host is called, for clients of the API. */
  fetch = fetchOver((...call) => this.#ask(...call));

  #kept; // settles what is public:
  /** Resolves when the browser keeps all of the model, or it is known that it does not. */
  kept = new Promise((resolve) => { this.#kept = resolve; });

  #worker;
  #calls = new Map(); // by id: {resolve, reject}
  #streams = new Map(); // by the id of the call that started it
  #answers = new Map(); // of the API, by the id of their call
  #watchers = new Set(); // of the blocks
  #keepers = new Set(); // of sessions
  static #next = 1; // over all engines, which may have a worker one after another
  #failure = null; // why the worker is gone
  #closing = null; // settles when close has ended
  #progress;
  #recovering;

  /** Lists the adapters that WebGPU offers, the best first. */
  static async adapters() {
    const list = await adapters('').catch((e) => {
      throw new QuireError({name: 'ErrNoAdapter', message: e.message});
    });
    return list.map(([, {index, name, vendor, type, features}]) =>
      ({index, name, vendor, type, features: FEATURES.filter((_, i) => features & (1 << i))}));
  }

  /**
   * Starts a worker, loads a model and compiles what it needs.
   * @param {import('./quire.js').OpenOptions} options
   */
  static async open(options) {
    const {model, onProgress, onRecovering, signal, ...all} = given(options);
    const {shared, ...own} = all;
    const {store, rest} = keeping(own);
    signal?.throwIfAborted();
    const {url, blob} = modelOf(model);
    if (rest.draftModel !== undefined) rest.draftModel = urlOf(rest.draftModel, 'draftModel');
    const sharing = sharingOf(shared, url, {...rest, store});
    if (url && store.keep !== false) persistQuietly();
    const quire = new Quire(programs.engine, onProgress, onRecovering, sharing);
    const call = quire.#call('open', {...rest, tuning: remembered(), url}, blob, Quire.#next++, {store});
    const {defaults, ...info} = await quire.#until(call, signal);
    quire.info = Object.freeze(info);
    quire.defaults = Object.freeze(defaults);
    return quire;
  }

  /**
   * Measures attention's tiles on an adapter and remembers the fastest in localStorage; every later open uses them.
   * @param {import('./quire.js').TuneOptions} [options]
   */
  static async tune(options) {
    const {onProgress, signal, ...rest} = given(options);
    signal?.throwIfAborted();
    const quire = new Quire(programs.bench, onProgress);
    const call = quire.#call('tune', {...rest, remembered: remembered()});
    const {remember: text, ...tuned} = await quire.#until(call, signal);
    quire.#end(closed());
    keep(text);
    return tuned;
  }

  /** Forgets what tune has remembered. */
  static forgetTuning() {
    keep(null);
  }

  /** The models that the browser keeps for this origin. */
  static models = models(async (model, {onProgress, signal, ...all}) => {
    const {store, rest} = keeping(all);
    for (const name of Object.keys(rest)) throw badRequest(`pull knows no option ${JSON.stringify(name)}`);
    signal?.throwIfAborted();
    const url = fetchable(model);
    const quire = new Quire(null, onProgress);
    await quire.#until(quire.#call('pull', url, null, Quire.#next++, {store}), signal);
    quire.#end(closed());
    return url;
  });

  /** The conversations that the browser keeps for this origin. */
  static sessions = sessions;

  /** @internal */
  constructor(program, onProgress, onRecovering, sharing = null) {
    this.#progress = onProgress ?? null;
    this.#recovering = onRecovering ?? null;
    Object.assign(this, methods((...call) => this.#ask(...call)));
    const hear = [(message) => this.#receive(message), (error) => this.#end(error)];
    this.#worker = sharing ? tabsWorker(program, sharing, ...hear) : EngineWorker.take(program, ...hear);
  }

  /**
   * Starts generating. Read the chunks with for await, or only await its result.
   * @param {import('./quire.js').Request} request
   */
  generate(request) {
    return new Generation(this.#start, request, this.defaults);
  }

  /**
   * Gives the embedding of a text, or its score where the model ranks; of a list, those of all, computed together.
   * @param {string | import('./quire.js').EmbedRequest | readonly (string | import('./quire.js').EmbedRequest)[]} request
   */
  async embed(request) {
    if (Array.isArray(request)) return Promise.all(request.map((one) => this.embed(one)));
    const {signal, ...rest} = given(typeof request === 'string' ? {prompt: request} : request, 'the request');
    signal?.throwIfAborted();
    if ('lora' in rest) rest.lora = Lora.named(rest.lora);
    const id = Quire.#next++;
    const call = this.#call('embed', rest, null, id);
    const abort = () => {
      if (this.#calls.has(id)) this.#call('cancel', id).catch(() => {});
      this.#take(id)?.reject(signal.reason);
    };
    signal?.addEventListener('abort', abort, {once: true});
    try {
      const {embedding, ...result} = await call;
      return embedding ? {embedding: Float32Array.from(embedding), ...result} : result;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Looks at what attention of one layer makes of a prompt's last token, and at what it reads for that.
   * @param {import('./quire.js').LookRequest} request
   */
  async look(request) {
    const {head, bytes} = await this.#call('look', given(request, 'the request'));
    return seen(head, new Float32Array(bytes.buffer));
  }

  /**
   * Loads a LoRA adapter for requests to name, while others run.
   * @param {string | URL | Blob} adapter
   * @param {{name?: string}} [options]
   */
  async loadLora(adapter, options) {
    const {url, blob} = modelOf(adapter, 'adapter');
    const {id, name} = await this.#call('addLoRA', {url, ...given(options)}, blob);
    return new Lora(id, name, (number) => this.#call('dropLoRA', number));
  }

  /** Starts a conversation that can be saved. */
  session() {
    return new Session([], this.defaults, this.#start, this.#save);
  }

  /**
   * Goes on with a conversation that Session.save has saved: what was computed for it comes back into the KV cache.
   * @param {Blob} blob
   */
  async loadSession(blob) {
    if (!(blob instanceof Blob)) throw badRequest(`a session is loaded from a Blob or File, not ${kind(blob)}`);
    return this.#restore(blob);
  }

  // restore goes on with what a Blob or a file of the browser's has.
  async #restore(from) {
    return new Session(await this.#call('restore', null, from), this.defaults, this.#start, this.#save);
  }

  /**
   * Goes on with the conversation that the browser keeps under a name, or begins it. It is kept soon after each answer, and when the
   * page is hidden.
   */
  async keptSession(name) {
    const file = await keptFile(name);
    const session = file ? await this.#restore(file) : this.session();
    const keeper = new Keeper(name, (to) => this.#save(session.ids, to));
    this.#keepers.add(keeper);
    return session.keepBy(keeper);
  }

  /** Has the browser keep token ids under a name, and what the KV cache has of them. */
  async keepSession(name, ids) {
    if (typeof ids?.[Symbol.iterator] !== 'function') throw badRequest('the ids must be a list of numbers');
    const list = Array.from(ids); // it may be saved twice
    await keepUnder(name, (to) => this.#save(list, to));
  }

  /** Gives a text's token ids. No BOS or EOS is added. */
  async encode(text, options) {
    if (typeof text !== 'string') throw badRequest(`the text must be a string, not ${kind(text)}`);
    return this.#call('encode', {...given(options), text});
  }

  /** Gives the text of token ids. */
  async decode(ids, options) {
    if (typeof ids?.[Symbol.iterator] !== 'function') throw badRequest('the ids must be a list of numbers');
    return this.#call('decode', {...given(options), ids: Array.from(ids)});
  }

  /** Says what the engine does right now. */
  stats() {
    return this.#call('stats', null);
  }

  /** Says where the time of steps has gone since it was first asked for. */
  hostTimes() {
    return this.#call('hostTimes', null);
  }

  /**
   * Shows the KV cache's blocks: now, and whenever they have changed, at most ten times a second. Returns what ends it.
   * @param {(cache: import('./quire.js').Cache) => void} watcher
   */
  watch(watcher) {
    if (typeof watcher !== 'function') throw badRequest(`the watcher must be a function, not ${kind(watcher)}`);
    const own = (cache) => watcher(cache);
    this.#watchers.add(own);
    this.#call('watch', true).catch(() => {});
    return () => {
      if (this.#watchers.delete(own) && this.#watchers.size === 0) this.#call('watch', false).catch(() => {});
    };
  }

  /**
   * Ends all generations and gives the GPU's memory back. For some seconds the worker waits with its compiled kernels for the next
   * open.
   */
  close() {
    return this.#closing ??= this.#failure ? Promise.resolve() : this.#close().then(() => this.#end(closed(), true)).finally(() => this.#end(closed()));
  }

  async #close() {
    const keepers = [...this.#keepers];
    this.#keepers.clear();
    if (keepers.length > 0) await Promise.all(keepers.map((keeper) => keeper.end()));
    await this.#call('close', null);
  }

  // until waits for a call of a worker that ends when the call fails or the signal aborts.
  async #until(call, signal) {
    const abort = () => this.#end(signal.reason);
    signal?.addEventListener('abort', abort, {once: true});
    try {
      return await call;
    } catch (e) {
      this.#end(e, true);
      throw e;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #call(method, argument, blob = null, id = Quire.#next++, more = {}) {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const text = written(argument);
      this.#calls.set(id, {resolve, reject});
      this.#worker.post({method, id, argument: text, blob, ...more});
    });
  }

  // start submits a request for a Generation and returns what cancels it.
  #start = (request, generation) => {
    const id = Quire.#next++;
    this.#streams.set(id, generation);
    this.#call('submit', request, null, id).then((accepted) => { generation.accepted(accepted); }, (e) => {
      this.#streams.delete(id);
      generation.failed(e);
    });
    return () => {
      if (this.#streams.has(id)) this.#call('cancel', id).catch(() => {});
    };
  };

  // ask sends a call of the API and gives its answer's head: {status, headers, body}.
  #ask({method, path, headers}, body, signal) {
    signal?.throwIfAborted();
    const id = Quire.#next++;
    const tell = (...message) => { this.#call(...message).catch(() => {}); };
    const answer = new Answer({cancel: () => tell('cancel', id), flow: (open) => tell('flow', {id, open})}, signal);
    this.#answers.set(id, answer);
    this.#call('ask', {method, path, headers: Object.fromEntries(headers)}, body, id).then(({head, bytes}) => {
      answer.begins(head, bytes);
      if (!head.stream) this.#answers.delete(id);
    }, (e) => {
      this.#answers.delete(id);
      answer.failed(e);
    });
    return answer.head;
  }

  #save = (ids, to = null) => this.#call('save', ids, to);

  #receive({kind, id, value, bytes}) {
    switch (kind) {
      case 'done':
        this.#take(id)?.resolve(bytes ?? value);
        break;
      case 'failed':
        this.#failed(id, new QuireError(value));
        break;
      case 'progress':
        (this.info && value.stage !== 'download' ? this.#recovering : this.#progress)?.(value);
        break;
      case 'kept':
        this.#kept(Object.freeze(value));
        break;
      case 'chunks':
        for (const message of value) this.#deliver(message);
        break;
      case 'head':
        this.#take(id)?.resolve({head: value, bytes});
        break;
      case 'events':
        this.#events(value, bytes);
        break;
      case 'blocks': {
        const cache = unpack(value, new Uint16Array(bytes.buffer), (stream) => this.#streams.get(stream) ?? null);
        for (const watcher of this.#watchers) watcher(cache);
        break;
      }
      case 'crashed':
        this.#end(new QuireError(value));
        break;
    }
  }

  // failed ends a call, or a stream of the API that has begun.
  #failed(id, error) {
    const call = this.#take(id);
    if (call) return call.reject(error);
    this.#answers.get(id)?.failed(error);
    this.#answers.delete(id);
  }

  #take(id) {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  #deliver({id, index = 0, text = '', ids = [], logprobs, result}) {
    const generation = this.#streams.get(id);
    if (ids.length > 0) generation?.chunk({index, text, ids, ...(logprobs && {logprobs})});
    if (!result) return;
    this.#streams.delete(id);
    generation?.ended(result);
  }

  // events hands out what one landed step adds to answers, which lies one after another in the bytes.
  #events(parts, bytes) {
    let at = 0;
    for (const {id, size, end} of parts) {
      this.#answers.get(id)?.comes(bytes.slice(at, at += size), end);
      if (end) this.#answers.delete(id);
    }
  }

  // end stops everything that waits for the worker, and the worker unless it is kept.
  #end(error, keep = false) {
    if (this.#failure) return;
    this.#failure = error;
    if (keep) this.#worker.keep();
    else this.#worker.terminate();
    for (const {reject} of this.#calls.values()) reject(error);
    this.#calls.clear();
    for (const generation of this.#streams.values()) generation.failed(error);
    this.#streams.clear();
    for (const answer of this.#answers.values()) answer.failed(error);
    this.#answers.clear();
    this.#watchers.clear();
  }
}
