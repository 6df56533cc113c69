import {all, equal, matches, ok} from './assert.js';

const story = [{role: 'user', content: 'Tell me a story about a fox.'}];
const ask = (door, more) => door.client.chat.completions.create({model: door.model, messages: story, temperature: 0, max_completion_tokens: 8, ...more});

export const textOf = (chunks, index = 0) => chunks.flatMap((c) => c.choices).filter((c) => c.index === index).map((c) => c.delta.content ?? '').join('');

export const cases = {
  async 'a chat completion'(door) {
    const got = await ask(door);
    equal(got.object, 'chat.completion', 'the object');
    matches(got.id, /^chatcmpl-/, 'the id');
    ok(Math.abs(got.created - Date.now() / 1000) < 600, 'the time');
    equal(got.choices.length, 1, 'the number of choices');
    const [{index, message, finish_reason}] = got.choices;
    equal([index, message.role, finish_reason], [0, 'assistant', 'length'], 'the choice');
    ok(message.content.length > 8, 'the text');
    equal(got.usage.completion_tokens, 8, 'the tokens');
    ok(got.usage.prompt_tokens > 5, 'the tokens of the prompt');
    equal(got.usage.total_tokens, got.usage.prompt_tokens + 8, 'all tokens');
  },

  async 'a stream says what the whole says'(door) {
    const whole = await ask(door);
    const chunks = await all(ask(door, {stream: true}));
    equal(textOf(chunks), whole.choices[0].message.content, 'the text');
    ok(chunks.length > 4, 'the number of chunks');
    equal(chunks[0].choices[0].delta.role, 'assistant', 'the role');
    equal(new Set(chunks.map((c) => c.id)).size, 1, 'the number of ids');
    ok(chunks.every((c) => c.object === 'chat.completion.chunk' && c.choices.length === 1), 'every chunk');
    equal(chunks.at(-1).choices[0].finish_reason, 'length', 'the end');
    ok(chunks.slice(0, -1).every((c) => c.choices[0].finish_reason === null), 'what is before the end');
    ok(!chunks.some((c) => c.usage), 'usage that nobody asked for');
  },

  async 'a stream with usage'(door) {
    const chunks = await all(ask(door, {stream: true, stream_options: {include_usage: true}}));
    const last = chunks.pop();
    equal(last.choices, [], 'the choices of the last chunk');
    equal(last.usage.completion_tokens, 8, 'the tokens');
    ok(chunks.every((c) => (c.usage ?? null) === null), 'the usage before the end');
  },

  async 'max_tokens is the older name'(door) {
    const got = await ask(door, {max_completion_tokens: undefined, max_tokens: 3});
    equal(got.usage.completion_tokens, 3, 'the tokens');
  },

  async 'seeds'(door) {
    const drawn = (seed) => ask(door, {temperature: 1.5, seed, max_completion_tokens: 12});
    const [a, b, c] = await Promise.all([drawn(1), drawn(1), drawn(2)]);
    equal(a.choices[0].message.content, b.choices[0].message.content, 'the text of an equal seed');
    ok(a.choices[0].message.content !== c.choices[0].message.content, 'the text of another seed');
  },

  async 'several answers'(door) {
    const more = {n: 3, temperature: 1.5, seed: 5, max_completion_tokens: 6};
    const whole = await ask(door, more);
    equal(whole.choices.map((c) => c.index), [0, 1, 2], 'the indices');
    equal(whole.usage.completion_tokens, 18, 'the tokens');
    const chunks = await all(ask(door, {...more, stream: true}));
    for (const {index, message} of whole.choices) equal(textOf(chunks, index), message.content, `the text of ${index}`);
    equal(chunks.flatMap((c) => c.choices).filter((c) => c.finish_reason === 'length').length, 3, 'the number of ends');
  },

  async 'stop'(door) {
    const whole = (await ask(door, {max_completion_tokens: 24})).choices[0].message.content;
    const word = whole.trim().split(/\s+/)[2];
    for (const stop of [word, [word], ['@@@', word]]) {
      const [{message, finish_reason}] = (await ask(door, {stop, max_completion_tokens: 24})).choices;
      equal([message.content, finish_reason], [whole.slice(0, whole.indexOf(word)), 'stop'], `what comes before ${JSON.stringify(stop)}`);
      equal(textOf(await all(ask(door, {stop, max_completion_tokens: 24, stream: true}))), message.content, 'the streamed text');
    }
  },

  async 'log-probabilities'(door) {
    const got = await ask(door, {logprobs: true, top_logprobs: 3});
    const {content} = got.choices[0].logprobs;
    equal(content.length, 8, 'the number of tokens');
    for (const {token, logprob, top_logprobs: top} of content) {
      equal(top.length, 3, 'the number of best ones');
      equal([token, logprob], [top[0].token, top[0].logprob], 'the best');
      ok(logprob <= 0 && top[0].logprob >= top[1].logprob && top[1].logprob >= top[2].logprob, 'the order');
    }
    const bytes = Uint8Array.from(content.flatMap((t) => t.bytes));
    equal(new TextDecoder().decode(bytes), got.choices[0].message.content, 'the text of the tokens');
    const chunks = await all(ask(door, {logprobs: true, top_logprobs: 3, stream: true}));
    const streamed = chunks.flatMap((c) => c.choices[0].logprobs?.content ?? []);
    equal(streamed.map((t) => t.token), content.map((t) => t.token), 'the streamed tokens');
    const none = await ask(door, {logprobs: true});
    equal(none.choices[0].logprobs.content[0].top_logprobs, [], 'no best ones');
    equal((await ask(door)).choices[0].logprobs ?? null, null, 'what nobody asked for');
  },

  async 'text parts'(door) {
    const parts = [{role: 'user', content: [{type: 'text', text: story[0].content}]}];
    const [a, b] = await Promise.all([ask(door), ask(door, {messages: parts})]);
    equal(b.choices[0].message.content, a.choices[0].message.content, 'the text');
  },

  async 'fields beyond the reference'(door) {
    const got = await ask(door, {top_k: 5, min_p: 0.1, repetition_penalty: 1.1, priority: 1, cache_salt: 'a', deadline: 600, chat_template_kwargs: {enable_thinking: false}});
    equal(got.usage.completion_tokens, 8, 'the tokens');
  },

  async 'biases and penalties'(door) {
    const first = async (more) => {
      const got = await ask(door, {logprobs: true, max_completion_tokens: 1, ...more});
      return got.choices[0].logprobs.content[0].token;
    };
    const best = await first();
    const {tokens} = await door.client.post('/tokenize', {body: {content: best, add_special: false}});
    equal(tokens.length, 1, `the tokens of ${JSON.stringify(best)}`);
    ok(await first({logit_bias: {[tokens[0]]: -100}}) !== best, 'what is drawn against a bias');
    const {tokens: [fox]} = await door.client.post('/tokenize', {body: {content: ' fox', add_special: false}});
    const bias = {[fox]: 100};
    const twice = await ask(door, {logit_bias: bias, max_completion_tokens: 4});
    ok((twice.choices[0].message.content.match(/fox/g) ?? []).length > 2, 'a text of one biased token');
    const foxes = async (more) => (await ask(door, {logit_bias: {[fox]: 12}, max_completion_tokens: 12, ...more})).choices[0].message.content.split('fox').length;
    const plain = await foxes();
    ok(await foxes({frequency_penalty: 2, presence_penalty: 2}) <= plain, 'a text with penalties');
  },

  async 'an unknown field is told and passed over'(door) {
    const {usage, warnings} = await ask(door, {colour: 'red'});
    equal(usage.completion_tokens, 8, 'the tokens');
    ok(warnings.some((text) => text.includes('colour')), 'a warning that names the field');
    equal((await ask(door)).warnings ?? null, null, 'warnings of nothing');
  },

  async 'the helper that gathers a stream'(door) {
    const runner = door.client.chat.completions.stream({model: door.model, messages: story, temperature: 0, max_completion_tokens: 8});
    let text = '';
    runner.on('content', (delta) => { text += delta; });
    const whole = await runner.finalChatCompletion();
    equal(whole.choices[0].message.content, text, 'the text');
    equal(text, (await ask(door)).choices[0].message.content, 'the text of the whole');
  },
};
