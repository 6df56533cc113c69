import {Fault, isWeb, refusal, unreachable} from './fault.js';

// Where a ByteSource's streams come from. open(offset, signal, broken, until) gives {body, start, end}: a stream of the bytes from
// start, to end if that is known. It may end at until. size is -1 until it is known, ranges whether a stream may begin anywhere.

export class BlobOrigin {
  ranges = true;

  constructor(blob, name = blob.name || 'the file') {
    this.blob = blob;
    this.tag = blob.lastModified ? String(blob.lastModified) : null;
    this.name = name;
    this.size = blob.size;
  }

  async open(offset) {
    return {body: this.blob.slice(offset).stream(), start: offset, end: this.size};
  }

  copy() {
    return this;
  }

  broke(position, cause) {
    return new Fault(this.name, 'ErrChanged', 'the file cannot be read any more: it was changed, moved or removed', {cause});
  }
}

const LARGE = 128 << 20; // bytes of a file that no browser keeps whole in its cache; putting it there takes longer than all else

export class URLOrigin {
  ranges = false; // known after the first response
  size = -1;
  page = false; // the server calls it HTML
  tag = null; // ETag or date of the first response
  #whole = false; // the file can only be asked for as a whole
  #headers; // for every request
  #stored; // whether what has come is kept elsewhere than in the browser's cache
  #known; // the tag of what is there of the file already
  #fetch;

  constructor(url, {headers = {}, stored = false, tag = null, fetch = (...given) => globalThis.fetch(...given)} = {}) {
    this.name = url;
    this.#fetch = fetch;
    this.#headers = headers;
    this.#stored = stored;
    this.#known = tag;
  }

  // copy is of the same file, of which it knows as much, and is fetched in a way of its own.
  copy(fetch) {
    const other = new URLOrigin(this.name, {headers: this.#headers, stored: this.#stored, fetch});
    const {ranges, size, tag} = this;
    return Object.assign(other, {ranges, size, tag});
  }

  // The browser's cache may serve what it has, as when weights are read again after the GPU was lost. It may have parts of
  // an older file, so it is passed over where no tag tells, and after a failure.
  async open(offset, signal, broken, until = null) {
    const first = this.size < 0;
    const cached = !this.#stored && !broken && this.size <= LARGE && (first || this.tag !== null);
    const response = await this.#ask(offset, signal, cached ? 'default' : 'no-store', until);
    const refuse = async (kind, reason, final = true) => {
      await response.body?.cancel();
      return new Fault(this.name, kind, reason, {final});
    };
    if (response.status !== 200 && response.status !== 206) {
      await response.body?.cancel();
      throw refusal(this.name, response);
    }
    const {start, end, size, told} = extent(response, offset);
    if (response.status === 206 && start !== offset) {
      throw await refuse('ErrServer', `the server sends other bytes than it was asked for: from ${offset} on, and it sent those from ${start} on`);
    }
    const tag = response.headers.get('ETag') ?? response.headers.get('Last-Modified');
    if (first) {
      this.tag = tag;
      this.ranges = response.status === 206 && size !== null;
      this.size = size ?? -1;
      this.page = /^(text\/html|application\/xhtml\+xml)\b/i.test(response.headers.get('Content-Type') ?? '');
      if (this.ranges && !told) await this.#confirmEnd(signal).catch(async (e) => {
        this.size = -1;
        await response.body?.cancel();
        throw e;
      });
      if (cached && this.ranges && this.size > LARGE) {
        await response.body.cancel();
        return this.open(offset, signal, broken, until);
      }
    } else if ((size !== null && size !== this.size && (told || until === null)) || (tag !== null && this.tag !== null && tag !== this.tag)) {
      await response.body?.cancel();
      throw this.changed(!cached);
    }
    return {body: response.body, start, end};
  }

