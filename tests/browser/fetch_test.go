//go:build !js

package browser

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// apiTab opens a page with a model open as quire, which says "It is sunny.", and some helpers.
func apiTab(t *testing.T) *tab {
	t.Helper()
	p := newTab(t, serve(t)+"/empty.html", "")
	get[bool](p, `(async () => {
		const {Quire} = await import('/quire.js');
		globalThis.quire = await Quire.open({model: '/assistant.gguf', kvMemory: 16 << 20, context: 1024});
		globalThis.messages = [{role: 'user', content: 'sunny'}];
		globalThis.body = (more) => JSON.stringify({messages, temperature: 0, max_completion_tokens: 3, ignore_eos: true, ...more});
		globalThis.chat = 'http://any.example:5/v1/chat/completions';
		globalThis.failure = (promise) => Promise.resolve(promise).then(() => 'no failure', (e) => e.name + ': ' + e.message);
		globalThis.idle = async () => {
			for (;;) {
				const {running, waiting, blocks} = await quire.stats();
				if (running + waiting + blocks.active === 0) return true;
			}
		};
		globalThis.text = (stream) => stream.split('\n\n').filter((e) => e.startsWith('data: {')).flatMap((e) => JSON.parse(e.slice(6)).choices)
			.map((c) => c.delta.content ?? '').join('');
		return true;
	})()`)
	return p
}

// The API in the tab: by fetch, and by the package's own calls. One engine answers all, which the last closes.
func TestAPI(t *testing.T) {
	p := apiTab(t)
	t.Run("fetch", func(t *testing.T) { fetches(t, p) })
	t.Run("calls", func(t *testing.T) { calls(t, p) })
	t.Run("streams", func(t *testing.T) { fetchesStreams(t, p) })
}

// few are what is tried of a kind without QUIRE_ALL.
func few(all map[string]string, names ...string) map[string]string {
	if os.Getenv("QUIRE_ALL") != "" {
		return all
	}
	chosen := map[string]string{}
	for _, name := range names {
		chosen[name] = all[name]
	}
	return chosen
}

// A fetch takes what the browser's takes.
func fetches(t *testing.T, p *tab) {
	get[bool](p, `(async () => {
		const {fetch} = quire;
		globalThis.plain = await (await fetch(chat, {method: 'POST', body: body()})).json();
		return plain.choices[0].message.content.length > 3;
	})()`)
	for what, asked := range few(map[string]string{
		"a URL":                 `new URL(chat), {method: 'POST', body: body()}`,
		"a path":                `'/v1/chat/completions', {method: 'post', body: body()}`,
		"a request":             `new Request(chat, {method: 'POST', body: body()})`,
		"a request, overridden": `new Request(chat, {method: 'POST', body: 'none'}), {body: body()}`,
		"one without a stream":  `new (class extends Request { get body() { return undefined; } })(chat, {method: 'POST', body: body()})`, // as Firefox has it
		"a path as a request":   `new Request('/v1/chat/completions', {method: 'POST', body: body()})`,
		"bytes":                 `chat, {method: 'POST', body: new TextEncoder().encode(body())}`,
		"a view":                `chat, {method: 'POST', body: new DataView(new TextEncoder().encode(body()).buffer)}`,
		"a blob":                `chat, {method: 'POST', body: new Blob([body()])}`,
		"a stream":              `chat, {method: 'POST', body: new Blob([body()]).stream(), duplex: 'half'}`,
		"pieces":                `chat, {method: 'POST', body: (async function* () { yield body().slice(0, 9); yield new TextEncoder().encode(body().slice(9)); })()}`,
		"headers":               `chat, {method: 'POST', headers: new Headers({Authorization: 'Bearer x'}), body: body(), signal: null}`,
	}, "a URL", "a request, overridden", "a stream", "pieces", "headers") {
		assert.True(t, get[bool](p, `(async () => {
			const answer = await (0, quire.fetch)(`+asked+`);
			const {choices} = await answer.json();
			return answer instanceof Response && answer.ok && answer.headers.get('Content-Type').startsWith('application/json')
				&& choices[0].message.content === plain.choices[0].message.content;
		})()`), what)
	}
	assert.Equal(t, []any{404.0, "application/json", true}, get[[]any](p, `(async () => {
		const answer = await quire.fetch('https://x/y');
		const {error} = await answer.json();
		return [answer.status, answer.headers.get('Content-Type'), Boolean(error.message && error.type && 'param' in error && 'code' in error)];
	})()`))
	assert.Equal(t, []any{200.0, ""}, get[[]any](p, `quire.fetch('/health', {method: 'HEAD'}).then(async (a) => [a.status, await a.text()])`))
	assert.Equal(t, "TypeError", get[string](p, `quire.fetch('http://').catch((e) => e.name)`))
	p.quiet()
}

