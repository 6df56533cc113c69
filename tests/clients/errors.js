import {all, equal, fails, ok} from './assert.js';

const messages = [{role: 'user', content: 'Tell me a story.'}];
const ask = (door, more, options) => door.client.chat.completions.create({model: door.model, messages, max_completion_tokens: 4, ...more}, options);

const wrong = {
  temperature: 3, top_p: 2, n: -1, max_completion_tokens: 'many', messages: [], stop: 5, logit_bias: {x: 1}, seed: 'a', top_logprobs: 50,
  presence_penalty: 5, stream: 'yes', tools: 'all',
};

export const cases = {
  async 'wrong values name their field'(door) {
    for (const [name, value] of Object.entries(wrong)) {
      const e = await fails(ask(door, {[name]: value, ...(name === 'top_logprobs' && {logprobs: true})}), {status: 400, type: 'invalid_request_error', param: new RegExp(`^${name}`)});
      ok(e.constructor.name === 'BadRequestError' && e.message.length > 20, e.message);
      ok(!/json: |engine|generation\.|Go /.test(e.message), e.message);
    }
  },

  async 'what is not there yet is refused by name'(door) {
    await fails(ask(door, {response_format: {type: 'json_schema', json_schema: {name: 'a', schema: {type: 'fox'}}}}), {status: 400, param: /^response_format/});
    equal((await ask(door, {response_format: {type: 'text'}})).usage.completion_tokens, 4, 'the tokens of plain text');
    await fails(ask(door, {messages: [{role: 'user', content: [{type: 'image_url', image_url: {url: 'data:,'}}]}]}), {status: 400, param: /^messages/});
    await fails(door.client.responses.create({model: door.model, input: 'A', previous_response_id: 'resp_1'}), {status: 400, param: /^previous_response_id/});
  },

  async 'a prompt that is too long'(door) {
    const long = 'The fox ran. '.repeat(3000);
    await fails(ask(door, {messages: [{role: 'user', content: long}]}), {status: 400, code: 'context_length_exceeded'});
    await fails(ask(door, {messages: [{role: 'user', content: long}], stream: true}), {status: 400, code: 'context_length_exceeded'});
    await fails(door.client.completions.create({model: door.model, prompt: long}), {status: 400, code: 'context_length_exceeded'});
    await fails(door.client.embeddings.create({model: door.model, input: long}), {status: 400, code: 'context_length_exceeded'});
  },

  async 'a model that is not there'(door) {
    if (door.several) await fails(ask(door, {model: 'none'}), {status: 404, code: 'model_not_found'});
    else equal((await ask(door, {model: 'any'})).model, door.model, 'the only model');
    await fails(door.client.models.retrieve('none'), {status: 404, code: 'model_not_found'});
  },

  async 'a model without scores'(door) {
    await fails(door.client.post('/rerank', {body: {model: door.model, query: 'A', documents: ['B']}}), {status: 400});
  },

  async 'what is no call'(door) {
    const at = (path) => door.url.replace(/\/$/, '') + path;
    const headers = {'Content-Type': 'application/json', 'Authorization': `Bearer ${door.client.apiKey}`};
    const say = async (path, init) => {
      const answer = await door.fetch(at(path), {headers, ...init});
      const {error} = await answer.json();
      ok(typeof error.message === 'string' && typeof error.type === 'string' && 'param' in error && 'code' in error, JSON.stringify(error));
      return answer.status;
    };
    const post = (body) => say('/chat/completions', {method: 'POST', body});
    equal(await post('{'), 400, 'half a body');
    equal(await post(''), 400, 'no body');
    equal(await post('[]'), 400, 'a list');
    equal(await post(new Uint8Array([0x7b, 0xff, 0x7d])), 400, 'no text');
    equal(await say('/chat/completions', {method: 'GET'}), 405, 'another method');
    equal(await say('/nothing', {method: 'GET'}), 404, 'another path');
    equal(await say('/nothing', {method: 'POST', body: '{}'}), 404, 'another path');
  },

  async 'a reader leaves'(door) {
    const endless = {max_completion_tokens: 100, stream: true};
    for await (const _ of await ask(door, endless)) break;
    const stream = await ask(door, endless);
    let chunks = 0;
    for await (const _ of stream) {
      chunks++;
      stream.controller.abort();
    }
    ok(chunks < 50, 'the number of chunks: what had come by then may be read'); // of 100
    await door.idle();
  },

  async 'a signal aborts'(door) {
    const a = new AbortController();
    const asked = ask(door, {max_completion_tokens: 100}, {signal: a.signal});
    setTimeout(() => a.abort(), 50);
    const e = await fails(asked, {});
    equal(e.constructor.name, 'APIUserAbortError', 'the error');
    const b = new AbortController();
    const stream = await ask(door, {max_completion_tokens: 100, stream: true}, {signal: b.signal});
    b.abort();
    await all(stream);
    await door.idle();
    equal((await ask(door)).usage.completion_tokens, 4, 'the tokens of what comes after');
  },

  async 'one bad request among others'(door) {
    const results = await Promise.allSettled(Array.from({length: 8}, (_, i) => ask(door, i % 2 ? {temperature: 9} : {})));
    equal(results.map((r) => r.status), results.map((_, i) => i % 2 ? 'rejected' : 'fulfilled'), 'the ends');
  },
};
