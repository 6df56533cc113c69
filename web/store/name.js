import {Fault} from '../gpu/fault.js';

// Names of models on a hub, as "quire pull" takes them: hf:owner/repo, hf:owner/repo:Q4_K_M, hf:owner/repo/file.gguf,
// hf:owner/repo@revision:Q4_K_M, and the addresses of a repository's pages.

export const HUB = 'https://huggingface.co';

const PREFIX = /^(hf:\/\/|hf:|hf\.co\/|huggingface\.co\/)/i;
const NAME = /^([^/@:]+)\/([^/@:]+)(?:@(refs\/(?:pr|convert)\/[^/:]+|[^/:]+))?(?:\/([^:]+))?(?::([^/:]+))?$/;
const PAGE = /^\/([^/]+)\/([^/]+)(?:\/(?:resolve|blob|raw|tree)\/(refs\/(?:pr|convert)\/[^/]+|[^/]+)(?:\/(.+?))?)?\/?$/;
const WORD = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}$/; // a hub's own rule for owners and repositories
const ODD = /[\0-\x1f\x7f\\:*?"<>|]/;
const LOOK = 'Names look like hf:owner/repo, hf:owner/repo:Q4_K_M, hf:owner/repo/file.gguf, or hf:owner/repo@revision:Q4_K_M';

const refused = (text, reason) => new Fault(text, 'ErrBadAddress', `${reason}. ${LOOK}`);

export const isModelFile = (name) => /\.gguf$/i.test(name);

/** Whether a text is meant to be a name of a model on a hub. */
export const isName = (text) => PREFIX.test(text);

/** Reads a name, or an address of a hub's: {repo, revision, file, quant}; null where it is another address. */
export function parse(text, hub = HUB) {
  if (isName(text)) return parseName(text);
  const url = new URL(text);
  const base = new URL(hub), own = url.origin === base.origin;
  if (!own && !(url.protocol === 'https:' && /^(www\.)?(huggingface\.co|hf\.co)$/.test(url.host))) return null;
  const found = PAGE.exec(unescaped(own ? url.pathname.slice(base.pathname.replace(/\/$/, '').length) : url.pathname));
  if (!found || !WORD.test(found[1]) || !WORD.test(found[2]) || (found[4] && !isModelFile(found[4]))) return null;
  const [, owner, repo, revision = 'main', file = ''] = found;
  return checked({repo: `${owner}/${repo}`, revision, file, quant: ''}, text);
}

function unescaped(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parseName(text) {
  const found = NAME.exec(text.replace(PREFIX, ''));
  if (!found) throw refused(text, 'this is not a whole name of a model');
  let [, owner, repo, revision = 'main', file = '', quant = ''] = found;
  if (file && quant) throw refused(text, 'it names a file and a quantization');
  if (isModelFile(quant)) [file, quant] = [quant, '']; // as ollama has it
  if (/^latest$/i.test(quant)) quant = '';
  return checked({repo: `${owner}/${repo}`, revision: unescaped(revision), file, quant}, text);
}

// checked refuses names that would lead out of a repository.
function checked(name, text) {
  const {repo, revision, file} = name;
  if (repo.split('/').some((part) => !WORD.test(part) || part.includes('..'))) throw refused(text, `no repository can be called ${JSON.stringify(repo)}`);
  if (revision.split('/').some((part) => ['', '.', '..'].includes(part) || ODD.test(part))) throw refused(text, `no revision can be called ${JSON.stringify(revision)}`);
  if (file && !isInside(file)) throw refused(text, `the path ${JSON.stringify(file)} is refused: it could lead out of the repository`);
  if (file && !isModelFile(file)) throw refused(text, `${file} is no .gguf file`);
  return name;
}

/** Whether a path stays in its repository. */
export const isInside = (path) => path.split('/').every((part) => !['', '.', '..'].includes(part)) && !ODD.test(path);

/** Writes a name. */
export function written({repo, revision, file, quant}) {
  const at = revision === 'main' ? '' : `@${revision.replaceAll('/', '%2F')}`;
  return `hf:${repo}${at}${file ? `/${file}` : quant ? `:${quant}` : ''}`;
}

/** Gives the one spelling of a name, or of an address of a hub's; other texts stay as they are. */
export function canonical(text, hub) {
  const name = isName(text) || /^https?:/i.test(text) ? parse(text, hub) : null;
  return name ? written({...name, quant: name.quant.toUpperCase()}) : text;
}

/** Whether a text names a file that was given, and kept. */
export const isFile = (text) => /^file:(?!\/)/.test(text);
