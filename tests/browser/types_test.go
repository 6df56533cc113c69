//go:build !js

package browser

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a program in TypeScript may write, and must not.
const typed = `
import {Quire, QuireError, type ChatCompletion, type ChatRequest, type Chunk, type Generation, type KeptModel, type Message, type Options, type OpenOptions, type Result, type Session} from 'quire-llm';
import tales from 'quire-llm/tales';
import {CreateMLCEngine, type MLCEngine} from 'quire-llm/webllm';
import {Wllama} from 'quire-llm/wllama';

const settings: Options<OpenOptions> = {model: tales, context: null, kvType: 'q8', signal: undefined, onProgress: ({stage, done, total}) => console.log(stage, done / total)};
const quire: Quire = await Quire.open(settings);
const [kept]: KeptModel[] = await Quire.models.list();
if (kept) await Quire.open({model: kept, keep: true, hub: null, connections: 2});
console.log((await quire.kept).problem, await Quire.models.remove((await Quire.models.pull('hf:owner/repo:Q4_K_M', {signal: null})).name));
const messages: Message[] = [
  {role: 'system', content: 'You are kind.'},
  {role: 'user', content: [{type: 'text', text: 'Hello.'}]},
  {role: 'assistant', content: null, tool_calls: []},
  {role: 'tool'},
];
const generation: Generation = quire.generate({messages, stop: '.', seed: 5n, temperature: null, minTokens: null, beams: {width: 2, lengthPenalty: null}});
for await (const chunk of generation) {
  const {text, ids}: Chunk = chunk;
  console.log(text, ids.length);
}
try {
  const {reason, choices}: Result = await quire.generate({prompt: 'A', stop: ['.', '!'] as const, beams: 2, n: null}).result;
  console.log(reason, choices[0]?.text);
} catch (e) {
  if (e instanceof QuireError && e.name === 'ErrContextTooLong') console.log(e.message);
}
await Quire.open({model: new URL('https://example.org/model.gguf')});
await Quire.open({model: new File([], 'model.gguf'), signal: AbortSignal.timeout(5)});
await quire.generate({prompt: 'A', logitBias: {5: -100}, repetitionPenalty: 1.1, presencePenalty: null, dry: 0.8}).result;
await quire.generate({prompt: 'A', frequencyPenalty: 0.5, dry: {multiplier: 0.8, base: null, breakers: ['.'] as const}}).result;
await quire.generate({prompt: 'A', schema: {type: 'object', properties: {a: {enum: [1]}}} as const}).result;
await quire.generate({prompt: 'A', regex: '[a-z]+', grammar: null}).result;
await quire.chat.completions.create({messages: [], tool_choice: 'required', tools: [{type: 'function', function: {name: 'f', strict: true}}]});
await quire.chat.completions.create({messages: [], tool_choice: {type: 'function', function: {name: 'f'}}, response_format: {type: 'json_schema', json_schema: {name: 'x', schema: {type: 'object'}}}});
await quire.completions.create({prompt: 'A', regex: '[a-z]+'});
await Quire.tune();
await Quire.tune({quick: null});
const session: Session = quire.session();
await session.generate({prompt: 'A'}).result;
const file: Blob = await session.save();
console.log((await quire.loadSession(file)).ids.length);
const back: string = await quire.decode(await quire.encode('A', {special: true}), null);
quire.watch(({owners, stats}) => console.log(owners.length, stats.running, back))();
const stream = await quire.chat.completions.create({messages: [{role: 'user', content: 'Hello.'}], stream: true, top_k: 5, seed: 5n, min_p: null});
for await (const {choices} of stream) console.log(choices[0]?.delta.content);
stream.controller.abort();
for await (const {choices: [choice]} of quire.chat.completions.create({messages: [], stream: true}, {signal: AbortSignal.timeout(5)})) console.log(choice?.finish_reason);
const completion: ChatCompletion = await quire.chat.completions.create({messages: [{role: 'user', content: [{type: 'text', text: 'A'}]}], tools: [{type: 'function', function: {name: 'f'}}], new_field: 1});
console.log(completion.choices[0]?.message.tool_calls?.[0]?.function.arguments, completion.usage.total_tokens);
const request: ChatRequest = {messages: [], logit_bias: {5: -100}};
console.log((await quire.chat.completions.create({...request, stream: false})).model, (await quire.completions.create({prompt: [1, 2]})).choices[0]?.text);
console.log((await quire.embeddings.create({input: ['A']})).data[0]?.embedding.length, (await quire.models.list()).data[0]?.id);
for await (const event of quire.responses.create({input: 'A', stream: true})) console.log(event.type);
await quire.embeddings.create({input: 'A', pooling: 'cls', normalize: false, dimensions: null});
await quire.responses.create({input: 'A', truncation: 'auto', reasoning: {effort: 'low'}});
console.log((await quire.rerank({query: 'A', documents: ['B']})).results[0]?.relevance_score, (await quire.tokenize({content: 'A'})).tokens.length);
const {fetch} = quire;
const answer: Response = await fetch(new URL('http://quire/v1/models'), {signal: AbortSignal.timeout(5)});
console.log(answer.status);
await quire.close();
const mlc: MLCEngine = await CreateMLCEngine(tales, {initProgressCallback: ({progress, text}) => console.log(progress, text), context: 512}, {temperature: 0});
for await (const {choices: [choice], usage} of await mlc.chat.completions.create({messages: [], stream: true})) console.log(choice?.delta.content, usage?.total_tokens);
console.log((await mlc.chat.completions.create({messages: [], extra_body: {enable_thinking: false}})).choices[0]?.message.content, await mlc.getMessage());
const wllama = new Wllama({default: '/wllama.wasm'});
await wllama.loadModelFromUrl(tales, {n_ctx: 512, n_threads: 4, progressCallback: ({loaded, total}) => console.log(loaded / total)});
const done: void = await wllama.createChatCompletion({messages: [], stream: true, onData: (chunk) => console.log(chunk.choices[0]?.delta.content)});
for await (const chunk of await wllama.createCompletion({prompt: 'A', temp: 0, stream: true})) console.log(chunk.choices[0]?.text, done);
console.log((await wllama.createChatCompletion({messages: [], logit_bias: [{token: 1, bias: 2}], abortSignal: AbortSignal.timeout(5)})).usage.total_tokens);

// @ts-expect-error messages are missing
await quire.chat.completions.create({stream: true});
// @ts-expect-error a list is wanted
await quire.chat.completions.create({messages: 'A'});
// @ts-expect-error a number is wanted
await quire.completions.create({prompt: 'A', temperature: 'hot'});
// @ts-expect-error no such form is known
await quire.chat.completions.create({messages: [], response_format: {type: 'json'}});
// @ts-expect-error a model is missing
await Quire.open({});
// @ts-expect-error null is no model
await Quire.open({model: null});
// @ts-expect-error an option that is not known
await Quire.open({model: tales, colour: 'red'});
// @ts-expect-error a text is wanted
quire.generate({prompt: 5});
// @ts-expect-error pictures are not taken
quire.generate({messages: [{role: 'user', content: [{type: 'image_url', image_url: 'data:,'}]}]});
// @ts-expect-error DRY has a multiplier
quire.generate({prompt: 'A', dry: {base: 2}});
// @ts-expect-error a session is loaded from a file
await quire.loadSession('session');
// @ts-expect-error a URL is a string
const wrong: number = tales;
`

func TestTypes(t *testing.T) {
	tsc := tool(t, "typescript/bin/tsc")
	folder := project(t, "app.js", "")
	write(t, filepath.Join(folder, "app.ts"), typed)
	for _, options := range [][]string{
		{"--module", "esnext", "--moduleResolution", "bundler"},
		{"--module", "nodenext", "--moduleResolution", "nodenext"},
		{"--module", "nodenext", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"},
	} {
		_, err := command(folder, "node", append([]string{tsc, "--strict", "--noEmit", "--target", "es2022", "--lib", "es2024,dom,dom.asynciterable", "app.ts"}, options...)...)
		assert.NoError(t, err)
	}
}
