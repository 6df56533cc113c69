// Shows Markdown that a model wrote. Nothing in it can do more than be read: HTML is shown as text, pictures as links, and what
// comes of the rest passes DOMPurify.

import {Marked} from '../lib/marked.js';
import '../lib/purify.js';
import {blocksOf} from './blocks.js';
import {codeBlock} from './code.js';
import {make} from './icons.js';

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
const PIECE = 4000; // characters that are shown at once
const LONG = 1000; // characters of a block from which on it is not shown anew with every token
const DEFINES = /^ {0,3}\[[^\]\n]+\]:/m; // gives a link that is named anywhere its address

// Markdown shows a text that grows. Blocks that stay as they were are not made again, and but for the last ones not read again; a long
// text comes in pieces, between which the page does other things.
export class Markdown {
  node = make('div', {className: 'markdown'});
  #blocks = []; // that are shown
  #text = '';
  #whole = true; // whether nothing was to come
  #rest = 0; // the timer of what is still to be shown

  // show shows a text; whole says that nothing is to come.
  show(text, whole = true) {
    text = text.replace(/\r\n?/g, '\n'); // as marked reads it
    if (text === this.#text && whole === this.#whole) return;
    const json = whole ? pretty(text) : null;
    const anew = json !== null || (whole && DEFINES.test(text));
    const settled = anew || !text.startsWith(this.#text) ? 0 : Math.max(0, this.#blocks.length - OPEN);
    this.#text = text;
    this.#whole = whole;
    const kept = this.#blocks.slice(0, settled);
    const source = json === null ? text.slice(kept.reduce((sum, {raw}) => sum + raw.length, 0)) : `\`\`\`json\n${json}\n\`\`\``;
    const blocks = [...kept, ...blocksOf(marked, source, kept.at(-1))];
    clearTimeout(this.#rest);
    let same = settled;
    while (!anew && same < blocks.length && this.#shows(blocks[same], this.#blocks[same], whole || same < blocks.length - 1)) same++;
    for (const {nodes} of this.#blocks.splice(same)) nodes.forEach((n) => n.remove());
    this.#add(blocks.slice(same));
  }

  // shows tells whether what is shown of a block will do; what has come to code, or to a long block that is not done, is put to its end.
  #shows(block, old, done) {
    if (!old || block.kind !== old.kind || block.joins !== old.joins) return false;
    if (block.raw === old.raw && (done ? old.read === old.raw.length : true)) return true;
    const more = block.raw.length - old.raw.length;
    if (more < 0 || !block.raw.startsWith(old.raw)) return false;
    if (block.kind === 'code' && block.language === old.language && block.text.startsWith(old.text)) {
      old.nodes[0].querySelector('code').append(block.text.slice(old.text.length));
      Object.assign(old, {raw: block.raw, text: block.text, read: block.raw.length});
      return true;
    }
    const last = old.nodes.findLast((n) => n.append);
    if (done || block.raw.length < LONG || block.raw.length > 1.25 * old.read || !last) return false;
    last.append(block.raw.slice(old.raw.length));
    old.raw = block.raw;
    return true;
  }

  // add shows blocks, a piece at once.
  #add(blocks) {
    let size = 0;
    while (blocks.length > 0 && (size === 0 || size + blocks[0].raw.length <= PIECE)) {
      const block = blocks.shift();
      size += block.raw.length;
      this.#blocks.push({...block, nodes: this.#place(block), read: block.raw.length});
    }
    if (blocks.length > 0) this.#rest = setTimeout(() => this.#add(blocks));
  }

  #place(block) {
    const made = block.kind === 'code' ? [codeBlock(block.text, block.language)] : nodesOf(block);
    const before = block.joins && this.node.lastElementChild;
    const [tag, part] = block.kind === 'list' ? ['ul, ol', 'li'] : ['table', 'tbody > tr'];
    const into = before && (before.matches(tag) ? before : before.querySelector(tag));
    if (!into) {
      this.node.append(...made);
      return made;
    }
    const parts = made.flatMap((n) => (n.querySelectorAll ? [...n.querySelectorAll(part)] : [])).filter((n) => n.parentNode.closest?.('li') === null);
    const place = block.kind === 'list' ? into : into.querySelector('tbody') ?? into.appendChild(make('tbody'));
    place.append(...parts);
    return parts;
  }
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

function nodesOf({token, links}) {
  const clean = globalThis.DOMPurify.sanitize(marked.parser(Object.assign([token], {links})), ALLOWED);
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

// code shows code that lies within a list or a quotation.
function code(pre) {
  return codeBlock(pre.textContent.replace(/\n$/, ''), pre.querySelector('code')?.className.replace('language-', '') ?? '');
}
