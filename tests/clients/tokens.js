import {all, equal, fails, matches, ok} from './assert.js';

const start = 'Once upon a time';
const complete = (door, more) => door.client.completions.create({model: door.model, prompt: start, temperature: 0, max_tokens: 6, ...more});
const idsOf = async (door, content) => (await door.client.post('/tokenize', {body: {content, add_special: false}})).tokens;
const near = (a, b) => Math.abs(a - b) < 2e-3;

export const cases = {
  async 'completions of tokens'(door) {
    const ids = await idsOf(door, start);
    const [text, one, many] = await Promise.all([complete(door, {prompt: start, seed: 1}), complete(door, {prompt: ids}), complete(door, {prompt: [ids, ids.slice(0, 2)]})]);
    equal(many.choices.map((c) => c.index), [0, 1], 'the indices');
    equal(many.choices[0].text, one.choices[0].text, 'the text of the same tokens');
    matches(text.usage.prompt_tokens - one.usage.prompt_tokens, /^[01]$/, 'the number of tokens that begin a text');
    equal(many.usage.completion_tokens, 12, 'the tokens');
    await fails(complete(door, {prompt: [1e6]}), {status: 400, param: 'prompt[0]'});
    await fails(complete(door, {prompt: [-1]}), {status: 400, param: 'prompt[0]'});
    await fails(complete(door, {prompt: [ids, [1.5]]}), {status: 400, param: 'prompt[1][0]'});
  },

  async 'log-probabilities of a completion'(door) {
    const {choices: [{text, logprobs}]} = await complete(door, {logprobs: 3});
    equal(logprobs.tokens.join(''), text, 'the tokens');
    equal(logprobs.text_offset, logprobs.tokens.reduce((at, t) => [...at, at.at(-1) + t.length], [0]).slice(0, -1), 'the places');
    ok(logprobs.top_logprobs.every((top, i) => Object.keys(top).length === 3 && near(top[logprobs.tokens[i]], logprobs.token_logprobs[i])), 'the best');
    const none = (await complete(door, {logprobs: 0})).choices[0].logprobs;
    equal(none.token_logprobs.length, 6, 'their number without best ones');
    const chunks = await all(complete(door, {logprobs: 3, stream: true}));
    equal(chunks.flatMap((c) => c.choices[0].logprobs?.tokens ?? []), logprobs.tokens, 'the streamed tokens');
    equal(chunks.flatMap((c) => c.choices[0].logprobs?.text_offset ?? []), logprobs.text_offset, 'the streamed places');
    equal((await complete(door)).choices[0].logprobs, null, 'what nobody asked for');
    await fails(complete(door, {logprobs: 99}), {status: 400, param: 'logprobs'});
  },

  async 'a prompt that is told'(door) {
    const told = await complete(door, {echo: true, logprobs: 1, max_tokens: 0});
    const [{text, logprobs, finish_reason}] = told.choices;
    equal([text, told.usage.completion_tokens, finish_reason], [start, 0, 'length'], 'the prompt alone');
    equal(logprobs.tokens.join('').replace(/^<\|\w+\|>/, '').trim(), start, 'its tokens');
    equal([logprobs.token_logprobs[0], logprobs.top_logprobs[0]], [null, null], 'the first, which nothing is before');
    ok(logprobs.token_logprobs.slice(1).every((p) => p < 0), 'the others');
    const more = await complete(door, {echo: true, logprobs: 1, max_tokens: 3});
    equal(more.choices[0].logprobs.tokens.length, logprobs.tokens.length + 3, 'the tokens with those that follow');
    const chunks = await all(complete(door, {echo: true, stream: true}));
    equal(chunks.map((c) => c.choices[0].text).join(''), (await complete(door, {echo: true})).choices[0].text, 'the streamed text');
  },

  async 'no token and one'(door) {
    const none = await complete(door, {max_tokens: 0});
    equal([none.choices[0].text, none.choices[0].finish_reason, none.usage.completion_tokens], ['', 'length', 0], 'a completion of no token');
    const chunks = await all(complete(door, {max_tokens: 0, stream: true}));
    equal([chunks.map((c) => c.choices[0].text).join(''), chunks.at(-1).choices[0].finish_reason], ['', 'length'], 'a stream of no token');
    equal((await complete(door, {max_tokens: 1})).usage.completion_tokens, 1, 'a completion of one');
    await fails(complete(door, {max_tokens: -1}), {status: 400, param: 'max_tokens', code: 'integer_below_min_value'});
    const chat = (n) => door.client.chat.completions.create({model: door.model, messages: [{role: 'user', content: 'Hello.'}], max_completion_tokens: n});
    await fails(chat(0), {status: 400, param: 'max_completion_tokens', code: 'integer_below_min_value'});
    equal((await chat(1)).usage.completion_tokens, 1, 'a chat of one');
  },

  async 'streams of several completions'(door) {
    const more = {prompt: [start, 'The hen'], n: 2, temperature: 1.2, seed: 9, logprobs: 1, stop: ['zzz', 'qqq']};
    const whole = await complete(door, more);
    const chunks = await all(complete(door, {...more, stream: true, stream_options: {include_usage: true}}));
    equal(chunks.at(-1).usage, whole.usage, 'the usage');
    for (const {index, text, finish_reason} of whole.choices) {
      const own = chunks.flatMap((c) => c.choices).filter((c) => c.index === index);
      equal([own.map((c) => c.text).join(''), own.at(-1).finish_reason], [text, finish_reason], `choice ${index}`);
    }
    ok(chunks.slice(0, -1).every((c) => c.usage === null && c.choices.length === 1), 'the usage before the end');
  },

  async 'what completions do not take'(door) {
    await fails(complete(door, {suffix: ' the end.'}), {status: 400, param: 'suffix', code: 'unsupported_parameter'});
    await fails(complete(door, {prompt: null}), {status: 400, param: 'prompt'});
    await fails(complete(door, {prompt: []}), {status: 400, param: 'prompt'});
    await fails(complete(door, {best_of: 2, n: 3}), {status: 400, param: 'best_of'});
    await fails(complete(door, {best_of: 2, stream: true}), {status: 400, param: 'best_of'});
    await fails(complete(door, {stream_options: {include_usage: true}}), {status: 400, param: 'stream_options'});
    equal((await complete(door, {suffix: null, stop: null, logit_bias: null, seed: null, user: null, logprobs: null, stream: null, n: null})).usage.completion_tokens, 6, 'the tokens of what null leaves out');
  },

  async 'vectors in base64'(door) {
    const embed = (more) => door.client.post('/embeddings', {body: {model: door.model, input: 'A fox', ...more}});
    const [{embedding: floats}] = (await embed()).data;
    const [{embedding: text}] = (await embed({encoding_format: 'base64'})).data;
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const packed = new Float32Array(bytes.buffer);
    ok(packed.length === floats.length && packed.every((x, i) => near(x, floats[i])), 'the numbers');
    equal((await embed({dimensions: floats.length})).data[0].embedding.length, floats.length, 'the dimensions');
    await fails(embed({dimensions: floats.length - 1}), {status: 400, param: 'dimensions'});
    await fails(embed({encoding_format: 'hex'}), {status: 400, param: 'encoding_format'});
    await fails(embed({input: ''}), {status: 400, param: 'input'});
    await fails(embed({input: []}), {status: 400, param: 'input'});
    await fails(embed({input: ['A', '']}), {status: 400, param: 'input[1]'});
    await fails(embed({input: undefined}), {status: 400, param: 'input', code: 'missing_required_parameter'});
    const ids = await idsOf(door, 'A fox');
    const [a, b] = await Promise.all([embed({input: ids}), embed({input: [ids, ids]})]);
    ok(a.data[0].embedding.every((x, i) => near(x, b.data[1].embedding[i])) && b.data.length === 2, 'vectors of tokens');
  },

  async 'beams'(door) {
    const ask = (more) => door.client.chat.completions.create({model: door.model, messages: [{role: 'user', content: 'Tell me a story.'}], max_completion_tokens: 6, ...more});
    const two = await ask({beams: 3, n: 2, length_penalty: 0.8, early_stopping: 'never'});
    equal(two.choices.map((c) => c.index), [0, 1], 'the indices');
    ok(two.choices[0].message.content !== two.choices[1].message.content, 'texts that differ');
    equal((await ask({use_beam_search: true, n: 2})).choices.length, 2, "the number by vLLM's name");
    await fails(ask({beams: 3, stream: true}), {status: 400, param: 'beams'});
    await fails(ask({beams: 3, temperature: 1}), {status: 400, param: 'temperature'});
    await fails(ask({beams: 2, n: 3}), {status: 400, param: 'n'});
  },

  async 'tokens there and back'(door) {
    const text = 'Two foxes — "hello", they said.';
    const pieces = (await door.client.post('/tokenize', {body: {content: text, with_pieces: true}})).tokens;
    ok(pieces.every(({id}) => Number.isInteger(id)), 'the ids');
    matches((await door.client.post('/detokenize', {body: {tokens: pieces.map((p) => p.id)}})).content, /Two foxes — "hello", they said\./, 'the text');
    const {prompt} = await door.client.post('/apply-template', {body: {model: door.tools, messages: [{role: 'user', content: 'sunny'}]}});
    ok(prompt.includes('sunny') || !door.several, 'the prompt');
  },
};
