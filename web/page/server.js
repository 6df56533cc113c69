// The models of the server that this page comes from, where "quire serve" shows it.

import {methods} from '../quire/api.js';
import {QuireError} from '../quire/error.js';
import served from './served.js';

const KEY = 'quire.key'; // under which the tab keeps what was typed

// server gives the server; null where this page comes from none that has models.
export const server = () => (served ? new Server() : null);

// Server asks as the engine in this tab is asked. Errors are QuireErrors: ErrKey where the server asks for a key, or for another.
export class Server {
  #calls = methods((...call) => ask(...call));
  #key = recall();

  get key() {
    return this.#key;
  }

  // The tab keeps the key across a reload.
  set key(key) {
    this.#key = key.trim();
    keep(this.#key);
  }

  // models lists what can be asked, as /v1/models has it: {id, max_model_len, loaded, …}.
  async models({signal} = {}) {
    return (await this.#calls.models.list(this.#with(signal))).data;
  }

  // chat gives a chat's events, as llm.chat.completions.create({stream: true}) does.
  chat(request, {signal} = {}) {
    return this.#calls.chat.completions.create({...request, stream: true}, this.#with(signal));
  }

  // complete gives those of a text that goes on, as llm.completions.create({stream: true}) does.
  complete(request, {signal} = {}) {
    return this.#calls.completions.create({...request, stream: true}, this.#with(signal));
  }

  #with(signal) {
    return {signal, headers: this.#key ? {Authorization: `Bearer ${this.#key}`} : {}};
  }
}

// ask sends a call to the server, and gives what api.js reads: a whole body, or a stream of whole events.
async function ask({method, path, headers}, body, signal) {
  const answer = await asked(new URL(path.slice(1), document.baseURI), {method, headers, body, signal});
  const {status} = answer;
  const events = answer.headers.get('Content-Type')?.startsWith('text/event-stream');
  if (status < 400 && events) return {status, body: wholeEvents(answer.body, signal)};
  const bytes = new Uint8Array(await answer.arrayBuffer().catch((e) => { throw signal?.aborted ? e : cut(); }));
  if (status === 401) throw new QuireError({name: 'ErrKey', status, message: headers.has('Authorization') ? 'It takes another than the one that was given.' : 'Only those with a key of its own may ask its models.'});
  if (!parsed(bytes) || status >= 400 && !messageOf(bytes)) {
    throw new QuireError({name: 'ErrServer', status, message: `What is at this page's address does not answer as a server of models does (HTTP ${status}).`});
  }
  return {status, body: bytes};
}

async function asked(url, init) {
  try {
    return await fetch(url, init);
  } catch (e) {
    if (init.signal?.aborted) throw e;
    throw new QuireError({name: 'ErrUnreachable', message: 'The server that this page comes from does not answer.'});
  }
}

// wholeEvents gives the events of a body that a network may have cut anywhere, and misses the last of them where it does not come.
function wholeEvents(body, signal) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader(), encoder = new TextEncoder();
  let text = '', ended = false;
  return new ReadableStream({
    async pull(to) {
      for (let end = -1; end < 0;) {
        const {done, value} = await reader.read().catch((e) => { throw signal?.aborted ? e : cut(); });
        if (done && !ended) throw cut();
        if (done) return to.close();
        text += value;
        end = text.lastIndexOf('\n\n');
        if (end < 0) continue;
        ended = text.endsWith('data: [DONE]\n\n');
        to.enqueue(encoder.encode(text.slice(0, end + 2)));
        text = text.slice(end + 2);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

const cut = () => new QuireError({name: 'ErrCut', message: 'The server\'s answer broke off.'});

function parsed(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

function messageOf(bytes) {
  return parsed(bytes)?.error?.message ?? null;
}

// A page may be without storage, or not allowed to use it: then the key is asked for again.
function recall() {
  try {
    return sessionStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

function keep(key) {
  try {
    sessionStorage.setItem(KEY, key);
  } catch {
    // it is known until the page is left
  }
}
