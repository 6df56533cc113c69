import {all, equal, matches, ok} from './assert.js';

const complete = (door, more) => door.client.completions.create({model: door.model, prompt: 'Once upon a time', temperature: 0, max_tokens: 8, ...more});
const respond = (door, more) => door.client.responses.create({model: door.model, input: 'Tell me a story about a fox.', temperature: 0, max_output_tokens: 16, store: false, ...more});

const length = (v) => Math.hypot(...v);

export const cases = {
  async 'models'(door) {
    const list = await all(door.client.models.list());
    ok(list.some((m) => m.id === door.model && m.object === 'model'), 'the list');
    equal((await door.client.models.retrieve(door.model)).id, door.model, 'the model');
  },

  async 'health'(door) {
    const answer = await door.fetch(new URL('/health', door.url));
    equal([answer.status, (await answer.json()).status], [200, 'ok'], 'the health');
  },

  async 'a completion'(door) {
    const got = await complete(door);
    equal(got.object, 'text_completion', 'the object');
    const [{index, text, finish_reason}] = got.choices;
    equal([index, finish_reason], [0, 'length'], 'the choice');
    ok(text.length > 8, 'the text');
    equal(got.usage.completion_tokens, 8, 'the tokens');
    const chunks = await all(complete(door, {stream: true}));
    equal(chunks.map((c) => c.choices[0].text).join(''), text, 'the streamed text');
  },

  async 'completions of several prompts'(door) {
    const single = await complete(door);
    const {tokens} = await door.client.post('/tokenize', {body: {content: 'Once upon a time', add_special: false}});
    const got = await complete(door, {prompt: ['Once upon a time', 'The hen'], n: 2, temperature: 1, seed: 3});
    equal(got.choices.map((c) => c.index), [0, 1, 2, 3], 'the indices');
    const same = await complete(door, {prompt: ['Once upon a time', 'Once upon a time']});
    equal(same.choices[1].text, same.choices[0].text, 'the text of the same prompt');
    const ids = await complete(door, {prompt: tokens});
    equal(ids.choices.length, 1, 'the number of choices of a list of tokens');
    ok(ids.choices[0].text.length > 0 && single.choices[0].text.length > 0, 'the text');
  },

  async 'what completions have of their own'(door) {
    const echo = await complete(door, {echo: true});
    matches(echo.choices[0].text, /^Once upon a time./, 'the text with its prompt');
    const {choices: [{logprobs}]} = await complete(door, {logprobs: 2});
    equal([logprobs.tokens.length, logprobs.token_logprobs.length, logprobs.top_logprobs.length, logprobs.text_offset.length], [8, 8, 8, 8], 'the log-probabilities');
    const best = await complete(door, {n: 1, best_of: 3, temperature: 1, seed: 4});
    equal(best.choices.length, 1, 'the number of the best');
  },

  async 'embeddings'(door) {
    const embed = (input, more) => door.client.embeddings.create({model: door.model, input, ...more});
    const one = await embed('A fox');
    equal([one.object, one.data.length, one.data[0].object, one.data[0].index], ['list', 1, 'embedding', 0], 'the answer');
    ok(Math.abs(length(one.data[0].embedding) - 1) < 1e-3, 'the length');
    ok(one.usage.prompt_tokens > 0 && one.usage.total_tokens === one.usage.prompt_tokens, 'the usage');
    const floats = await embed(['A fox', 'A hen'], {encoding_format: 'float'});
    equal(floats.data.map((d) => d.index), [0, 1], 'the indices');
    ok(floats.data[0].embedding.every((x, i) => Math.abs(x - one.data[0].embedding[i]) < 1e-3), 'the vector in base64');
    const {tokens} = await door.client.post('/tokenize', {body: {content: 'A fox', add_special: false}});
    equal((await embed([tokens, tokens])).data.length, 2, 'the number of lists of tokens');
  },

  async 'tokens'(door) {
    const {tokens} = await door.client.post('/tokenize', {body: {content: 'The fox laughed.'}});
    ok(tokens.length > 3 && tokens.every(Number.isInteger), 'the tokens');
    equal((await door.client.post('/detokenize', {body: {tokens}})).content, 'The fox laughed.', 'the text');
  },

  async 'a response'(door) {
    const got = await respond(door);
    equal([got.object, got.status], ['response', 'incomplete'], 'the response');
    equal(got.incomplete_details.reason, 'max_output_tokens', 'why it is not complete');
    matches(got.id, /^resp_/, 'the id');
    ok(got.output_text.length > 8, 'the text');
    equal([got.output[0].type, got.output[0].role, got.output[0].content[0].type], ['message', 'assistant', 'output_text'], 'the output');
    equal(got.usage.output_tokens, 16, 'the tokens');
    const listed = await respond(door, {input: [{role: 'user', content: [{type: 'input_text', text: 'Tell me a story about a fox.'}]}]});
    equal(listed.output_text, got.output_text, 'the text of a list');
  },

  async 'a streamed response'(door) {
    const whole = await respond(door);
    const events = await all(respond(door, {stream: true}));
    equal(events[0].type, 'response.created', 'the first event');
    const kinds = ['response.output_item.added', 'response.content_part.added', 'response.output_text.delta', 'response.output_text.done',
      'response.content_part.done', 'response.output_item.done', 'response.incomplete'];
    equal(kinds.filter((k) => !events.some((e) => e.type === k)), [], 'the events that are missing');
    equal(events.map((e) => e.sequence_number), events.map((_, i) => i), 'the numbers');
    equal(events.filter((e) => e.type === 'response.output_text.delta').map((e) => e.delta).join(''), whole.output_text, 'the text');
    equal(events.at(-1).response.usage.output_tokens, 16, 'the tokens');
  },

  async '32 at once'(door) {
    const ends = {think: 'Four.', sunny: 'It is sunny.'};
    const asked = Array.from({length: 32}, (_, i) => ({word: i % 2 ? 'think' : 'sunny', stream: i % 4 < 2}));
    await Promise.all(asked.map(async ({word, stream}) => {
      const request = {model: door.tools, messages: [{role: 'user', content: word}], temperature: 0, max_completion_tokens: 16, stream};
      const got = await door.assistant.chat.completions.create(request);
      const text = stream ? (await all(got)).map((c) => c.choices[0].delta.content ?? '').join('') : got.choices[0].message.content;
      equal(text.trim(), ends[word], 'the text');
    }));
    await door.idle();
  },
};
