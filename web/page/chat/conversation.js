// A conversation: messages that branch. It is plain data, which IndexedDB and JSON take as it is:
// {id, title, created, changed, system, settings, next, version, messages: [{id, parent, role, text, …}], chosen: {parent: message}}; version
// counts how often it was kept.

export const ROOT = 0; // the parent of a conversation's first message

export function conversation(settings = {}) {
  const now = Date.now();
  return {id: newId(), title: '', created: now, changed: now, system: '', settings: {...settings}, next: 1, version: 0, messages: [], chosen: {}};
}

// newId makes a name that nothing else has. Pages that did not come securely have no randomUUID.
export const newId = () => crypto.getRandomValues(new Uint32Array(4)).reduce((id, part) => id + part.toString(16).padStart(8, '0'), '');

// isId tells whether a text is such a name.
export const isId = (text) => /^[0-9a-f]{32}$/.test(text);

// add puts a message after another, beside those that are there, and goes on with it.
export function add(talk, parent, fields) {
  const message = {id: talk.next++, parent, created: Date.now(), ...fields};
  talk.messages.push(message);
  talk.chosen[parent] = message.id;
  return message;
}

export const find = (talk, id) => talk.messages.find((m) => m.id === id);

// branches lists what follows a message, the oldest first.
export const branches = (talk, parent) => talk.messages.filter((m) => m.parent === parent);

// following gives what follows each message, by its id.
export function following(talk) {
  const next = new Map();
  for (const m of talk.messages) next.set(m.parent, [...next.get(m.parent) ?? [], m]);
  return next;
}

// path is the conversation as it is read: from its first message, by the branch that was chosen at each, down to the last.
export function path(talk, all = following(talk)) {
  const list = [];
  for (let at = ROOT; ;) {
    const next = all.get(at);
    if (!next) return list;
    const message = next.find((m) => m.id === talk.chosen[at]) ?? next.at(-1);
    list.push(message);
    at = message.id;
  }
}

// before is what was said up to a message, and it.
export function before(talk, id) {
  const list = [];
  for (let m = find(talk, id); m; m = find(talk, m.parent)) list.unshift(m);
  return list;
}

// request gives what a model is to see where it goes on after a message.
export function request(talk, id) {
  const system = talk.system.trim() ? [{role: 'system', content: talk.system}] : [];
  return [...system, ...before(talk, id).map(said)];
}

function said({role, text, files = [], calls = [], call}) {
  const content = files.map((f) => `${f.name}:\n\`\`\`\n${f.text}\n\`\`\`\n\n`).join('') + text;
  if (role === 'tool') return {role, content, tool_call_id: call};
  if (role !== 'assistant' || calls.length === 0) return {role, content};
  return {role, content, tool_calls: calls.map(({id, name, arguments: given}) => ({id, type: 'function', function: {name, arguments: given}}))};
}

// merge takes into a conversation what another tab has kept of it. What only this tab has stays, as branches beside what the other has
// added; own tells of messages that are answered here, which stay as they are.
export function merge(talk, kept, own) {
  const same = (a, b) => a.id === b.id && a.created === b.created && a.role === b.role;
  const messages = kept.messages.map((m) => {
    const mine = talk.messages.find((each) => same(each, m));
    return !mine || own(mine) || further(mine, m) ? mine ?? m : Object.assign(mine, m);
  });
  const added = talk.messages.filter((m) => !messages.includes(m)), ids = new Map(), now = (id) => ids.get(id) ?? id;
  let {next} = kept;
  for (const m of added) {
    ids.set(m.id, next);
    Object.assign(m, {id: next++, parent: now(m.parent)});
  }
  const later = kept.changed > talk.changed ? kept : talk;
  const chosen = {...kept.chosen};
  for (const m of added) chosen[m.parent] = m.id;
  if (talk.messages.some(own)) for (const [parent, id] of Object.entries(talk.chosen)) chosen[now(Number(parent))] = now(id); // who waits for an answer goes on seeing it
  if (talk.beside) talk.beside = now(talk.beside);
  Object.assign(talk, {
    messages: [...messages, ...added], next, chosen, title: later.title, system: later.system, settings: later.settings, changed: later.changed, version: kept.version,
  });
}

// further tells whether a message has come further here than what is kept of it.
const further = (mine, kept) => kept.state === 'running' && (!['running', 'cut'].includes(mine.state) || mine.text.length > kept.text.length);

// nameOf is a conversation's title, or how it begins.
export function nameOf(talk) {
  if (talk.title) return talk.title;
  const first = talk.messages.find((m) => m.role === 'user' && m.text.trim());
  return first ? first.text.trim().split('\n')[0].slice(0, 80) : talk.messages[0]?.files?.[0]?.name ?? 'New conversation';
}
