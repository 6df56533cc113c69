// What the model has read of conversations, kept on this device where they ask for it: after a reload it need not read them again.

import {Quire} from '../../quire.js';
import {CHAT} from '../../store/folder.js';
import {isId, path, request} from './conversation.js';
import {fieldsOf} from './parameters.js';

const MOST = 8; // conversations: what they take is large
const nameOf = (id) => CHAT + id;
const idOf = (name) => (name.startsWith(CHAT) && isId(name.slice(CHAT.length)) ? name.slice(CHAT.length) : null);

export class Kept {
  #there = new WeakMap(); // by engine: the ids of conversations that it has, or had
  #last = Promise.resolve(); // one is written, or removed, after another

  // recall gives an engine back what is kept of a conversation. Where that cannot be used the model reads it again.
  async recall(talk, quire) {
    if (!asked(talk, quire) || this.#has(talk, quire)) return;
    await quire.keptSession(nameOf(talk.id)).catch(() => {});
  }

  // keep keeps a conversation as it is shown, while still() says that it is there.
  keep(talk, quire, still) {
    return this.#after(async () => {
      if (!asked(talk, quire) || !still()) return;
      this.#has(talk, quire);
      const last = path(talk).at(-1), all = request(talk, last.id), first = all.findIndex(({role}) => role !== 'system');
      const messages = [...all.slice(0, first), ...all.slice(first + (last.dropped ?? 0))];
      const {tools, reasoning_effort} = fieldsOf(talk.settings);
      const body = JSON.stringify({messages, tools, reasoning_effort, add_generation_prompt: false});
      const rendered = await quire.fetch('http://quire/apply-template', {method: 'POST', body});
      const {prompt, error} = await rendered.json();
      if (error) throw new Error(error.message);
      const {tokens} = await quire.tokenize({content: prompt, add_special: true});
      await quire.keepSession(nameOf(talk.id), tokens);
      for (const each of (await ids()).slice(MOST)) await Quire.sessions.remove(nameOf(each)).catch(() => {}); // the next time
    });
  }

  remove(id) {
    return this.#after(() => Quire.sessions.remove(nameOf(id))).catch(() => {}); // another tab reads it: clear has it the next time
  }

  // clear removes what is kept of conversations that are gone, or no longer to be kept.
  async clear(there) {
    for (const id of await ids()) if (!there(id)) await this.remove(id);
  }

  #has(talk, quire) {
    const ids = this.#there.get(quire) ?? new Set(), had = ids.has(talk.id);
    this.#there.set(quire, ids.add(talk.id));
    return had;
  }

  #after(act) {
    return this.#last = this.#last.catch(() => {}).then(act);
  }
}

// ids gives the conversations of which something is kept, the last first.
const ids = async () => (await Quire.sessions.list().catch(() => [])).map(({name}) => idOf(name)).filter(Boolean);

// asked tells whether a conversation is to be kept, and can be: a server keeps its own, and what an adapter has made is no other's.
const asked = ({settings}, quire) => settings.keep && !settings.adapter && quire && !quire.server && quire.info.chat;