  async #ask(offset, signal, cache, until) {
    const url = parse(this.name);
    const ask = (headers) => this.#fetch(url, {headers: {...this.#headers, ...headers}, signal, cache});
    try {
      return await ask(this.#whole ? {} : {Range: `bytes=${offset}-${until === null ? '' : until - 1}`, ...this.#condition(url, offset)});
    } catch (e) {
      signal.throwIfAborted();
      if (this.size >= 0) throw this.broke(offset, e);
      // Servers may forbid Range to pages of other origins, and Chromium takes no part of what is compressed on the way.
      const response = this.#whole || !isWeb(url) ? null : await ask({}).catch(() => null);
      if (response === null) throw await unreachable(url, signal, e);
      this.#whole = true;
      return response;
    }
  }

  // part is what fetches the bytes from offset to until, for who asks elsewhere, where the file is served by ranges.
  part(offset, until) {
    const url = parse(this.name), tagged = !this.#stored && this.size <= LARGE && this.tag !== null;
    return {url: url.href, headers: {...this.#headers, Range: `bytes=${offset}-${until - 1}`, ...this.#condition(url, offset)}, cache: tagged ? 'default' : 'no-store'};
  }

  // fits says whether an answer to that has those bytes of the file.
  fits(response, offset) {
    if (response.status !== 206 || response.headers.has('Content-Encoding')) return false;
    const {start, size, told} = extent(response, offset), tag = response.headers.get('ETag') ?? response.headers.get('Last-Modified');
    return start === offset && (!told || size === this.size) && (tag === null || this.tag === null || tag === this.tag);
  }

  // condition asks for the whole file where it is no longer the one that is there in part. Of other origins browsers would have to ask
  // whether they take the header; their answer's tag tells as well. The browser's cache would not be looked at.
  #condition(url, offset) {
    const tag = this.#known ?? this.tag;
    return this.#stored && offset > 0 && tag?.startsWith('"') && url.origin === globalThis.location?.origin ? {'If-Range': tag} : {};
  }

  // confirmEnd asks for the bytes after the first range where the server did not tell, or browsers hide, the file's size.
  async #confirmEnd(signal) {
    const response = await fetch(parse(this.name), {headers: {...this.#headers, Range: `bytes=${this.size}-`}, signal, cache: 'no-store'}).catch(() => null);
    signal.throwIfAborted();
    await response?.body?.cancel();
    if (response?.status !== 206 || response.headers.get('Content-Length') === '0') return;
    throw new Fault(this.name, 'ErrServer', 'the server sends the file in pieces and does not let the page know how long it is ' +
      '(it must send the whole length in Content-Range, and to other origins Access-Control-Expose-Headers: Content-Range)');
  }

  changed(final = true) {
    return new Fault(this.name, 'ErrChanged', 'the file changed on the server while it was read', {final});
  }

  broke(position, cause) {
    return new Fault(this.name, 'ErrCut', `the connection ended early, at byte ${position}`, {final: false, cause});
  }
}

// extent says where a response's body starts and ends in the file and how long the file is; null where that is not known.
function extent(response, offset) {
  const number = (text) => (text !== null && /^\d+$/.test(text.trim()) ? Number(text) : null);
  const length = response.headers.has('Content-Encoding') ? null : number(response.headers.get('Content-Length'));
  if (response.status === 200) return {start: 0, end: length, size: length, told: true};
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get('Content-Range') ?? '');
  // Across origins Content-Range may be hidden; what was asked for reaches to the end, if the server keeps to it.
  const end = range ? Number(range[2]) + 1 : length === null ? null : offset + length;
  const told = range !== null && range[3] !== '*';
  return {start: range ? Number(range[1]) : offset, end, size: told ? Number(range[3]) : end, told};
}

function parse(url) {
  try {
    return new URL(url, globalThis.location?.href);
  } catch (e) {
    throw new Fault(url, 'ErrBadAddress', 'this is not a whole address', {cause: e});
  }
}
