// The suite in a tab: the clients' server is the engine.

import OpenAI from 'openai';
import {Quire} from 'quire-llm';
import tales from 'quire-llm/tales';

import {run} from './cases.js';
import {cases as frameworks} from './frameworks.js';
import {cases as suite, more} from './suite.js';

const settings = {kvMemory: 16 << 20};
const url = 'http://quire/v1';

async function ready(quire) {
  for (;;) {
    const {waiting, running} = await quire.stats();
    if (waiting + running === 0) return;
  }
}

/** Opens both models and gives what the suite asks at. */
async function door() {
  const [stories, assistant] = await Promise.all([
    Quire.open({...settings, context: 512, model: tales}), Quire.open({...settings, model: new URL('assistant.gguf', document.baseURI)}),
  ]);
  const client = ({fetch}) => new OpenAI({baseURL: url, apiKey: 'none', dangerouslyAllowBrowser: true, maxRetries: 0, fetch});
  return {
    quires: [stories, assistant], client: client(stories), model: stories.info.name, assistant: client(assistant), tools: assistant.info.name,
    url, several: false, fetch: stories.fetch, assistantFetch: assistant.fetch,
    idle: () => Promise.all([stories, assistant].map(ready)),
  };
}

const all = {...suite, ...more, ...frameworks};

globalThis.clients = {
  async open() {
    globalThis.door = await door();
    return true;
  },
  names: () => Object.keys(all),
  run: (name) => run(all, globalThis.door, name),
};
