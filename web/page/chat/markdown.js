// Shows Markdown that a model wrote. Nothing in it can do more than be read: HTML is shown as text, pictures as links, and what
// comes of the rest passes DOMPurify.

import {Marked} from '../lib/marked.js';
import '../lib/purify.js';
import {iconButton, make} from './icons.js';

const escaped = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const marked = new Marked({gfm: true, breaks: true});
marked.use({renderer: {
  html: ({text}) => escaped(text),
  image: ({href, text}) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
  checkbox: ({checked}) => (checked ? '☑ ' : '☐ '),
}});

const ALLOWED = {
  ALLOWED_TAGS: ['p', 'br', 'hr', 'a', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6',
    'table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ALLOWED_ATTR: ['href', 'title', 'start', 'align', 'class'],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

const OPEN = 4; // blocks at the end that what comes may still change

// Markdown shows a text that grows. Blocks that stay as they were are not made again, and but for the last ones not read again.
export class Markdown {
  node = make('div', {className: 'markdown'});
  #blocks = []; // {raw, nodes}
  #text = '';
  #whole = true; // whether nothing was to come

  // show shows a text; whole says that nothing is to come.
  show(text, whole = true) {
    text = text.replace(/\r\n?/g, '\n'); // as marked reads it
    if (text === this.#text && whole === this.#whole) return;
    const settled = whole || !text.startsWith(this.#text) ? 0 : Math.max(0, this.#blocks.length - OPEN);
    this.#text = text;
    this.#whole = whole;
    const kept = this.#blocks.slice(0, settled);
    const blocks = [...kept, ...blocksOf(text.slice(kept.reduce((sum, {raw}) => sum + raw.length, 0)), whole)];
    let same = settled;
    while (same < blocks.length && blocks[same].raw === this.#blocks[same]?.raw) same++;
    for (const {nodes} of this.#blocks.splice(same)) nodes.forEach((n) => n.remove());
    for (const {raw, tokens} of blocks.slice(same)) {
      const nodes = nodesOf(tokens);
      this.#blocks.push({raw, nodes});
      this.node.append(...nodes);
    }
  }
}

// blocksOf cuts a text into what stands for itself. What is only JSON is shown as such.
function blocksOf(text, whole) {
  const json = whole ? pretty(text) : null;
  const tokens = marked.lexer(json === null ? text : `\`\`\`json\n${json}\n\`\`\``);
  const {links} = tokens;
  return tokens.map((token) => ({raw: token.raw, tokens: Object.assign([token], {links})}));
}

// pretty writes JSON with its lines indented; null: the text is no object and no list.
export function pretty(text) {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

function nodesOf(tokens) {
  const clean = globalThis.DOMPurify.sanitize(marked.parser(tokens), ALLOWED);
  for (const a of clean.querySelectorAll('a')) Object.assign(a, {target: '_blank', rel: 'noopener noreferrer'});
  for (const h of clean.querySelectorAll('h1, h2, h3, h4, h5, h6')) h.replaceWith(heading(h));
  for (const table of clean.querySelectorAll('table')) table.replaceWith(scrolls(table, 'Table'));
  for (const pre of clean.querySelectorAll('pre')) pre.replaceWith(code(pre));
  return [...clean.childNodes];
}

// heading makes a heading part of the answer, whose own is of the second level.
function heading(h) {
  return make(`h${Math.min(6, Number(h.tagName[1]) + 2)}`, {}, ...h.childNodes);
}

// scrolls lets what is wide be moved within its place.
function scrolls(node, name) {
  const box = make('div', {className: 'wide', tabIndex: 0}, node.cloneNode(true));
  box.setAttribute('role', 'group');
  box.setAttribute('aria-label', name);
  return box;
}

// code shows a block of code under its language, to be copied.
function code(pre) {
  const language = pre.querySelector('code')?.className.replace('language-', '') ?? '';
  const text = pre.textContent.replace(/\n$/, '');
  return codeBlock(text, language);
}

export function codeBlock(text, language) {
  const place = make('pre', {tabIndex: 0}, make('code', {textContent: text}));
  place.setAttribute('aria-label', language ? `Code, ${language}` : 'Code');
  place.setAttribute('role', 'group');
  const bar = make('div', {className: 'code-bar'}, make('span', {textContent: language || 'text'}), copyButton(() => text, 'Copy the code'));
  return make('div', {className: 'code'}, bar, place);
}

// copy tells whether a text is on the clipboard, which pages that did not come securely have not.
export const copy = async (text) => navigator.clipboard?.writeText(text).then(() => true, () => false) ?? false;

// copyButton copies a text and says so for a moment.
export function copyButton(text, label) {
  const button = iconButton('copy', label, async () => {
    const copied = await copy(text());
    const [now] = [iconButton(copied ? 'check' : 'close', label)];
    button.replaceChildren(...now.childNodes);
    button.setAttribute('aria-label', copied ? 'Copied' : 'It could not be copied');
    setTimeout(() => {
      button.replaceChildren(...iconButton('copy', label).childNodes);
      button.setAttribute('aria-label', label);
    }, 1500);
  });
  return button;
}
