// The AI SDK and LangChain as they are, over llm.fetch.

import {createOpenAICompatible} from '@ai-sdk/openai-compatible';
import {createOpenAI} from '@ai-sdk/openai';
import {ChatOpenAI, OpenAIEmbeddings} from '@langchain/openai';
import {embed, generateText, isStepCount, jsonSchema, streamText, tool} from 'ai';

import {all, equal, ok} from './assert.js';

const prompt = 'Tell me a story about a fox.';
const city = {type: 'object', properties: {city: {type: 'string'}}, required: ['city']};

const sdk = ({url, fetch}) => createOpenAICompatible({name: 'quire', baseURL: url, apiKey: 'none', includeUsage: true, fetch});
const weather = (asked) => tool({
  description: 'Gives the weather of a city.', inputSchema: jsonSchema(city),
  execute: async (input) => {
    asked.push(input.city);
    return 'sunny';
  },
});

const chain = ({url}, fetch, model) => new ChatOpenAI({
  model, apiKey: 'none', temperature: 0, maxTokens: 12, maxRetries: 0, configuration: {baseURL: url, fetch, dangerouslyAllowBrowser: true},
});

export const cases = {
  async 'AI SDK: text'(door) {
    const asked = {model: sdk(door)(door.model), prompt, temperature: 0, maxOutputTokens: 12, maxRetries: 0};
    const {text, usage, finishReason} = await generateText(asked);
    ok(text.length > 8, 'the text');
    equal([usage.outputTokens, finishReason], [12, 'length'], 'the end');
    const streamed = streamText(asked);
    equal((await all(streamed.textStream)).join(''), text, 'the streamed text');
    equal((await streamed.usage).outputTokens, 12, 'the tokens of the stream');
  },

  async 'AI SDK: tools'(door) {
    const asked = [];
    const model = sdk({...door, fetch: door.assistantFetch})(door.tools);
    const {text, steps} = await generateText({model, prompt: 'weather', tools: {get_weather: weather(asked)}, stopWhen: isStepCount(2), maxRetries: 0});
    equal([asked, text, steps.length], [['Paris'], 'It is sunny.', 2], 'the answer');
    const streamed = streamText({model, prompt: 'weather', tools: {get_weather: weather(asked)}, stopWhen: isStepCount(2), maxRetries: 0});
    equal((await all(streamed.textStream)).join(''), 'It is sunny.', 'the streamed answer');
    const {text: answer, reasoningText} = await generateText({model, prompt: 'think', maxRetries: 0});
    equal([answer.trim(), reasoningText.trim()], ['Four.', 'Two and two.'], 'the thoughts and the answer');
  },

  async 'AI SDK: responses'(door) {
    const openai = createOpenAI({baseURL: door.url, apiKey: 'none', fetch: door.fetch});
    const asked = {model: openai.responses(door.model), prompt, temperature: 0, maxOutputTokens: 16, maxRetries: 0};
    const {text} = await generateText(asked);
    ok(text.length > 8, 'the text');
    equal((await all(streamText(asked).textStream)).join(''), text, 'the streamed text');
  },

  async 'AI SDK: embeddings, errors and aborting'(door) {
    const {embedding} = await embed({model: sdk(door).embeddingModel(door.model), value: 'A fox', maxRetries: 0});
    ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-3, 'the length');
    const e = await generateText({model: sdk(door)(door.model), prompt: 'The fox ran. '.repeat(3000), maxRetries: 0}).catch((e) => e);
    equal(e.statusCode, 400, `the status (${e.message})`);
    const a = new AbortController();
    const streamed = streamText({model: sdk(door)(door.model), prompt, abortSignal: a.signal, maxRetries: 0});
    for await (const _ of streamed.textStream) a.abort();
    await door.idle();
  },

  async 'LangChain: text'(door) {
    const llm = chain(door, door.fetch, door.model);
    const {content, usage_metadata: usage} = await llm.invoke(prompt);
    ok(content.length > 8, 'the text');
    equal(usage.output_tokens, 12, 'the tokens');
    equal((await all(llm.stream(prompt))).map((chunk) => chunk.content).join(''), content, 'the streamed text');
    equal((await llm.batch([prompt, prompt])).map((m) => m.content), [content, content], 'two at once');
  },

  async 'LangChain: tools'(door) {
    const llm = chain(door, door.assistantFetch, door.tools).bindTools([{type: 'function', function: {name: 'get_weather', parameters: city}}]);
    llm.maxTokens = undefined;
    const {tool_calls: calls} = await llm.invoke('weather');
    equal(calls.map(({name, args}) => [name, args]), [['get_weather', {city: 'Paris'}]], 'the calls');
    let whole = null;
    for await (const chunk of await llm.stream('weather')) whole = whole ? whole.concat(chunk) : chunk;
    equal(whole.tool_calls.map(({name, args}) => [name, args]), [['get_weather', {city: 'Paris'}]], 'the streamed calls');
  },

  async 'LangChain: embeddings'(door) {
    const embeddings = new OpenAIEmbeddings({model: door.model, apiKey: 'none', configuration: {baseURL: door.url, fetch: door.fetch, dangerouslyAllowBrowser: true}});
    const [a, b] = await embeddings.embedDocuments(['A fox', 'A hen']);
    ok(Math.abs(Math.hypot(...a) - 1) < 1e-3 && b.length === a.length, 'the vectors');
  },
};
