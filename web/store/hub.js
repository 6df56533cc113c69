import {Fault, refusal, unreachable} from '../gpu/fault.js';
import {choose, namesOf} from './choose.js';
import {HUB, isInside, isModelFile, parse, written} from './name.js';

// Asks a hub that speaks Hugging Face's protocol what a model's name means.

const MOST_PAGES = 1000;
const SHA256 = /^[0-9a-f]{64}$/;

/** A hub; a token goes to it alone, never to where it redirects to. */
export class Hub {
  #base;
  #token;

  constructor(base = HUB, token = '') {
    this.#base = base.replace(/\/+$/, '');
    this.#token = token;
  }

  /** Reads a name; null where it is none of this hub's. */
  parse(text) {
    return parse(text, this.#base);
  }

  /** Gives the headers for an address: those of another host's have no token. */
  headersFor(url) {
    return new URL(url).origin === new URL(this.#base).origin ? this.headers : {};
  }

  get headers() {
    return this.#token ? {Authorization: `Bearer ${this.#token}`} : {};
  }

  /**
   * Gives the files that a name means, in order: {url, sha256, headers, name} of each, where the name is the model's. Addresses are of
   * the named revision, so that they stay the same when the model is renewed.
   */
  async files(name, signal) {
    const {files} = await this.#listing(name, signal).catch((e) => {
      if (!name.file || e.coded) throw e;
      return {files: namesOf(name.file).map((path) => ({path}))}; // which the hub may have all the same
    });
    let chosen;
    if (name.file) {
      chosen = namesOf(name.file).map((path) => files.find((file) => file.path === path));
      const missing = chosen.findIndex((file) => !file);
      if (missing >= 0) throw new Fault(written(name), 'ErrNotFound', `there is no file ${namesOf(name.file)[missing]} in the repository`);
    } else {
      chosen = choose(name, files);
    }
    const model = written({...name, file: chosen[0].path, quant: ''});
    return chosen.map(({path, sha256}) => ({url: this.#address(name, path), sha256, headers: this.headers, name: model}));
  }

  #address({repo, revision}, path) {
    return `${this.#base}/${repo}/resolve/${encodeURIComponent(revision)}/${path.split('/').map(encodeURIComponent).join('/')}`;
  }

  async #listing(name, signal) {
    const api = (what, query) => `${this.#base}/api/models/${name.repo}/${what}/${encodeURIComponent(name.revision)}?${query}`;
    let about = null;
    try {
      about = await this.#ask(name, api('revision', 'blobs=true'), signal);
    } catch (e) {
      if (e.value?.status !== 404 || e.coded) throw e;
    }
    const files = about?.json.siblings ?? [];
    if (!about?.json.siblings) { // a mirror may have the other listing only, which comes in pages
      for (let next = api('tree', 'recursive=true'), pages = 0; next && pages < MOST_PAGES; pages++) {
        const page = await this.#ask(name, next, signal);
        files.push(...page.json);
        next = this.#nextPage(next, page.link);
      }
    }
    return {files: files.filter(({type}) => type !== 'directory').map(described).filter(({path}) => isModelFile(path) && isInside(path))};
  }

  // nextPage reads where a listing goes on, which must be on the same host.
  #nextPage(at, link) {
    const target = /<([^>]*)>\s*;[^,]*rel="next"/.exec(link ?? '')?.[1];
    if (!target) return null;
    const next = new URL(target, at);
    if (next.origin !== new URL(at).origin) throw new Fault(at, 'ErrServer', 'the listing goes on at an address that cannot be asked for');
    return next.href;
  }

  async #ask(name, address, signal) {
    const response = await fetch(address, {headers: this.headers, signal}).catch(async (e) => {
      signal?.throwIfAborted();
      throw await unreachable(new URL(address), signal, e);
    });
    if (!response.ok) throw this.#explained(name, response);
    try {
      return {json: await response.json(), link: response.headers.get('Link')};
    } catch (cause) {
      throw new Fault(address, 'ErrServer', 'this is no listing of a hub', {cause});
    }
  }

  // explained says what a hub's refusal means for a name.
  #explained(name, response) {
    const code = response.headers.get('X-Error-Code');
    const {status} = response;
    const fault = (kind, reason) => Object.assign(new Fault(written(name), kind, reason), {coded: true});
    if (code === 'RevisionNotFound') return fault('ErrNotFound', `the repository has no revision ${name.revision}. Revisions are branches, tags and commits; without one it is main`);
    if (code === 'GatedRepo') return fault('ErrForbidden', `the owner gives this model only to those who accept the terms. Accept them at ${this.#base}/${name.repo}, and give hubToken`);
    if (code === 'RepoNotFound' || status === 401 || status === 403) {
      return fault(status === 404 ? 'ErrNotFound' : 'ErrForbidden', this.#token && code !== 'RepoNotFound' ? 'the hub refuses the token'
        : `${new URL(this.#base).host} has no such repository, or does not show it to everyone. Check the name, upper and lower case too`);
    }
    return refusal(written(name), response);
  }
}

// described reads a file of a hub's listings.
function described({rfilename, path = rfilename, lfs}) {
  const sha256 = [lfs?.sha256, lfs?.oid].find((text) => SHA256.test(text ?? ''));
  return {path, ...(sha256 && {sha256})};
}