// Events come as they are made. Who reads slowly, or not at all, holds nothing up; who leaves ends the request.
func fetchesStreams(t *testing.T, p *tab) {
	get[bool](p, `(async () => {
		globalThis.drain = async ({body}) => { // text() tells no reason
			for (const reader = body.getReader(); !(await reader.read()).done;);
		};
		globalThis.stream = (more, init) => quire.fetch(chat, {method: 'POST', body: body({stream: true, ...more}), ...init});
		globalThis.whole = (await (await quire.fetch(chat, {method: 'POST', body: body({max_completion_tokens: 6})})).json()).choices[0].message.content;
		return true;
	})()`)
	assert.Equal(t, []any{"text/event-stream", true, true}, get[[]any](p, `(async () => {
		const answer = await stream({max_completion_tokens: 6});
		const parts = [], decoder = new TextDecoder();
		for (const reader = answer.body.getReader();;) {
			const {done, value} = await reader.read();
			if (done) break;
			parts.push(decoder.decode(value));
		}
		const all = parts.join('');
		return [answer.headers.get('Content-Type').split(';')[0], parts.length > 4 && all.endsWith('data: [DONE]\n\n'), text(all) === whole];
	})()`))
	assert.True(t, get[bool](p, `(async () => {
		const answer = await stream({max_completion_tokens: 6});
		const reader = answer.body.getReader(), decoder = new TextDecoder();
		let all = decoder.decode((await reader.read()).value);
		await idle();
		for (;;) {
			const {done, value} = await reader.read();
			if (done) return text(all) === whole;
			all += decoder.decode(value);
		}
	})()`), "the engine goes on, and nothing is lost")
	assert.True(t, get[bool](p, `(async () => {
		const answer = await stream({max_completion_tokens: 64, ignore_eos: true, logprobs: true, top_logprobs: 20});
		await idle();
		const all = await answer.text();
		return all.length > 70_000 && all.endsWith('data: [DONE]\n\n');
	})()`), "more than is kept here waits in the worker")
	for what, end := range map[string]string{
		"cancelling the body": `answer.body.cancel()`,
		"a reader's end":      `(async () => { const reader = answer.body.getReader(); await reader.read(); await reader.cancel(); })()`,
		"aborting":            `failure((async () => { const asked = drain(answer); abort.abort(new Error('enough')); await asked; })())`,
	} {
		assert.True(t, get[bool](p, `(async () => {
			const abort = new AbortController();
			const before = (await quire.stats()).tokens;
			const answer = await stream({max_completion_tokens: 1000, n: 4, ignore_eos: true}, {signal: abort.signal});
			const told = await `+end+`;
			await idle();
			return (told === undefined || told === 'Error: enough') && (await quire.stats()).tokens - before < 3500;
		})()`), what)
	}
	assert.Equal(t, []any{"Error: before", "Error: during", "Error: sending", "Error: sending"}, get[[]any](p, `(async () => {
		const abort = new AbortController();
		const during = failure(quire.fetch(chat, {method: 'POST', body: body({max_completion_tokens: 1000}), signal: abort.signal}));
		setTimeout(() => abort.abort(new Error('during')), 20);
		let left = 'nothing';
		const never = new ReadableStream({cancel: (reason) => { left = String(reason); }});
		const sending = new AbortController();
		setTimeout(() => sending.abort(new Error('sending')), 20);
		return [await failure(stream({}, {signal: AbortSignal.abort(new Error('before'))})), await during,
			await failure(quire.fetch(chat, {method: 'POST', body: never, signal: sending.signal})), (await new Promise(setTimeout), left)];
	})()`))
	get[bool](p, `idle()`)
	assert.Equal(t, "ErrClosed ErrClosed", get[string](p, `(async () => {
		const answer = await stream({max_completion_tokens: 200});
		const read = drain(answer).catch((e) => e.name);
		await quire.close();
		return await read + ' ' + await stream().catch((e) => e.name);
	})()`))
	p.quiet()
}

