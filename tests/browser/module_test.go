//go:build !js

package browser

import (
	"fmt"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}

// What quire.js promises, on a page of its own.
func TestModule(t *testing.T) {
	// Workers are kept for longer than a busy machine takes, and at last hardly at all.
	p := newTab(t, serve(t)+"/empty.html", `((real) => {
		globalThis.kept = 1e6;
		globalThis.setTimeout = (f, ms, ...more) => real(f, ms === 10e3 ? kept : ms, ...more);
	})(setTimeout)`)
	get[bool](p, `(async () => {
		Object.assign(globalThis, await import('/quire.js'), {tales: (await import('/tales.js')).default});
		globalThis.failure = async (call) => {
			try {
				await call();
			} catch (e) {
				return e.name + ': ' + e.message;
			}
			return 'no failure';
		};
		globalThis.collect = async (generation) => {
			const chunks = [];
			for await (const chunk of generation) chunks.push(chunk);
			return {chunks, text: chunks.map((c) => c.text).join(''), ids: chunks.flatMap((c) => c.ids), ...await generation.result.then((result) => ({result}))};
		};
		return true;
	})()`)
	fails := func(want, call string) {
		t.Helper()
		got := get[string](p, `failure(async () => `+call+`)`)
		assert.Regexp(t, want, got)
		assert.NotRegexp(t, `json: |gpu: |engine: |schedule: |paging: |strconv|Go (struct|value)|TypeError|Failed to fetch|undefined|\[object`, got, "words from inside")
	}
	fails(`^ErrBadRequest: .*not a URL`, `Quire.open({model: 'http://'})`)
	for _, without := range []string{``, `{}`, `null`, `{model: null}`, `{model: ''}`, `{model: undefined, context: 64}`} {
		fails(`^ErrBadRequest: no model is given: set model to the URL .*quire-llm/tales`, `Quire.open(`+without+`)`)
	}
	fails(`^ErrBadRequest: model must be a URL, a File or a Blob, or a list of the Files of one model, not a number`, `Quire.open({model: 5})`)
	fails(`^ErrBadRequest: model must be .* not an object \(ArrayBuffer\)`, `Quire.open({model: new ArrayBuffer(5)})`)
	fails(`^ErrBadRequest: the options must be an object, not a string`, `Quire.open(tales)`)
	fails(`^ErrBadRequest: onProgress must be a function`, `Quire.open({model: tales, onProgress: 5})`)
	fails(`^ErrBadRequest: signal must be an AbortSignal`, `Quire.tune({signal: 5})`)
	fails(`^ErrBadRequest: power must be "high-performance" or "low-power", not "much"`, `Quire.open({model: tales, power: 'much'})`)
	for _, wrong := range []string{`0`, `7`, `2.5`, `'2'`} {
		fails(`^ErrBadRequest: connections must be a whole number from 1 to 6`, `Quire.open({model: tales, connections: `+wrong+`})`)
	}
	fails(`^ErrBadRequest: .*variant: no variant "nope"; there are baseline, `, `Quire.open({model: tales, variant: 'nope'})`)
	fails(`^ErrBadRequest: a session's name must be a text: this one has half a character`, `Quire.sessions.remove('\ud800')`)
	fails(`^ErrBadRequest: onToken is a function`, `Quire.open({model: tales, onToken() {}})`)
	fails(`^ErrBadRequest: .*unknown field "colour"`, `Quire.open({model: tales, colour: 1})`)
	fails(`^ErrBadRequest: .*context`, `Quire.open({model: tales, context: -1})`)
	fails(`^KindError: the file is a text`, `Quire.open({model: new Blob(['no model'])})`)
	fails(`^FormatError: `, `Quire.open({model: '/broken.gguf'})`)
	fails(`^ErrNotFound: .*/org/none\.gguf: there is no such file \(HTTP 404.* Check the address`, `Quire.open({model: '/org/none.gguf'})`)
	fails(`^ErrWebPage: .*a web page, not a model file\. Give the address of the \.gguf file`, `Quire.open({model: '/empty.html'})`)
	fails(`^ErrUnreachable: http://localhost:1/a\.gguf: the server cannot be reached: .* Check the address`, `Quire.open({model: 'http://localhost:1/a.gguf'})`)
	assert.Equal(t, []any{"FormatError", map[string]any{"stage": "waiting", "done": 0.0, "total": 1.0, "reason": "the server is busy (HTTP 429)"}}, get[[]any](p, `(() => {
		const told = [];
		return Quire.open({model: '/busy.gguf', onProgress: (p) => p.stage === 'waiting' && told.push(p)}).catch((e) => [e.name, ...told]);
	})()`))
	fails(`^ErrBadRequest: bad request: field "context" is text, it must be a whole number`, `Quire.open({model: tales, context: 'much'})`)
	fails(`^ErrOutOfMemory: `, `Quire.open({model: tales, kvMemory: 100})`)
	fails(`^ErrNoAdapter: .*no adapter is called "abacus"`, `Quire.open({model: tales, adapter: 'abacus'})`)
	fails(`^AbortError: `, `Quire.open({model: tales, signal: AbortSignal.abort()})`)
	fails(`^AbortError: `, `(() => { const a = new AbortController(); return Quire.open({model: tales, signal: a.signal, onProgress: () => a.abort()}); })()`)
	assert.NotEmpty(t, get[[]any](p, `Quire.adapters()`))

	// null is as good as absent, whatever the option.
	get[bool](p, `Quire.open({model: tales, kvMemory: 16 << 20, context: 128, onProgress: null, onRecovering: null, signal: null, kvType: null,
		deterministic: null, adapter: null, power: null, variant: null, blockSize: null, tokenBudget: null, longPrompt: null, maxSeqs: null,
		depth: null, partialHits: null, preemption: null, swapMemory: null, queueLimit: null, loraRank: null}).then((q) => Boolean(globalThis.quire = q))`)
	assert.Equal(t, map[string]any{"context": 128.0, "chat": true, "kvType": "f16", "deterministic": false, "vocabulary": 4096.0},
		get[map[string]any](p, `(({context, chat, kvType, deterministic, vocabulary}) => ({context, chat, kvType, deterministic, vocabulary}))(quire.info)`))
	const text = "The fox — a red one — laughed. 🦊"
	assert.Equal(t, text, get[string](p, fmt.Sprintf(`quire.encode(%q).then((ids) => quire.decode(ids))`, text)))
	fails(`^ErrBadRequest: .*token 1 is 4096`, `quire.decode([1, 4096])`)
	fails(`^ErrBadRequest: element 1 of a list is null`, `quire.decode([1, null])`)
	fails(`^ErrBadRequest: the text must be a string, not null`, `quire.encode(null)`)
	assert.True(t, get[bool](p, `Promise.all([quire.encode('A', null), quire.encode('A', {special: null}), quire.encode('A')]).then((all) => new Set(all.map(String)).size === 1)`))
	assert.Equal(t, "A", get[string](p, `quire.encode('A').then((ids) => quire.decode(new Set(ids), null))`))

	// Embeddings, alone and several at once.
	assert.Equal(t, map[string]any{"lengths": []any{1.0, 1.0, 1.0}, "alike": true, "long": true, "ids": true, "pooling": "mean"}, get[map[string]any](p, `(async () => {
		const length = (v) => Math.round(Math.hypot(...v) * 1e5) / 1e5;
		const [a, b, raw] = await quire.embed(['A fox', {prompt: 'A fox', pooling: 'last'}, {ids: [5, 6, 7], normalize: false}]);
		const again = await quire.embed('A fox');
		return {lengths: [a, b, again].map((e) => length(e.embedding)), alike: again.embedding.every((x, i) => Math.abs(x - a.embedding[i]) < 1e-4),
			long: length(raw.embedding) > 1.5 && raw.embedding instanceof Float32Array, ids: String(raw.promptIds) === '5,6,7', pooling: quire.info.pooling};
	})()`))
	fails(`^ErrBadRequest: .*the pooling is "sum"`, `quire.embed({prompt: 'A', pooling: 'sum'})`)
	fails(`^ErrBadRequest: .*the model has no scores`, `quire.embed({prompt: 'A', pooling: 'rank'})`)
	fails(`^ErrBadRequest: .*one of prompt, messages and ids`, `quire.embed({})`)
	fails(`^ErrContextTooLong: `, `quire.embed({ids: Array(129).fill(5)})`)
	fails(`^AbortError: `, `quire.embed({prompt: 'A', signal: AbortSignal.abort()})`)

	// Errors of one request leave the others alone.
	fails(`^ErrContextTooLong: `, `quire.generate({ids: Array(128).fill(5)}).result`)
	fails(`^ErrBadRequest: .*temperature is NaN`, `quire.generate({prompt: 'A', temperature: NaN}).result`)
	fails(`^ErrBadRequest: .*temperature is -1`, `quire.generate({prompt: 'A', temperature: -1}).result`)
	fails(`^ErrBadRequest: .*one of prompt, messages and ids`, `quire.generate({prompt: 'A', ids: [1]}).result`)
	fails(`^ErrBadRequest: .*one of prompt, messages and ids`, `quire.generate({}).result`)
	fails(`^ErrBadRequest: .*no role`, `quire.generate({messages: [{content: 'A'}]}).result`)
	fails(`^ErrBadRequest: .*stop text`, `collect(quire.generate({prompt: 'A', stop: ['']}))`)
	fails(`^ErrBadRequest: .*seed`, `quire.generate({prompt: 'A', seed: -1}).result`)

	// Whatever is wrong, generate gives a generation that fails, by its result and by its chunks.
	for asked, says := range map[string]string{
		``: "one of prompt, messages and ids", `null`: "one of prompt, messages and ids", `'A'`: "the request must be an object, not a string",
		`[]`: "the request must be an object, not a list", `{prompt: 'A', maxTokens: 5n}`: "maxTokens is a bigint",
		`{prompt: 'A', topK: NaN}`: "topK is NaN", `{ids: [1, NaN]}`: "element 1 of a list is NaN", `{prompt: 'A', onToken() {}}`: "onToken is a function",
		`{prompt: 'A', signal: 5}`: "signal must be an AbortSignal", `{prompt: 'A', beams: 'many'}`: "beams must be an object",
		`(() => { const messages = []; messages.push(messages); return {messages}; })()`: "cannot be written as JSON",
		`{prompt: 'A', get topK() { throw new Error('no'); }}`:                           "cannot be read: no",
		`{prompt: 'A', get topK() { throw null; }}`:                                      "cannot be read: null",
		`{prompt: 'A', signal: new EventTarget()}`:                                       "signal must be an AbortSignal", `{prompt: 'A', topP: 2}`: "bad request: topP is 2",
		`{prompt: 'A', minTokens: 5, maxTokens: 3}`: "minTokens is 5, it must be between 0 and maxTokens (3; 0: no limit)",
		`{ids: [1, null]}`:                          "element 1 of a list is null", `{ids: [undefined]}`: "element 0 of a list is undefined",
		`{prompt: 'A', schema: {anyOf: [{enum: [1, null]}, {fox: 1}]}}`: "#/anyOf/1/fox", `{prompt: 'A', schema: {}, regex: 'a'}`: "schema and regex do not go together",
		`{prompt: 'A', stop: 5}`:                                       "stop must be a text or a list of texts",
		`{prompt: 'A', presencePenalty: 3}`:                            "presencePenalty is 3, it must be between -2 and 2",
		`{prompt: 'A', repetitionPenalty: 0}`:                          "repetitionPenalty is 0",
		`{prompt: 'A', logitBias: {a: 1}}`:                             "logitBias is \"a\", it must be a map from token ids to numbers",
		`{prompt: 'A', logitBias: {5: 101}}`:                           "logitBias of token 5 is 101",
		`{prompt: 'A', dry: {multiplier: 1, base: 0}}`:                 "dry.base is 0, it must be between 1 and 100",
		`{prompt: 'A', dry: 'much'}`:                                   "dry must be an object",
		`{prompt: 'A', beams: 2, temperature: 0, dry: 1}`:              "beams do not go with logitBias, penalties and DRY",
		`{messages: [{role: 'user', content: [{type: 'image_url'}]}]}`: "message 0: content part 0 is of type \"image_url\"",
	} {
		for _, read := range []string{`.result`, `[Symbol.asyncIterator]().next()`} {
			assert.Regexp(t, `^ErrBadRequest: .*`+regexp.QuoteMeta(says), get[string](p, `(() => {
				let generation;
				try {
					generation = quire.generate(`+asked+`);
				} catch (e) {
					return 'thrown: ' + e;
				}
				return failure(() => generation`+read+`);
			})()`), asked)
		}
	}
	assert.True(t, get[bool](p, `(async () => {
		const nothing = Object.fromEntries(['messages', 'ids', 'temperature', 'topK', 'topP', 'minP', 'signal', 'logprobs', 'stop', 'ignoreEnd',
			'special', 'priority', 'tenant', 'n', 'bestOf', 'beams', 'logitBias', 'repetitionPenalty', 'presencePenalty', 'dry', 'schema', 'grammar', 'regex'].map((name) => [name, null]));
		const ask = (more) => quire.generate({prompt: 'Once upon a time', maxTokens: 4, seed: 5, ...more}).result;
		const [a, b, c, d] = await Promise.all([ask(nothing), ask(), ask({minTokens: null, beams: {width: 2, lengthPenalty: null}}), ask({beams: 2})]);
		return a.text === b.text && a.choices.length === 1 && c.text === d.text && (await ask({seed: null})).seed !== null;
	})()`), "null is as good as absent")
	assert.True(t, get[bool](p, `(async () => {
		const ask = (content, more) => quire.generate({messages: [{role: 'user', content}], temperature: 0, maxTokens: 24, ...more}).result;
		const [text, part, dot, list] = await Promise.all([ask('Tell me a story.'), ask([{type: 'text', text: 'Tell me a story.'}]),
			ask('Tell me a story.', {stop: '.'}), ask('Tell me a story.', {stop: ['.']})]);
		return text.promptIds.join() === part.promptIds.join() && dot.reason === 'stop' && dot.text !== '' && !dot.text.includes('.') && dot.text === list.text;
	})()`), "one stop text, and content in parts")

	assert.True(t, get[bool](p, `(async () => {
		const ask = (more) => quire.generate({prompt: 'Once upon a time', maxTokens: 12, temperature: 0, ...more}).result;
		const [plain, banned, dry, same] = await Promise.all([ask({}), ask({logitBias: {[(await ask({})).ids[2]]: -100}}),
			ask({repetitionPenalty: 0.4, frequencyPenalty: 1, dry: {multiplier: 2, allowedLength: 1, breakers: null}}), ask({repetitionPenalty: 1, presencePenalty: 0, dry: 0, logitBias: {}})]);
		return !banned.ids.includes(plain.ids[2]) && dry.text !== plain.text && same.text === plain.text;
	})()`), "penalties and bias")

	// While a schema that takes long is compiled, a longer one where tokens take long, texts of others go on, and who asked for it may give up.
	compiling := get[struct {
		Chunks        int
		Error, Reason string
	}](p, `(async () => {
		const slow = (length) => quire.generate({prompt: 'A', schema: {enum: ['a'.repeat(length)], pattern: '(a?){100}b$'}});
		let chunks = 0, error = '';
		for (let length = 200_000; chunks <= 2 && length < 2e6; length *= 2) {
			const running = quire.generate({prompt: 'Once upon a time', maxTokens: 100, ignoreEnd: true});
			const other = running[Symbol.asyncIterator]();
			await other.next();
			chunks = 0;
			error = '';
			const failed = slow(length).result.catch((e) => error = e.message);
			while (!error && !(await other.next()).done) chunks++;
			await failed;
			running.cancel();
		}
		const given = slow(400_000);
		await quire.encode('A');
		given.cancel();
		return {chunks, error, reason: (await given.result).reason};
	})()`)
	assert.Greater(t, compiling.Chunks, 2)
	assert.Contains(t, compiling.Error, "nothing can satisfy it")
	assert.Equal(t, "cancelled", compiling.Reason)

	// Many at once over one engine: each reads its own text, equal seeds give equal text, and log-probabilities come.
	many := get[struct {
		Same, Greedy, Text, IDs, Order bool
		Reasons, Tops                  []any
		Prompt, Tokens, Chunks         int
		Seed                           string
	}](p, `(async () => {
		const ask = (more) => collect(quire.generate({messages: [{role: 'user', content: 'Tell me a story about a hen.'}], maxTokens: 6, ...more}));
		const [a, c, d] = await Promise.all([ask({seed: 2n ** 64n - 1n}), ask({temperature: 0, logprobs: 2}), ask({temperature: undefined, seed: 1})]);
		const alone = await ask({seed: d.result.seed}), again = await ask({seed: d.result.seed});
		const all = [a, c, d, alone, again];
		return {
			same: alone.text === again.text && alone.text !== '',
			greedy: c.result.logprobs.every((t) => t.id === t.top[0].id && t.logprob <= 0 && t.top[0].logprob >= t.top[1].logprob),
			text: all.every((g) => g.text === g.result.text),
			ids: all.every((g) => g.ids.join() === g.result.ids.join()),
			order: c.chunks.flatMap((x) => x.logprobs).map((t) => t.id).join() === c.ids.join(),
			reasons: [...new Set(all.map((g) => g.result.reason))],
			tops: [...new Set(c.result.logprobs.map((t) => t.top.length))],
			prompt: a.result.promptIds.length - a.result.figures.promptTokens,
			tokens: a.result.figures.generatedTokens,
			chunks: a.chunks.length,
			seed: String(a.result.seed),
		};
	})()`)
	assert.True(t, many.Same, "equal seeds give equal text")
	assert.True(t, many.Greedy, "greedy takes the best token")
	assert.True(t, many.Text && many.IDs && many.Order, "chunks add up to the result")
	assert.Equal(t, []any{"length"}, many.Reasons)
	assert.Equal(t, []any{"maxTokens", "context", nil}, get[[]any](p, `Promise.all([{maxTokens: 2, ignoreEnd: true}, {ids: Array(126).fill(5), ignoreEnd: true}, {maxTokens: 9, stop: ['e']}]
		.map((more) => quire.generate({...(more.ids ? {} : {prompt: 'Once'}), temperature: 0, ...more}).result.then(({limit}) => limit ?? null)))`))
	assert.Equal(t, []any{2.0}, many.Tops)
	assert.Zero(t, many.Prompt)
	assert.Equal(t, 6, many.Tokens)
	assert.Greater(t, many.Chunks, 1, "text comes in pieces")
	assert.Equal(t, "18446744073709551615", many.Seed)

	// Several answers to one prompt, drawn or searched for.
	assert.True(t, get[bool](p, `(async () => {
		const g = quire.generate({prompt: 'Once', n: 2, maxTokens: 4, seed: 3});
		const texts = ['', ''];
		for await (const {index, text} of g) texts[index] += text;
		const {choices, text} = await g.result;
		return choices.length === 2 && text === choices[0].text && choices.every((c, i) => c.index === i && c.text === texts[i] && c.ids.length > 0);
	})()`), "chunks say whose they are")
	assert.True(t, get[bool](p, `quire.generate({prompt: 'Once', beams: 3, n: 2, maxTokens: 4}).result
		.then(({choices: [a, b, ...more]}) => more.length === 0 && a.score >= b.score && b.score < 0 && a.text !== b.text)`), "the best beam is first")
	fails(`^ErrBadRequest: .*n is -1`, `quire.generate({prompt: 'A', n: -1}).result`)
	fails(`^ErrBadRequest: .*earlyStopping`, `quire.generate({prompt: 'A', beams: {width: 2, earlyStopping: 'soon'}}).result`)

	assert.Equal(t, []any{4.0, "length"}, get[[]any](p, `(async () => {
		const g = quire.generate({prompt: 'Once', maxTokens: 4, ignoreEnd: true});
		let tokens = 0;
		const read = async () => { for await (const {ids} of g) tokens += ids.length; };
		await Promise.all([read(), read()]);
		return [tokens, (await g.result).reason];
	})()`), "two readers share a stream, and both come to its end")
	fails(`^ErrBadRequest: the watcher must be a function, not a number`, `quire.watch(5)`)

	// Three ways to stop.
	assert.Equal(t, "cancelled", get[string](p, `(async () => {
		const g = quire.generate({prompt: 'Once', ignoreEnd: true});
		for await (const {ids} of g) if (ids) g.cancel();
		return (await g.result).reason;
	})()`))
	assert.Equal(t, "cancelled", get[string](p, `(async () => {
		const g = quire.generate({prompt: 'Once', ignoreEnd: true});
		for await (const _ of g) break;
		return (await g.result).reason;
	})()`))
	fails(`^Error: enough`, `(async () => {
		const a = new AbortController();
		for await (const _ of quire.generate({prompt: 'Once', ignoreEnd: true, signal: a.signal})) a.abort(new Error('enough'));
	})()`)
	assert.Equal(t, []any{0.0, 0.0}, get[[]any](p, `(async () => {
		for (;;) {
			const {running, blocks} = await quire.stats();
			if (running === 0) return [running, blocks.active];
		}
	})()`), "cancelled requests give their blocks back")

	// Closing ends what runs.
	assert.Equal(t, "ErrClosed ErrClosed", get[string](p, `(async () => {
		const g = quire.generate({prompt: 'Once', ignoreEnd: true});
		for await (const _ of g) quire.close();
	})().catch(async (e) => e.name + ' ' + await quire.stats().catch((e) => e.name))`))

	// Another engine has the worker of the last and its kernels. What is kept for a third ends some time later.
	const made = `new Promise((resolve) => {
		const channel = new BroadcastChannel('test');
		channel.onmessage = ({data}) => { if (data.made) resolve(data.made); };
		channel.postMessage('compilers');
	})`
	before := get[int](p, made)
	assert.Equal(t, []any{0.0, 0.0, true, true, "ErrClosed"}, get[[]any](p, `Quire.open({model: tales, kvMemory: 16 << 20, context: 128}).then(async (q) => {
		const {text} = await q.generate({prompt: 'Once', maxTokens: 4, temperature: 0}).result;
		globalThis.kept = 100;
		await Promise.all([q.close(), q.close()]);
		const {compiled, reused, time} = q.info.kernels, before = quire.info.kernels;
		return [compiled, time, reused > 20 && reused >= before.compiled + before.reused, text.length > 0, await q.stats().catch((e) => e.name)];
	})`))
	assert.Equal(t, before, get[int](p, made), "pipelines")
	assert.True(t, p.idle(), "closed engines and models that did not open leave no worker for long")
	p.quiet()
}
