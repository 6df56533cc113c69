import {all, equal, fails, matches, ok} from './assert.js';

const weather = {
  type: 'function',
  function: {
    name: 'get_weather', description: 'Gives the weather of a city.',
    parameters: {type: 'object', properties: {city: {type: 'string'}, unit: {enum: ['celsius', null]}}, required: ['city']},
  },
};
const ask = (door, content, more) => door.assistant.chat.completions.create({
  model: door.tools, messages: [{role: 'user', content}], temperature: 0, max_completion_tokens: 32, ...more,
});

export const cases = {
  async 'a tool is called'(door) {
    const got = await ask(door, 'weather', {tools: [weather]});
    const [{message, finish_reason}] = got.choices;
    equal([message.content ?? null, finish_reason, message.tool_calls.length], [null, 'tool_calls', 1], 'the choice');
    const [{id, type, function: {name, arguments: args}}] = message.tool_calls;
    equal([type, name, JSON.parse(args)], ['function', 'get_weather', {city: 'Paris'}], 'the call');
    ok(id.length > 4, 'the id');
    const chunks = await all(ask(door, 'weather', {tools: [weather], stream: true}));
    const deltas = chunks.flatMap((c) => c.choices[0].delta.tool_calls ?? []);
    equal(deltas.filter((d) => d.function.name).map((d) => [d.index, d.type, d.function.name]), [[0, 'function', 'get_weather']], 'the name');
    equal(deltas.map((d) => d.function.arguments ?? '').join(''), args, 'the arguments');
    ok(deltas.length > 2, 'the number of pieces');
    equal(chunks.at(-1).choices[0].finish_reason, 'tool_calls', 'the end');
    ok(!chunks.some((c) => c.choices[0].delta.content), 'text beside the call');
  },

  async 'a tool has answered'(door) {
    const messages = [
      {role: 'user', content: 'weather'},
      {role: 'assistant', content: null, tool_calls: [{id: 'call_1', type: 'function', function: {name: 'get_weather', arguments: '{"city": "Paris"}'}}]},
      {role: 'tool', tool_call_id: 'call_1', content: 'sunny'},
    ];
    const got = await door.assistant.chat.completions.create({model: door.tools, messages, tools: [weather], temperature: 0});
    equal([got.choices[0].message.content, got.choices[0].finish_reason], ['It is sunny.', 'stop'], 'the answer');
  },

  async 'the helper that runs tools'(door) {
    const asked = [];
    const tool = {type: 'function', function: {...weather.function, parse: JSON.parse, function: ({city}) => {
      asked.push(city);
      return 'sunny';
    }}};
    const runner = door.assistant.chat.completions.runTools({model: door.tools, messages: [{role: 'user', content: 'weather'}], tools: [tool], temperature: 0});
    equal(await runner.finalContent(), 'It is sunny.', 'the answer');
    equal(asked, ['Paris'], 'what the tool was asked');
  },

  async 'no tool is to be called'(door) {
    const got = await ask(door, 'sunny', {tools: [weather], tool_choice: 'none'});
    equal([got.choices[0].message.content, got.choices[0].message.tool_calls ?? null], ['It is sunny.', null], 'the answer');
  },

  async 'thoughts are apart'(door) {
    const got = await ask(door, 'think');
    const {message} = got.choices[0];
    equal(message.content.trim(), 'Four.', 'the answer');
    matches(message.reasoning_content ?? message.reasoning, /^\s*Two and two\.\s*$/, 'the thoughts');
    const deltas = (await all(ask(door, 'think', {stream: true}))).map((c) => c.choices[0].delta);
    equal(deltas.map((d) => d.content ?? '').join('').trim(), 'Four.', 'the streamed answer');
    matches(deltas.map((d) => d.reasoning_content ?? d.reasoning ?? '').join(''), /^\s*Two and two\.\s*$/, 'the streamed thoughts');
  },

  async 'a response calls a tool'(door) {
    const {parameters, ...about} = weather.function;
    const got = await door.assistant.responses.create({model: door.tools, input: 'weather', temperature: 0, store: false,
      tools: [{type: 'function', ...about, parameters, strict: false}]});
    const call = got.output.find((o) => o.type === 'function_call');
    equal([call.name, JSON.parse(call.arguments)], ['get_weather', {city: 'Paris'}], 'the call');
  },
};
