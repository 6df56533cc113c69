import {all, equal, fails, matches, ok} from './assert.js';

const told = (door, content, more, options) => door.assistant.chat.completions.create({model: door.tools, messages: [{role: 'user', content}], temperature: 0, ...more}, options);
const tool = (name) => ({type: 'function', function: {name, description: 'A tool.', parameters: {type: 'object', properties: {city: {type: 'string'}, zone: {type: 'string'}}}}});
const tools = [tool('get_weather'), tool('get_time')];

export const cases = {
  async 'the response beside the data'(door) {
    const {data, response} = await told(door, 'sunny').withResponse();
    equal([response.status, response.headers.get('content-type'), data.choices[0].message.content], [200, 'application/json', 'It is sunny.'], 'the answer');
    const raw = await told(door, 'sunny').asResponse();
    equal((await raw.json()).choices[0].finish_reason, 'stop', 'the end');
    const {data: stream, response: streamed} = await told(door, 'sunny', {stream: true}).withResponse();
    matches(streamed.headers.get('content-type'), /^text\/event-stream/, 'the kind');
    equal((await all(stream)).map((c) => c.choices[0].delta.content ?? '').join(''), 'It is sunny.', 'the text');
    matches(data._request_id, /^req_\w{8,}$/, 'the id of the request');
    const e = await fails(told(door, 'sunny', {temperature: 9}), {status: 400});
    matches(e.requestID, /^req_\w{8,}$/, 'the id of what failed');
  },

  async 'a stream can be read twice, and as a stream of lines'(door) {
    const [a, b] = (await told(door, 'sunny', {stream: true})).tee();
    const text = (chunks) => chunks.map((c) => c.choices[0].delta.content ?? '').join('');
    equal((await Promise.all([all(a), all(b)])).map(text), ['It is sunny.', 'It is sunny.'], 'the texts');
    const lines = (await new Response((await told(door, 'sunny', {stream: true})).toReadableStream()).text()).trim().split('\n');
    equal(text(lines.map((line) => JSON.parse(line))), 'It is sunny.', 'the text of the lines');
  },

  async 'several calls at once'(door) {
    const [{message, finish_reason}] = (await told(door, 'both', {tools})).choices;
    const shown = (calls) => calls.map((c) => [c.type, c.function.name, JSON.parse(c.function.arguments)]);
    const want = [['function', 'get_weather', {city: 'Rome'}], ['function', 'get_time', {zone: 'CET'}]];
    equal([shown(message.tool_calls), finish_reason, message.content], [want, 'tool_calls', null], 'the calls');
    equal(new Set(message.tool_calls.map((c) => c.id)).size, 2, 'the number of ids');
    const deltas = (await all(told(door, 'both', {tools, stream: true}))).flatMap((c) => c.choices[0].delta.tool_calls ?? []);
    equal(deltas.filter((d) => d.id).map((d) => [d.index, d.function.name]), [[0, 'get_weather'], [1, 'get_time']], 'the streamed names');
    equal([0, 1].map((i) => JSON.parse(deltas.filter((d) => d.index === i).map((d) => d.function.arguments ?? '').join(''))), [{city: 'Rome'}, {zone: 'CET'}], 'the streamed arguments');
    const [first] = (await told(door, 'both', {tools, parallel_tool_calls: false})).choices;
    equal(shown(first.message.tool_calls), want.slice(0, 1), 'the only call');
    const runner = door.assistant.chat.completions.stream({model: door.tools, messages: [{role: 'user', content: 'both'}], tools, temperature: 0});
    const done = [];
    runner.on('tool_calls.function.arguments.done', (e) => done.push([e.index, e.name, e.arguments]));
    const final = await runner.finalChatCompletion();
    equal(shown(final.choices[0].message.tool_calls), want, 'the gathered calls');
    equal(done.map(([i, name, text]) => [i, name, JSON.parse(text)]), [[0, 'get_weather', {city: 'Rome'}], [1, 'get_time', {zone: 'CET'}]], 'the events of the calls');
    const again = [{role: 'user', content: 'both'}, message, ...message.tool_calls.map(({id}, i) => ({role: 'tool', tool_call_id: id, content: i ? 'sunny' : [{type: 'text', text: 'noon'}]}))];
    equal((await door.assistant.chat.completions.create({model: door.tools, messages: again, tools, temperature: 0})).choices[0].message.content, 'It is sunny.', 'the answer');
  },

  async 'the helper that runs several tools'(door) {
    const asked = [];
    const runnable = (name, answer) => ({type: 'function', function: {...tool(name).function, parse: JSON.parse, function: (a) => {
      asked.push([name, a]);
      return answer;
    }}});
    const runner = door.assistant.chat.completions.runTools({model: door.tools, stream: true, messages: [{role: 'user', content: 'both'}], temperature: 0,
      tools: [runnable('get_weather', 'mild'), runnable('get_time', 'sunny')]});
    equal(await runner.finalContent(), 'It is sunny.', 'the answer');
    equal(asked, [['get_weather', {city: 'Rome'}], ['get_time', {zone: 'CET'}]], 'what the tools were asked');
  },

  async 'roles'(door) {
    const ask = (messages, more) => door.assistant.chat.completions.create({model: door.tools, messages, temperature: 0, ...more});
    const tokens = async (role) => (await ask([{role, content: 'Be brief.'}, {role: 'user', content: 'sunny', name: 'Ann'}])).usage.prompt_tokens;
    equal(await tokens('developer'), await tokens('system'), 'the tokens of a developer and a system');
    const refusal = await ask([{role: 'user', content: 'A'}, {role: 'assistant', content: [{type: 'text', text: 'B'}, {type: 'refusal', refusal: 'I cannot.'}]}, {role: 'user', content: 'sunny'}]);
    equal(refusal.choices[0].message.content, 'It is sunny.', 'the answer after a refusal');
    await fails(ask([{role: 'function', name: 'f', content: 'A'}]), {status: 400, param: 'messages[0].role'});
    await fails(ask([{role: 'user', content: 'A'}, {role: 'tool', content: 'B'}]), {status: 400, param: 'messages[1].tool_call_id'});
    await fails(ask([{role: 'user'}]), {status: 400, param: 'messages[0].content'});
    await fails(ask([{role: 'user', content: [{type: 'input_audio', input_audio: {}}]}]), {status: 400, param: 'messages[0].content[0].type'});
  },

  async 'classes of errors'(door) {
    const name = async (promise, fields) => (await fails(promise, fields)).constructor.name;
    equal(await name(told(door, 'sunny', {top_p: 7}), {status: 400, param: 'top_p'}), 'BadRequestError', 'a wrong field');
    equal(await name(door.client.models.retrieve('none/such'), {status: 404, code: 'model_not_found'}), 'NotFoundError', 'a model');
    for (const call of [
      () => door.client.moderations.create({input: 'A'}), () => door.client.images.generate({prompt: 'A', model: 'x'}), () => door.client.files.list(), () => door.client.batches.list(),
      () => door.client.audio.speech.create({input: 'A', model: 'x', voice: 'y'}), () => door.client.fineTuning.jobs.list(), () => door.client.vectorStores.list(),
    ]) equal(await name(call(), {status: 404, code: 'unknown_url'}), 'NotFoundError', 'what is not here');
    await fails(door.client.chat.completions.list(), {status: 405});
    await fails(door.client.chat.completions.retrieve('chatcmpl-1'), {status: 404});
  },

  async 'a client that does not wait'(door) {
    const slow = {model: door.model, messages: [{role: 'user', content: 'Tell me a story.'}], max_completion_tokens: 100, ignore_eos: true};
    const e = await fails(door.client.chat.completions.create(slow, {timeout: 30, maxRetries: 0}), {});
    equal(e.constructor.name, 'APIConnectionTimeoutError', 'the error');
    await door.idle();
  },

  async 'a seed on its own and among others'(door) {
    const drawn = (more) => door.client.chat.completions.create({model: door.model, messages: [{role: 'user', content: 'Tell me a story about a hen.'}], temperature: 1.3, seed: -7, max_completion_tokens: 8, ...more});
    const alone = (await drawn()).choices[0].message.content;
    const among = await Promise.all([drawn({seed: 1}), drawn(), drawn({seed: 2, n: 2}), drawn({top_k: 3})]);
    equal(among[1].choices[0].message.content, alone, 'the text');
    equal((await drawn({n: 2})).choices[0].message.content, alone, 'the first of two');
    ok((await drawn({n: 2})).choices[1].message.content !== alone, 'a second that differs');
    const chunks = await all(drawn({stream: true}));
    equal(chunks.map((c) => c.choices[0].delta.content ?? '').join(''), alone, 'the streamed text');
  },

  async 'lists are pages'(door) {
    const page = await door.client.models.list();
    ok(page.data.length > 0 && !page.hasNextPage() && page.object === 'list', 'the page');
    equal((await all(page)).length, page.data.length, 'the number');
    const {created, owned_by, object} = await door.client.models.retrieve(page.data[0].id);
    ok(Number.isInteger(created) && typeof owned_by === 'string' && object === 'model', 'the model');
  },
};