// The package's own calls are named, called and answered as the openai client's.
func calls(t *testing.T, p *tab) {
	assert.Equal(t, []any{true, true, true, true, true}, get[[]any](p, `(async () => {
		const asked = {messages, temperature: 0, max_completion_tokens: 6};
		const whole = (await quire.chat.completions.create(asked)).choices[0].message.content;
		let awaited = '', direct = '';
		const stream = await quire.chat.completions.create({...asked, stream: true});
		for await (const {choices: [{delta}]} of stream) awaited += delta.content ?? '';
		for await (const {choices: [{delta}]} of quire.chat.completions.create({...asked, stream: true})) direct += delta.content ?? '';
		const completion = await quire.completions.create({prompt: 'Once', max_tokens: 3, seed: 2n ** 63n - 1n});
		const {data: [{embedding}]} = await quire.embeddings.create({input: 'A fox'});
		const {tokens} = await quire.tokenize({content: 'A fox'});
		const {data: [{id}]} = await quire.models.list();
		return [whole.length > 4 && awaited === whole && direct === whole, completion.usage.completion_tokens === 3,
			Math.abs(Math.hypot(...embedding) - 1) < 1e-3, (await quire.detokenize({tokens})).content === 'A fox',
			(await quire.models.retrieve(id)).id === quire.info.name];
	})()`))
	assert.Equal(t, []any{true, true, true}, get[[]any](p, `(async () => {
		const asked = {input: 'Tell me a story.', temperature: 0, max_output_tokens: 6};
		const {output, status} = await quire.responses.create(asked);
		let text = '', last;
		for await (const event of quire.responses.create({...asked, stream: true})) {
			last = event;
			if (event.type === 'response.output_text.delta') text += event.delta;
		}
		return [status === 'incomplete', text === output[0].content[0].text, last.type === 'response.incomplete'];
	})()`))

	// What is wrong has the API's fields.
	fails := func(want, call string) {
		t.Helper()
		assert.Regexp(t, want, get[string](p, `Promise.resolve(`+call+`).then(() => 'no failure', (e) => [e.name, e.status, e.type, e.param, e.code, e.message].join(' '))`))
	}
	fails(`^ErrBadRequest 400 invalid_request_error temperature \S+ \S.*temperature`, `quire.chat.completions.create({messages, temperature: 9})`)
	fails(`^ErrBadRequest 400 invalid_request_error temperature `, `quire.chat.completions.create({messages, temperature: 9, stream: true})`)
	fails(`^ErrBadRequest 400 \S+ response_format`, `quire.chat.completions.create({messages, response_format: {type: 'json_schema', json_schema: {name: 'a', schema: {type: 'fox'}}}})`)
	fails(`^ErrContextTooLong 400 invalid_request_error \S+ context_length_exceeded `, `quire.completions.create({prompt: Array(1100).fill(5)})`)
	fails(`^ErrBadRequest 404 \S+ model model_not_found `, `quire.models.retrieve('none')`)
	fails(`^ErrBadRequest .*the request must be an object, not a string`, `quire.chat.completions.create('A')`)
	fails(`^ErrBadRequest .*the request must be an object, not undefined`, `quire.completions.create()`)
	fails(`^ErrBadRequest .*temperature is NaN`, `quire.chat.completions.create({messages, temperature: NaN})`)
	fails(`^ErrBadRequest .*signal belongs in a second argument`, `quire.chat.completions.create({messages, signal: AbortSignal.abort()})`)
	fails(`^Error .*enough`, `quire.chat.completions.create({messages, stream: true}, {signal: AbortSignal.abort(new Error('enough'))})`)

	// Ways to stop.
	assert.Equal(t, []any{1.0, 0.0, 1.0, "Error: enough"}, get[[]any](p, `(async () => {
		const create = (options) => quire.chat.completions.create({messages, stream: true, max_completion_tokens: 200, n: 2}, options);
		const counts = [];
		const one = await create();
		let n = 0;
		for await (const _ of one) {
			n++;
			one.controller.abort();
		}
		counts.push(n);
		n = 0;
		const early = create();
		early.abort();
		for await (const _ of early) n++;
		counts.push(n);
		n = 0;
		for await (const _ of create()) {
			n++;
			break;
		}
		counts.push(n);
		const a = new AbortController();
		counts.push(await failure((async () => {
			for await (const _ of create({signal: a.signal})) a.abort(new Error('enough'));
		})()));
		await idle();
		return counts;
	})()`))
	p.quiet()
}

// A tool is called with the package's own calls.
func TestToolCalls(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "assistant.gguf"), tiny.Assistant(t), 0o644))
	lender, _ := lend(t, folder, "")
	assert.Equal(t, []any{"get_weather", `{"city": "Paris"}`, "tool_calls"}, get[[]any](p, `(async () => {
		const {Quire} = await import('/quire.js');
		const quire = await Quire.open({model: '`+lender+`/assistant.gguf', kvMemory: 4 << 20});
		const tools = [{type: 'function', function: {name: 'get_weather', parameters: {type: 'object', properties: {city: {enum: ['Paris', null]}}}}}];
		const {choices: [{message, finish_reason}]} = await quire.chat.completions.create({messages: [{role: 'user', content: 'weather'}], tools});
		await quire.close();
		return [message.tool_calls[0].function.name, message.tool_calls[0].function.arguments, finish_reason];
	})()`))
	p.quiet()
}
