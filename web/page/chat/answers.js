// Answers as they come, of all conversations at once.

import {adviceFor} from '../advice.js';
import {add, request} from './conversation.js';
import {fieldsOf} from './parameters.js';

// Answers asks what backend() gives, and tells changed(conversation, message), now and then, ended(conversation, messages) and
// measure, which has started(), first(tokens, ms) and ended(result); recall(conversation) brings back what was read of it.
export class Answers {
  #running = new Map(); // conversations' ids: the set of requests {messages, controller}
  #page;

  constructor(page) {
    this.#page = page;
  }

  runs(talk) {
    return this.#running.has(talk.id);
  }

  // answers tells whether a message is being answered here.
  answers(talk, message) {
    return [...this.#running.get(talk.id) ?? []].some(({messages}) => messages.includes(message));
  }

  // stop ends what runs in a conversation; what has come stays.
  stop(talk) {
    for (const {controller} of this.#running.get(talk.id) ?? []) controller.abort();
  }

  // begin answers the message with the given id, so many times, and gives the answers that are to come.
  begin(talk, parent, count = 1) {
    const backend = this.#page.backend();
    const messages = Array.from({length: count}, () => add(talk, parent, {role: 'assistant', text: '', state: 'running', model: backend.name ?? ''}));
    const run = {messages, controller: new AbortController()};
    const runs = this.#running.get(talk.id) ?? new Set();
    this.#running.set(talk.id, runs.add(run));
    this.#run(backend, talk, run, {
      ...fieldsOf(talk.settings), messages: request(talk, parent), n: count, truncation: 'auto', stream: true, stream_options: {include_usage: true},
    }).finally(() => {
      runs.delete(run);
      if (runs.size === 0) this.#running.delete(talk.id);
      this.#page.ended(talk, messages);
    });
    return messages;
  }

  async #run(backend, talk, {messages, controller}, asked) {
    const {signal} = controller;
    let clock = null, result = null;
    try {
      await raced(backend.ready(), signal);
      for (const m of messages) m.model = backend.name;
      await raced(this.#page.recall(talk), signal);
      clock = new Clock(this.#page.measure);
      for await (const event of await backend.answer(asked, signal)) {
        for (const choice of event.choices ?? []) {
          const m = messages[choice.index];
          if (take(m, choice)) clock.token();
          this.#page.changed(talk, m);
        }
        if (event.usage) result = clock.result(event.usage);
        if (event.dropped) for (const m of messages) m.dropped = event.dropped;
      }
      for (const m of messages) if (m.state === 'running') m.state = 'done';
    } catch (e) {
      const stopped = signal.aborted || e.name === 'AbortError';
      for (const m of messages) Object.assign(m, stopped ? {state: 'stopped'} : {state: 'failed', problem: e.problem ?? adviceFor(e)});
      if (!stopped) this.#page.failed();
    } finally {
      for (const m of messages) if (result) m.figures = result;
      clock?.end(result);
    }
  }
}

// raced waits for a promise, or for the signal.
function raced(promise, signal) {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), {once: true});
    promise.then(resolve, reject);
  });
}

// take adds to a message what an event tells of it, and says whether that is part of an answer.
function take(m, {delta = {}, finish_reason: reason}) {
  const {content, reasoning_content: thought, tool_calls: calls = []} = delta;
  if (thought) {
    m.thoughts = (m.thoughts ?? '') + thought;
    m.thinking ??= {from: Date.now()};
  }
  if (content || calls.length > 0) endThinking(m);
  if (content) m.text += content;
  for (const {index, id, function: {name, arguments: more = ''} = {}} of calls) {
    const call = (m.calls ??= [])[index] ??= {id: id ?? `call-${index}`, name: '', arguments: ''};
    call.name += name ?? '';
    call.arguments += more;
  }
  if (reason) {
    endThinking(m);
    m.state = reason === 'length' ? 'length' : 'done';
  }
  return Boolean(content || thought || calls.length > 0);
}

function endThinking(m) {
  if (m.thinking && !m.thinking.ms) m.thinking.ms = Date.now() - m.thinking.from;
}

// Clock takes a request's times as whoever waits sees them.
class Clock {
  #measure;
  #start = performance.now();
  #first = 0;
  #last = 0;

  constructor(measure) {
    this.#measure = measure;
    measure.started();
  }

  token() {
    this.#last = performance.now();
    this.#first ||= this.#last;
  }

  // result gives the figures of an answer that took so many tokens.
  result({prompt_tokens: prompt, completion_tokens: tokens, prompt_tokens_details: details}) {
    const first = this.#first - this.#start, rest = this.#last - this.#first;
    if (this.#first) this.#measure.first(prompt, first);
    return {prompt, cached: details?.cached_tokens ?? 0, tokens, first, perSecond: rest > 0 && tokens > 1 ? 1000 * (tokens - 1) / rest : 0};
  }

  end(r) {
    this.#measure.ended(r && {figures: {
      generatedTokens: r.tokens, promptPerSecond: r.first > 0 ? 1000 * r.prompt / r.first : 0, timeToFirst: r.first, decodePerSecond: r.perSecond,
    }});
  }
}
