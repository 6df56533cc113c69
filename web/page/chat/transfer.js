// Conversations as a file, to take elsewhere.

import {ROOT} from './conversation.js';

const KIND = 'quire conversations', VERSION = 1;

// written gives the text of such a file.
export const written = (talks) => JSON.stringify({kind: KIND, version: VERSION, conversations: talks}, null, 1);

// read gives the conversations of such a file; it throws what is wrong with it.
export function read(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Error('This is no file of conversations: it is not JSON.');
  }
  if (file?.kind !== KIND || !Array.isArray(file.conversations)) throw new Error('This is no file of conversations of this page.');
  if (file.version !== VERSION) throw new Error(`This file is of version ${file.version}; this page reads version ${VERSION}.`);
  return file.conversations.map((talk, i) => whole(talk) ?? refuse(`Conversation ${i + 1} of the file is damaged.`));
}

function refuse(message) {
  throw new Error(message);
}

const text = (value) => typeof value === 'string';
const number = (value) => Number.isFinite(value);
const id = (value) => Number.isSafeInteger(value) && value > ROOT;
const record = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

// FIELDS are what else a message may have, and what each must be.
const FIELDS = {
  created: number, thoughts: text, model: text, dropped: number, call: text, name: text,
  state: (s) => ['done', 'stopped', 'cut', 'length', 'failed', 'running'].includes(s),
  files: (list) => Array.isArray(list) && list.every((f) => text(f?.name) && text(f.text)),
  calls: (list) => Array.isArray(list) && list.every((c) => text(c?.id) && text(c.name) && text(c.arguments)),
  figures: (f) => record(f) && Object.values(f).every(number),
  thinking: (f) => record(f) && Object.values(f).every(number),
  problem: (p) => record(p) && ['title', 'message', 'advice'].every((name) => text(p[name])),
};
const SETTINGS = {temperature: number, topP: number, minP: number, topK: number, maxTokens: number, seed: number, answers: (n) => [1, 2, 3, 4].includes(n), effort: text, tools: text, adapter: text};

// whole gives a conversation with what is known of it, its messages numbered anew; null: it is damaged.
function whole(talk) {
  if (!record(talk) || !text(talk.id) || !Array.isArray(talk.messages)) return null;
  const messages = talk.messages.map(message);
  const ids = new Map([[ROOT, ROOT]]);
  for (const m of messages) {
    if (!m || ids.has(m.id) || !ids.has(m.parent)) return null; // a message comes after what it answers
    ids.set(m.id, ids.size);
    Object.assign(m, {id: ids.get(m.id), parent: ids.get(m.parent)});
  }
  const chosen = Object.entries(record(talk.chosen) ? talk.chosen : {}).filter(([from, to]) => ids.has(Number(from)) && ids.has(to));
  return {
    id: talk.id, title: text(talk.title) ? talk.title : '', system: text(talk.system) ? talk.system : '',
    created: number(talk.created) ? talk.created : Date.now(), changed: number(talk.changed) ? talk.changed : Date.now(),
    settings: known(talk.settings, SETTINGS), next: ids.size, messages,
    chosen: Object.fromEntries(chosen.map(([from, to]) => [ids.get(Number(from)), ids.get(to)])),
  };
}

function message(m) {
  if (!record(m) || !id(m.id) || !(id(m.parent) || m.parent === ROOT) || !['user', 'assistant', 'tool'].includes(m.role) || !text(m.text)) return null;
  return {id: m.id, parent: m.parent, role: m.role, text: m.text, ...known(m, FIELDS)};
}

const known = (from, fields) => Object.fromEntries(Object.entries(fields).filter(([name, fits]) => from?.[name] !== undefined && fits(from[name])).map(([name]) => [name, from[name]]));

// save has the browser save a text as a file.
export function save(name, content) {
  const url = URL.createObjectURL(new Blob([content], {type: 'application/json'}));
  Object.assign(document.createElement('a'), {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// fileName makes a name of a title.
export const fileName = (title) => `${title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '').slice(0, 60) || 'conversation'}.json`;
