//go:build !js

package browser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Code that was written for WebLLM or wllama runs over Quire.
func TestShapesOfOthers(t *testing.T) {
	onlyAll(t)
	p := newTab(t, serve(t)+"/empty.html", "")
	assert.Equal(t, []any{true, true, true, 4.0, true, true, true}, get[[]any](p, `(async () => {
		const {CreateMLCEngine} = await import('/quire/webllm.js');
		const reports = [];
		const engine = await CreateMLCEngine('tales', {kvMemory: 8 << 20, appConfig: {model_list: [{model_id: 'tales', model: '/quire-tales.gguf'}]}, initProgressCallback: (r) => reports.push(r)},
			{context_window_size: 128, temperature: 0});
		const messages = [{role: 'user', content: 'Tell me a story.'}];
		const {choices: [{message}]} = await engine.chat.completions.create({messages, max_tokens: 8, extra_body: {enable_thinking: false}});
		let text = '', usage;
		for await (const chunk of await engine.chatCompletion({messages, max_tokens: 8, stream: true, stream_options: {include_usage: true}})) {
			text += chunk.choices[0]?.delta.content ?? '';
			usage = chunk.usage ?? usage;
		}
		let chunks = 0;
		for await (const _ of await engine.chat.completions.create({messages, stream: true, ignore_eos: true})) {
			if (++chunks === 4) engine.interruptGenerate();
		}
		const told = await engine.getMessage();
		const refused = await engine.chat.completions.create({messages, response_format: {type: 'json_schema', json_schema: {name: 'a', schema: {type: 'fox'}}}}).catch((e) => e.message);
		const {data: [{embedding}]} = await engine.embeddings.create({input: 'A fox'});
		await engine.unload();
		const closed = await engine.chat.completions.create({messages}).catch((e) => e.message);
		return [message.content.length > 8 && text === message.content && usage.completion_tokens === 8, reports.at(-1).progress === 1 && reports.every((r) => r.progress <= 1 && r.text),
			told.length > 0, chunks, /response_format/.test(refused), embedding.length > 8, /no model is loaded/.test(closed)];
	})()`))
	assert.Equal(t, []any{true, true, true, true, true, true}, get[[]any](p, `(async () => {
		const {Wllama} = await import('/quire/wllama.js');
		const wllama = new Wllama({default: '/wllama.wasm'});
		let loaded = 0;
		await wllama.loadModelFromUrl(new URL('/quire-tales.gguf', location).href, {n_ctx: 128, n_threads: 4, cache_type_k: 'q8_0', cache_type_v: 'q8_0', progressCallback: (p) => loaded = p.loaded / p.total});
		const messages = [{role: 'user', content: 'Tell me a story.'}];
		const {choices: [{message}]} = await wllama.createChatCompletion({messages, max_tokens: 8, temp: 0, penalty_repeat: 1});
		let text = '';
		await wllama.createChatCompletion({messages, max_tokens: 8, temp: 0, stream: true, onData: (chunk) => { text += chunk.choices[0].delta.content ?? ''; }});
		let raw = '';
		for await (const {choices: [c]} of await wllama.createCompletion({prompt: 'Once', max_tokens: 4, temp: 0, stream: true, logit_bias: [{token: 5, bias: -100}]})) raw += c.text;
		const stopped = new AbortController();
		const aborted = wllama.createChatCompletion({messages, ignore_eos: true, abortSignal: stopped.signal}).catch((e) => e.name);
		stopped.abort();
		const {n_ctx, has_chat} = wllama.getLoadedContextInfo();
		const refused = await wllama.loadModelFromUrl('/x.gguf', {lora_adapters: []}).catch((e) => e.message);
		const result = [message.content.length > 8 && text === message.content, raw.length > 0, await aborted === 'AbortError', n_ctx === 128 && has_chat, /lora_adapters is not supported/.test(refused), loaded === 1];
		await wllama.exit();
		return result;
	})()`))
	p.quiet()
}

// What the shapes of others have and Quire does not is refused by name, and nothing is left out silently.
func TestShapesOfOthersRefuse(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	told := get[map[string]string](p, `(async () => {
		const webllm = await import('/quire/webllm.js'), {Wllama} = await import('/quire/wllama.js');
		const engine = new webllm.MLCEngine(), wllama = new Wllama({default: ''});
		const list = [{model_id: 'a', model: '/a.gguf', integrity: {}}, {model_id: 'b', model: '/b.gguf', overrides: {sliding_window_size: 5}}];
		engine.setAppConfig({model_list: list});
		engine.setLogLevel('INFO');
		wllama.setCompat(null);
		const refused = {};
		for (const [name, call] of Object.entries({
			runtimeStatsText: () => engine.runtimeStatsText(),
			forwardTokensAndSample: () => engine.forwardTokensAndSample([1], true),
			resumeChatCompletion: () => engine.resumeChatCompletion('x'),
			logitProcessorRegistry: () => engine.setLogitProcessorRegistry(new Map([['a', {}]])),
			CreateServiceWorkerMLCEngine: () => webllm.CreateServiceWorkerMLCEngine('a'),
			integrity: () => engine.reload('a'),
			sliding_window_size: () => engine.reload('b'),
			getBOS: () => wllama.getBOS(),
			createSpeech: () => wllama.createSpeech({}),
			cacheManager: () => new Wllama({}, {cacheManager: {}}),
			loadModelFromHF: () => wllama.loadModelFromHF('owner/repo', 'file.gguf'),
			mmprojUrl: () => wllama.loadModelFromUrl({url: '/x.gguf', mmprojUrl: '/y.gguf'}),
			chat_template: () => wllama.loadModelFromUrl('/x.gguf', {chat_template: 'x'}),
		})) {
			try {
				refused[name] = await call() ?? 'nothing was refused';
			} catch (e) {
				refused[name] = e.name + ': ' + e.message;
			}
		}
		refused.answers = String([await webllm.hasModelInCache('a', {model_list: list}), await webllm.deleteModelInCache('a', {model_list: list}) === undefined, webllm.prebuiltAppConfig.model_list.length,
			wllama.isSupportWebGPU(), wllama.isMultithread(), wllama.supportInputModality('image')]);
		return refused;
	})()`)
	assert.Equal(t, "false,true,0,true,false,false", told["answers"])
	delete(told, "answers")
	for name, text := range told {
		assert.Regexp(t, "^ErrBadRequest: .*"+name, text)
	}
	assert.Len(t, told, 13)
	p.quiet()
}
