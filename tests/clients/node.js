// The suite in Node, against a server: node node.js URL MODEL ASSISTANT [ONLY]. The key is in QUIRE_API_KEY.

import OpenAI from 'openai';

import {run} from './cases.js';
import {cases, more} from './suite.js';

const [url, model, tools, only = ''] = process.argv.slice(2);
const client = new OpenAI({baseURL: url, apiKey: process.env.QUIRE_API_KEY ?? 'none', maxRetries: 0});

// idle waits until the server's metrics say that nothing runs.
async function idle() {
  for (let tries = 0; tries < 600; tries++) {
    const text = await (await fetch(new URL('/metrics', url))).text();
    const busy = [...text.matchAll(/^vllm:num_requests_(?:running|waiting)\{?.*?\}? ([\d.e+]+)$/gm)];
    if (busy.length > 0 && busy.every(([, n]) => Number(n) === 0)) return;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error('something still runs');
}

const {right, wrong} = await run(process.env.QUIRE_ALL || only ? {...cases, ...more} : cases, {client, model, assistant: client, tools, url, fetch, several: true, idle}, only);
for (const text of wrong) console.log(`✗ ${text}`);
console.log(`${right.length} right, ${wrong.length} wrong`);
process.exitCode = wrong.length === 0 && right.length > 0 ? 0 : 1;
