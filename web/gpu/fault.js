import {Failure, SOURCE} from './notify.js';

// Fault is what went wrong when a file was fetched: a kind that engine/hub knows, and a reason in words, or the status that
// a server answered with. A final one would not be mended by trying again. After is for how many milliseconds the server asks
// to be left alone.
export class Fault extends Failure {
  constructor(url, kind, reason, {final = true, after = 0, status = 0, text = '', cause} = {}) {
    super(SOURCE, {message: reason, url, kind, reason, status, text, more: ''});
    this.cause = cause;
    this.final = final;
    this.after = after;
  }

  // with adds to the reason.
  with(more) {
    this.value.more = more;
    return this;
  }
}

// refusal is the Fault of an answer that serves no file.
export function refusal(url, {status, statusText, headers}) {
  const final = !(status === 408 || status === 425 || status === 429 || status >= 500);
  const after = status === 429 || status === 503 ? retryAfter(headers.get('Retry-After'), Date.now()) : 0;
  return new Fault(url, '', `${words(status)} (HTTP ${status})`, {final, after, status, text: statusText});
}

// words are package hub's.
function words(status) {
  if (status === 404 || status === 410) return 'there is no such file';
  if ([401, 403, 407, 451].includes(status)) return 'the server does not give this file to everyone';
  if (status === 429 || status === 503) return 'the server is busy';
  return status >= 500 ? 'the server fails' : 'the server does not send the file';
}

// retryAfter reads how many milliseconds a server asks to wait: seconds, or a date. Nothing that can be understood is 0.
function retryAfter(value, now) {
  const text = (value ?? '').trim();
  if (/^\d{1,9}$/.test(text)) return 1000 * Number(text);
  const date = /[a-z]/i.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}

// isWeb says whether fetch knows what to do with a URL.
export const isWeb = ({protocol}) => ['http:', 'https:', 'blob:', 'data:'].includes(protocol);

// unreachable finds out why fetch got no answer, of which browsers say nothing.
export async function unreachable(url, signal, cause) {
  const {location, navigator} = globalThis;
  const fault = (kind, reason, final) => new Fault(url.href, kind, reason, {final, cause});
  const {origin, protocol, hostname} = url;
  if (!isWeb(url)) return fault('ErrBadAddress', `addresses that begin with ${protocol} cannot be read by a page`, true);
  if (navigator?.onLine === false) return fault('ErrUnreachable', 'the browser is offline', false);
  if (location?.protocol === 'https:' && protocol === 'http:' && !/^(localhost|127\..*|\[::1\]|.*\.localhost)$/.test(hostname)) {
    return fault('ErrUnreachable', 'a page that was opened over https may not fetch from http; try https', true);
  }
  const gone = () => fault('ErrUnreachable', 'the server cannot be reached: no such host, it refuses connections, or its certificate is not trusted', false);
  if (origin === location?.origin) return gone();
  try {
    await fetch(url, {method: 'HEAD', mode: 'no-cors', cache: 'no-store', signal});
  } catch {
    return gone();
  }
  return fault('ErrCORS', 'the server does not let pages of other origins read this (CORS), or there is no such file: browsers do not tell which', true);
}
