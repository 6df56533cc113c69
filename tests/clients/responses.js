import {all, equal, fails, matches, ok} from './assert.js';

const tool = (name, more) => ({type: 'function', name, description: 'A tool.', strict: false, parameters: {type: 'object', properties: {city: {type: 'string'}, zone: {type: 'string'}}}, ...more});
const tools = [tool('get_weather'), tool('get_time')];
const respond = (door, more, options) => door.assistant.responses.create({model: door.tools, temperature: 0, store: false, ...more}, options);

export const cases = {
  async 'a streamed response calls tools'(door) {
    const whole = await respond(door, {input: 'both', tools});
    const calls = whole.output.filter((o) => o.type === 'function_call');
    equal(calls.map((c) => [c.name, c.status, JSON.parse(c.arguments)]), [['get_weather', 'completed', {city: 'Rome'}], ['get_time', 'completed', {zone: 'CET'}]], 'the calls');
    equal([whole.status, whole.output_text, whole.error], ['completed', '', null], 'the response');
    ok(calls.every((c) => c.id.startsWith('fc_') && c.call_id.startsWith('call_')) && calls[0].call_id !== calls[1].call_id, 'the ids');
    const events = await all(respond(door, {input: 'both', tools, stream: true}));
    for (const [i, call] of calls.entries()) {
      const [added] = events.filter((e) => e.type === 'response.output_item.added' && e.output_index === i);
      equal([added.item.type, added.item.name, added.item.arguments, added.item.status], ['function_call', call.name, '', 'in_progress'], 'the item that is added');
      const of = (kind) => events.filter((e) => e.type === `response.function_call_arguments.${kind}` && e.output_index === i);
      equal(of('delta').map((e) => e.delta).join(''), call.arguments, 'the pieces');
      equal(of('done').map((e) => [e.item_id, e.name, e.arguments]), [[added.item.id, call.name, call.arguments]], 'the arguments');
      equal(events.filter((e) => e.type === 'response.output_item.done' && e.output_index === i).map((e) => e.item.arguments), [call.arguments], 'the item that is done');
    }
    const {response} = events.at(-1);
    equal([events.at(-1).type, response.status, response.output.length, response.tools.length], ['response.completed', 'completed', 2, 2], 'the end');
  },

  async 'a response goes on with what a tool answered'(door) {
    const input = [{role: 'user', content: 'both'}];
    const first = await respond(door, {input, tools});
    const outputs = first.output.filter((o) => o.type === 'function_call').map(({call_id}, i) => ({type: 'function_call_output', call_id, output: i ? 'sunny' : [{type: 'input_text', text: 'noon'}]}));
    const second = await respond(door, {input: [...input, ...first.output, ...outputs], tools});
    equal([second.output_text, second.status], ['It is sunny.', 'completed'], 'the answer');
  },

  async 'thoughts of a response'(door) {
    const events = await all(respond(door, {input: 'think', stream: true, reasoning: {effort: 'low'}}));
    const {response} = events.at(-1);
    equal(response.output.map((o) => o.type), ['reasoning', 'message'], 'the output');
    matches(response.output[0].content[0].text, /^\s*Two and two\.\s*$/, 'the thoughts');
    equal(response.output[1].content[0].text.trim(), 'Four.', 'the answer');
    equal(events.filter((e) => e.type === 'response.reasoning_text.delta').map((e) => e.delta).join(''), response.output[0].content[0].text, 'the streamed thoughts');
    ok(response.usage.output_tokens_details.reasoning_tokens > 2, 'the tokens of thoughts');
    equal(response.reasoning.effort, 'low', 'what was asked');
    const again = await respond(door, {input: [{role: 'user', content: 'think'}, ...response.output, {role: 'user', content: 'sunny'}]});
    equal(again.output_text, 'It is sunny.', 'what comes after thoughts');
  },

  async 'the helper that gathers a response'(door) {
    const kinds = [];
    const stream = door.assistant.responses.stream({model: door.tools, input: 'sunny', temperature: 0, store: false});
    let text = '';
    stream.on('event', (e) => kinds.push(e.type)).on('response.output_text.delta', (e) => { text += e.delta; });
    const final = await stream.finalResponse();
    equal([final.output_text, text], ['It is sunny.', 'It is sunny.'], 'the text');
    equal([kinds[0], kinds.at(-1)], ['response.created', 'response.completed'], 'the events');
  },

  async 'instructions of a response'(door) {
    const [plain, told, developer] = await Promise.all([
      respond(door, {input: 'sunny'}), respond(door, {input: 'sunny', instructions: 'Be brief.'}),
      respond(door, {input: [{role: 'developer', content: 'Be brief.'}, {type: 'message', role: 'user', content: [{type: 'input_text', text: 'sunny'}]}]}),
    ]);
    equal([plain.instructions, told.instructions], [null, 'Be brief.'], 'the instructions');
    ok(told.usage.input_tokens > plain.usage.input_tokens, 'the tokens of the instructions');
    equal([told.output_text, developer.output_text, developer.usage.input_tokens], ['It is sunny.', 'It is sunny.', told.usage.input_tokens], 'the answers');
  },

  async 'what a response says of its request'(door) {
    const got = await respond(door, {input: 'sunny', metadata: {a: 'b'}, user: 'me', max_output_tokens: 64, top_p: 0.5, parallel_tool_calls: false, tool_choice: 'none', tools,
      text: {format: {type: 'text'}}, truncation: 'auto', include: ['reasoning.encrypted_content'], safety_identifier: 'x', prompt_cache_key: 'k', service_tier: 'auto'});
    equal([got.metadata, got.user, got.max_output_tokens, got.top_p, got.temperature, got.parallel_tool_calls, got.tool_choice, got.truncation, got.previous_response_id, got.store],
      [{a: 'b'}, 'me', 64, 0.5, 0, false, 'none', 'auto', null, false], 'the fields');
    equal([got.text.format.type, got.output_text], ['text', 'It is sunny.'], 'the format and the answer');
    const {total_tokens, input_tokens, output_tokens, input_tokens_details} = got.usage;
    ok(total_tokens === input_tokens + output_tokens && input_tokens_details.cached_tokens >= 0, 'the usage');
  },

  async 'log-probabilities of a response'(door) {
    const got = await respond(door, {input: 'sunny', top_logprobs: 2, include: ['message.output_text.logprobs']});
    const {logprobs, text} = got.output[0].content[0];
    equal(logprobs.map((l) => l.token).join(''), text, 'the tokens');
    ok(logprobs.every((l) => l.top_logprobs.length === 2 && l.logprob > -0.01), 'the best');
    const events = await all(respond(door, {input: 'sunny', top_logprobs: 2, include: ['message.output_text.logprobs'], stream: true}));
    equal(events.filter((e) => e.type === 'response.output_text.delta').flatMap((e) => e.logprobs).map((l) => l.token), logprobs.map((l) => l.token), 'the streamed tokens');
  },

  async 'what needs something stored is refused by name'(door) {
    for (const more of [{previous_response_id: 'resp_1'}, {conversation: 'conv_1'}, {store: true}, {background: true}, {prompt: {id: 'pmpt_1'}},
      {tools: [{type: 'web_search'}]}, {tools: [{type: 'custom', name: 'a'}]}, {tool_choice: 'required', tools: []}, {tool_choice: {type: 'function', name: 'none'}, tools},
      {text: {format: {type: 'json_schema', name: 'a', schema: {type: 'fox'}}}}]) {
      const [name] = Object.keys(more);
      const e = await fails(respond(door, {input: 'sunny', ...more}), {status: 400, type: 'invalid_request_error', param: new RegExp(`^${name}`)});
      equal(e.constructor.name, 'BadRequestError', 'the class');
      const streamed = await fails(respond(door, {input: 'sunny', stream: true, ...more}), {status: 400});
      equal(streamed.message, e.message, 'what a stream says');
    }
    for (const [i, item] of [{type: 'item_reference', id: 'msg_1'}, {role: 'user', content: [{type: 'input_image', image_url: 'data:,'}]}, {role: 'user', content: [{type: 'input_file', file_id: 'f'}]}].entries()) {
      await fails(respond(door, {input: [{role: 'user', content: 'sunny'}, item]}), {status: 400, param: i ? 'input[1].content[0].type' : 'input[1].type'});
    }
    await fails(door.assistant.responses.retrieve('resp_1'), {status: 404});
    await fails(door.assistant.responses.delete('resp_1'), {status: 404});
  },
};
