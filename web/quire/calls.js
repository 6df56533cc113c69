import {randomSeed} from './generation.js';

/**
 * What a tab has asked of an engine that another may follow, in another tab. There all that is not answered is asked again, once the model
 * is open and the tab's adapters are loaded. A stream goes on from the tokens that have come: with its prompt, its seed and as many draws
 * it is the same. One of the API's goes on at the byte where it stood, as these tokens make the same events.
 */
export class Calls {
  #open = null; // the message
  #opened = false;
  #adapters = new Map(); // LoRA, by the number that the tab knows: {message, number}, which the engine knows
  #calls = new Map(); // by id: {message}; of a stream {prompt, landed, cancelled}; of one of the API {begun, had, bytes, held, cancelled}
  #watched = null; // the message, if blocks are watched
  #stage = 'apart'; // from all engines; then 'opening', 'adapting', 'ready'
  #awaited = 0; // answers until the next stage

  /** Notes what is asked. Gives it where it is to be sent at once, or null. */
  asked(message) {
    if (message.method === 'ask') message = journalled(message);
    const {method, id, argument} = message;
    if (method === 'open') this.#open = message;
    else if (method === 'watch') this.#watched = argument === 'true' ? message : null;
    else if (method !== 'cancel' || this.#calls.has(Number(argument))) this.#calls.set(id, {message, landed: [], had: [], bytes: 0});
    if (method === 'flow') this.#held(message);
    if (method === 'cancel') this.#cancelled(message);
    return this.#stage === 'ready' ? this.#translated(message) : null;
  }

  /** There is an engine, if an empty one. Gives what is to be asked first. */
  begin() {
    this.#stage = 'opening';
    return this.#open;
  }

  /** There is none. */
  end() {
    this.#stage = 'apart';
    for (const call of this.#calls.values()) if (!call.begun) call.had = []; // it begins anew, and is told all again
  }

  /** Notes what was said. Gives what of it is for the tab, and what is to be asked now. */
  heard(message) {
    const {kind, id, value} = message;
    if (kind === 'chunks') {
      for (const chunk of value) this.#landed(chunk);
    } else if (kind === 'done' || kind === 'failed' || kind === 'head') {
      if (id === this.#open?.id) return this.#answered(message);
      const call = this.#calls.get(id);
      return call ? {own: this.#own(message, call), more: []} : this.#adapted(message);
    } else if (kind === 'events') {
      for (const part of value) this.#told(part);
    }
    return {own: [message], more: []};
  }

  // answered takes the answer to open, of which the tab hears the first.
  #answered(message) {
    const {kind, value} = message;
    if (kind === 'failed') return {own: [this.#opened ? {kind: 'crashed', id: 0, value} : message], more: []};
    const own = this.#opened ? [] : [message];
    this.#opened = true;
    this.#stage = 'adapting';
    this.#awaited = this.#adapters.size;
    if (this.#awaited > 0) return {own, more: Array.from(this.#adapters.values(), (adapter) => adapter.message)};
    const rest = this.#rest();
    return {own: [...own, ...rest.own], more: rest.more};
  }

  // adapted notes the number of an adapter that is loaded again.
  #adapted(answer) {
    const {kind, id, value} = answer;
    const adapter = [...this.#adapters.values()].find(({message}) => message.id === id);
    if (this.#stage !== 'adapting' || !adapter) return {own: [answer], more: []};
    adapter.number = kind === 'done' ? value.id : 0; // none has this one
    return --this.#awaited === 0 ? this.#rest() : {own: [], more: []};
  }

  #rest() {
    this.#stage = 'ready';
    const calls = [...this.#calls.values()];
    const answered = calls.flatMap(({held, cancelled}) => [held, cancelled]).filter((message) => message && !this.#calls.has(message.id));
    const messages = [...calls.map((call) => this.#translated(goingOn(call))), ...answered];
    return {own: [], more: this.#watched ? [this.#watched, ...messages] : messages};
  }

  // own gives what a tab hears of an answer to its call.
  #own(message, call) {
    const {kind, id, value} = message;
    const {method} = call.message;
    if (method === 'submit' && kind === 'done') {
      const again = Boolean(call.prompt);
      call.prompt = value.promptIds;
      return again ? [] : [message];
    }
    if (kind === 'head' && value.stream) {
      const again = call.begun;
      call.begun = true;
      return again ? [] : [message];
    }
    this.#calls.delete(id);
    if (method === 'dropLoRA') this.#adapters.delete(Number(call.message.argument)); // until then another engine loads it, too
    if (call.begun) return [kind === 'failed' ? message : {kind: 'failed', id, value: {name: 'ErrClosed', message: refusal(message)}}];
    if (call.prompt) return [{kind: 'chunks', id: 0, value: [{id, result: {error: value}}]}]; // it cannot go on
    if (method !== 'addLoRA' || kind !== 'done') return [message];
    const known = this.#adapters.has(value.id) ? 2 ** 40 + id : value.id; // as an earlier engine called another
    this.#adapters.set(known, {message: call.message, number: value.id});
    return [{...message, value: {...value, id: known}}];
  }

  #landed({id, index = 0, ids = [], logprobs, result}) {
    const call = this.#calls.get(id);
    if (!call) return;
    const landed = call.landed[index] ??= [];
    landed.push(...logprobs ?? ids.map((token) => ({id: token})));
    if (result) this.#calls.delete(id);
  }

  #told({id, size, end, told = []}) {
    const call = this.#calls.get(id);
    if (!call) return;
    call.bytes += size;
    call.had.push(...told);
    if (end) this.#calls.delete(id);
  }

  // held notes whether the reader of a stream of the API has enough for now.
  #held(message) {
    const {id, open} = JSON.parse(message.argument);
    const call = this.#calls.get(id);
    if (call) call.held = open ? null : message;
  }

  // cancelled notes that a stream is to end, which it may do later than that is answered.
  #cancelled(message) {
    const call = this.#calls.get(Number(message.argument));
    if (call) call.cancelled = message;
  }

  // translated gives a message with the numbers of adapters that the engine knows.
  #translated(message) {
    const {method, argument} = message;
    if (![...this.#adapters].some(([known, {number}]) => known !== number)) return message;
    const numberOf = (known) => this.#adapters.get(known)?.number ?? 0;
    if (method === 'dropLoRA') return {...message, argument: String(numberOf(Number(argument)))};
    if (method !== 'submit' && method !== 'embed') return message;
    const {lora, ...rest} = JSON.parse(argument);
    if (!lora) return message;
    return {...message, argument: JSON.stringify({...rest, lora: lora.map(({adapter, scale}) => ({adapter: numberOf(adapter), scale}))})};
  }
}

// journalled gives a call of the API as another engine can go on with it: all that is random of its answer is made of a seed.
function journalled(message) {
  const journal = {seed: randomSeed(), asked: Date.now()};
  return {...message, argument: JSON.stringify({...JSON.parse(message.argument), journal})};
}

// refusal gives the words of an answer that is an error.
const refusal = ({bytes}) => JSON.parse(new TextDecoder().decode(bytes)).error.message;

// goingOn gives the message of a call from where it stands.
function goingOn({message, prompt, landed, begun, had, bytes}) {
  if (begun) {
    const {journal, ...rest} = JSON.parse(message.argument);
    return {...message, argument: JSON.stringify({...rest, journal: {...journal, had, bytes}})};
  }
  if (!prompt) return message;
  const {prompt: text, ids, after, messages, truncation, ...rest} = JSON.parse(message.argument);
  return {...message, argument: JSON.stringify({...rest, ids: prompt, landed: Array.from(landed, (tokens) => tokens ?? [])})};
}
