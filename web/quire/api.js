// The API's calls as methods, which are called and answer as those of the openai client do.

import {apiError, badRequest} from './error.js';
import {given, kind, writtenExactly} from './options.js';

/** Gives the methods; ask is what sends a call of the API. */
export function methods(ask) {
  const post = (path) => (request, options) => create(ask, path, request, options);
  const get = (path, options) => answered(ask, 'GET', path, null, options);
  return {
    chat: {completions: {create: post('/v1/chat/completions')}},
    completions: {create: post('/v1/completions')},
    responses: {create: post('/v1/responses')},
    embeddings: {create: post('/v1/embeddings')},
    models: {
      list: (options) => get('/v1/models', options),
      retrieve: (model, options) => get(`/v1/models/${model}`, options),
    },
    rerank: post('/v1/rerank'),
    tokenize: post('/tokenize'),
    detokenize: post('/detokenize'),
  };
}

function create(ask, path, request, options) {
  if (request?.stream) return new StreamCall(ask, path, request, options).begin();
  return answered(ask, 'POST', path, request, options);
}

// send asks and throws the error that is answered.
async function send(ask, method, path, request, signal, headers) {
  let bytes = null;
  if (method === 'POST') {
    if (typeof request !== 'object' || request === null || Array.isArray(request)) throw badRequest(`the request must be an object, not ${kind(request)}`);
    if (request.signal instanceof AbortSignal) throw badRequest('signal belongs in a second argument: create(request, {signal})');
    bytes = new TextEncoder().encode(writtenExactly(request));
  }
  const call = {method, path, headers: new Headers({'Content-Type': 'application/json', ...headers})};
  const answer = await ask(call, bytes, signal);
  if (answer.status >= 400) throw apiError(answer.status, parsed(answer.body));
  return answer.body;
}

async function answered(ask, method, path, request, options) {
  const {signal, headers} = given(options);
  return parsed(await send(ask, method, path, request, signal, headers));
}

const parsed = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

/** The events of one answer. Leaving the loop early, or controller.abort(), ends the request. */
class EventStream {
  controller;
  #events;

  constructor(controller, events) {
    this.controller = controller;
    this.#events = events;
  }

  abort() {
    this.controller.abort();
  }

  [Symbol.asyncIterator]() {
    const events = this.#events;
    if (!events) throw badRequest('the stream has been read');
    this.#events = null;
    return events;
  }
}

// StreamCall is what gives an EventStream once the head of the answer is there.
class StreamCall {
  #ask;
  #arguments;
  #controller = new AbortController();
  #signal = null; // the caller's

  constructor(ask, ...all) {
    this.#ask = ask;
    this.#arguments = all;
  }

  // begin gives a promise of the stream that can be read like the stream itself.
  begin() {
    const stream = this.#open(), controller = this.#controller;
    const stopped = (e) => controller.signal.aborted && e === controller.signal.reason && !this.#signal?.aborted;
    return Object.assign(stream, {
      controller,
      abort: () => {
        stream.catch(() => {}); // there may be nobody who waits for it
        controller.abort();
      },
      async *[Symbol.asyncIterator]() {
        const events = await stream.catch((e) => {
          if (!stopped(e)) throw e;
          return []; // whoever called abort() knows that there is an end
        });
        yield* events;
      },
    });
  }

  async #open() {
    const [path, request, options] = this.#arguments;
    const {signal, headers} = given(options);
    this.#signal = signal ?? null;
    signal?.throwIfAborted();
    const abort = () => this.#controller.abort(signal.reason);
    signal?.addEventListener('abort', abort, {once: true});
    const unlisten = () => signal?.removeEventListener('abort', abort);
    try {
      const body = await send(this.#ask, 'POST', path, request, this.#controller.signal, headers);
      return new EventStream(this.#controller, this.#read(body, unlisten));
    } catch (e) {
      unlisten();
      throw e;
    }
  }

  async *#read(body, unlisten) {
    const reader = body.getReader(), decoder = new TextDecoder();
    let whole = false;
    try {
      for (;;) {
        const {done, value} = await reader.read();
        if (done) break;
        for (const event of decoder.decode(value, {stream: true}).split('\n\n')) {
          this.#controller.signal.throwIfAborted();
          yield* dataOf(event);
        }
      }
      whole = true;
    } catch (e) {
      // Whoever called abort() knows that there is an end.
      if (!this.#controller.signal.aborted || this.#signal?.aborted) throw e;
    } finally {
      unlisten();
      if (!whole) this.#controller.abort();
    }
  }
}

// dataOf gives what one server-sent event holds, or nothing of the last.
function* dataOf(event) {
  const text = event.split('\n').filter((line) => line.startsWith('data:')).map((line) => line.slice(5)).join('\n').trim();
  if (!text || text === '[DONE]') return;
  const data = JSON.parse(text);
  if (data.error && !data.id || data.type === 'error') throw apiError(data.error?.status, data.error ? data : {error: data});
  yield data;
}
