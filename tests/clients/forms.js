import {equal, fails, matches, ok} from './assert.js';

const pick = {
  type: 'function',
  function: {name: 'pick', strict: true, parameters: {type: 'object', properties: {side: {enum: ['left', 'right']}}, required: ['side'], additionalProperties: false}},
};
const schema = {type: 'object', properties: {side: {enum: ['left', 'right']}, sure: {type: 'boolean'}}, required: ['side', 'sure'], additionalProperties: false};
const named = (more) => ({response_format: {type: 'json_schema', json_schema: {name: 'side', strict: true, schema, ...more}}});
const ask = (door, more) => door.assistant.chat.completions.create({model: door.tools, messages: [{role: 'user', content: 'sunny'}], temperature: 0, max_completion_tokens: 400, reasoning_format: 'none', ...more});
const isSide = ({side, sure, ...rest}) => ok(['left', 'right'].includes(side) && typeof sure === 'boolean' && Object.keys(rest).length === 0, 'the value');

export const cases = {
  async 'an answer follows a schema'(door) {
    const {choices: [{message, finish_reason}]} = await ask(door, named());
    isSide(JSON.parse(message.content));
    equal([finish_reason, Object.keys(JSON.parse(message.content))], ['stop', ['side', 'sure']], 'the end, and the order');
    const parsed = await door.assistant.chat.completions.parse({model: door.tools, messages: [{role: 'user', content: 'side'}], temperature: 0, reasoning_format: 'none', ...named()});
    isSide(parsed.choices[0].message.parsed);
    const response = await door.assistant.responses.create({model: door.tools, input: 'side', temperature: 0, store: false, reasoning_format: 'none', text: {format: {type: 'json_schema', name: 'side', schema}}});
    isSide(JSON.parse(response.output_text));
    equal(response.text.format.name, 'side', 'the format');
  },

  async 'an answer follows a regular expression or a grammar'(door) {
    matches((await ask(door, {regex: '[0-9]{2}-(a|b)'})).choices[0].message.content, /^[0-9]{2}-[ab]$/, 'the text');
    equal((await ask(door, {grammar: 'root ::= "left" | "right" " "? "now"'})).choices[0].message.content.replace(/^right ?now$/, 'left'), 'left', 'the text');
  },

  async 'a call that must come'(door) {
    for (const more of [{tool_choice: 'required'}, {tool_choice: {type: 'function', function: {name: 'pick'}}}, {tool_choice: 'required', ...named()}]) {
      const {choices: [{message, finish_reason}]} = await ask(door, {tools: [pick], parallel_tool_calls: false, ...more});
      equal([finish_reason, message.content ?? null, message.tool_calls.length, message.tool_calls[0].function.name], ['tool_calls', null, 1, 'pick'], 'the call');
      ok(['left', 'right'].includes(JSON.parse(message.tool_calls[0].function.arguments).side), 'the arguments');
    }
  },

  async 'what cannot be followed is refused by name'(door) {
    const e = await fails(ask(door, named({schema: {type: 'object', properties: {a: {fox: 1}}}})), {status: 400, param: /^response_format/});
    matches(e.message, /#\/properties\/a\/fox/, 'the message');
    await fails(ask(door, {tools: [pick], tool_choice: 'required', regex: 'a'}), {status: 400, param: /^tool_choice/});
    await fails(ask(door, {tool_choice: 'required'}), {status: 400, param: /^tool_choice/});
    await fails(ask(door, {regex: '(a'}), {status: 400, param: /^regex/});
  },
};
