// A fetch that asks the engine in place of a server, for clients of the API that take one.

import {until} from './answer.js';

/** Gives such a fetch; ask is what sends a call of the API. */
export function fetchOver(ask) {
  return async (input, init) => {
    const {signal, body, ...call} = asked(input, init ?? {});
    signal?.throwIfAborted();
    const answer = await ask(call, await until(signal, bytesOf(body, call.headers, signal)), signal);
    const empty = call.method === 'HEAD' || [204, 205, 304].includes(answer.status);
    return new Response(empty ? null : answer.body, {status: answer.status, headers: answer.headers});
  };
}

// asked reads fetch's arguments. Whatever the host is called, it is the engine.
function asked(input, init) {
  const request = isRequest(input) ? input : null;
  return {
    method: String(init.method ?? request?.method ?? 'GET').toUpperCase(),
    path: unescaped(new URL(request?.url ?? String(input), 'http://quire').pathname),
    headers: new Headers(init.headers ?? request?.headers),
    body: init.body ?? (request?.body === undefined ? request : request.body), // not every browser gives a request's stream
    signal: init.signal !== undefined ? init.signal : request?.signal,
  };
}

const isRequest = (value) => typeof value === 'object' && value !== null && 'url' in value;

function unescaped(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

// bytesOf reads whatever fetch takes for a body. What says of itself what it is, as forms do, tells the headers.
async function bytesOf(body, headers, signal) {
  if (isRequest(body)) body = await body.arrayBuffer();
  if (body === undefined || body === null) return null;
  let whole = new Response(body instanceof ReadableStream || !body[Symbol.asyncIterator] ? body : streamOf(body));
  const type = whole.headers.get('Content-Type');
  if (type && !headers.has('Content-Type')) headers.set('Content-Type', type);
  if (signal) whole = new Response(whole.body.pipeThrough(new TransformStream(), {signal})); // whose source is told that nobody reads on
  return new Uint8Array(await whole.arrayBuffer());
}

// streamOf makes a stream of what is read piece by piece, which some clients send.
function streamOf(pieces) {
  const encoder = new TextEncoder(), iterator = pieces[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const {done, value} = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(typeof value === 'string' ? encoder.encode(value) : value);
    },
    cancel: (reason) => iterator.return?.(reason),
  });
}
