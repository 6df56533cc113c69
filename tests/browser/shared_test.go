//go:build !js

package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sharing imports the package and opens a model whose tokens cost little with the engine that tabs of its options share.
const sharing = `import('/quire.js').then(async (m) => {
	Object.assign(globalThis, m);
	globalThis.failure = (promise) => promise.then(() => 'no failure', (e) => e.name + ': ' + e.message);
	globalThis.options = {model: '/assistant.gguf', shared: 'worker', deterministic: true, kvMemory: 16 << 20, context: 2048};
	globalThis.quire = await Quire.open(options);
	globalThis.tell = (more) => quire.generate({prompt: 'Once upon a time there was', temperature: 0.8, seed: 5, maxTokens: 24, ignoreEnd: true, ...more});
	return JSON.stringify(quire.info);
})`

// Two tabs have one engine: each is answered its own, they share its cache, and one that goes takes nothing of the other's along.
func TestTabsShareAnEngine(t *testing.T) {
	site := serve(t)
	stays := newTab(t, site+"/empty.html", "")
	info := get[string](stays, sharing)
	want := get[string](stays, `tell().result.then(({ids}) => ids.join())`)
	require.NotEmpty(t, want)
	assert.True(t, get[bool](stays, `quire.kept.then(({kept}) => kept)`))

	t.Run("another tab", func(t *testing.T) {
		goes := newTab(t, site+"/empty.html", "")
		assert.Equal(t, info, get[string](goes, sharing))
		third := newTab(t, site+"/empty.html", "")
		assert.Equal(t, info, get[string](third, sharing))
		assert.True(t, soon(func() bool { return stays.workers() == 1 }), "one worker for all")
		before := get[int](stays, `quire.stats().then(({tokens}) => tokens)`)
		assert.Equal(t, want, get[string](goes, `tell().result.then(({ids}) => ids.join())`), "the same seed")
		assert.Equal(t, before+24, get[int](stays, `quire.stats().then(({tokens}) => tokens)`))
		assert.Equal(t, "ErrBadRequest", get[string](goes, `tell({topP: 2}).result.catch(({name}) => name)`))
		assert.True(t, get[bool](goes, `(async () => {
			const {choices} = await quire.chat.completions.create({messages: [{role: 'user', content: 'A fox.'}], max_tokens: 2, temperature: 0});
			let text = '';
			for await (const {choices} of quire.chat.completions.create({messages: [{role: 'user', content: 'A fox.'}], max_tokens: 2, temperature: 0, stream: true})) text += choices[0]?.delta.content ?? '';
			return text === choices[0].message.content && text !== '';
		})()`), "the API's calls, in a stream too")

		cached := func(p *tab, salt string) int {
			return get[int](p, `quire.generate({prompt: 'One day, a fox and a bear went to the big, big park to play with a ball.', maxTokens: 1, salt: '`+salt+`'})
				.result.then(({figures}) => figures.cachedTokens)`)
		}
		assert.Equal(t, []int{0, 64}, []int{cached(stays, "a"), cached(goes, "a")}, "tabs share what has their salt")
		if os.Getenv("QUIRE_ALL") != "" {
			assert.Equal(t, []int{0, 0}, []int{cached(goes, "b"), cached(stays, "")}, "and nothing else")
		}

		assert.Equal(t, []any{"shared", true}, get[[]any](goes, `(async () => {
			const session = await quire.keptSession('shared');
			await session.generate({prompt: 'A hen and a fox went to the park.', maxTokens: 2, ignoreEnd: true}).result;
			await session.keep();
			const again = await quire.keptSession('shared');
			const [{name}] = await Quire.sessions.list();
			await Quire.sessions.remove('shared');
			return [name, again.ids.join() === session.ids.join()];
		})()`), "conversations are kept by a worker that has no files of its own")

		// Each sees the blocks of both, and knows its own.
		get[bool](stays, `Boolean(globalThis.seen = new Set(), quire.watch(({sequences}) => {
			for (const {generation} of sequences) seen.add(generation === globalThis.mine ? 'mine' : generation === null ? 'other' : 'wrong');
		}))`)
		assert.True(t, get[bool](goes, `new Promise((resolve) => { quire.watch(({sequences}) => resolve(sequences.length === 0)); })`), "who watches later sees at once how it is")
		get[bool](goes, `new Promise(async (resolve) => { for await (const _ of tell({maxTokens: 1500, seed: 6})) resolve(true); })`)
		get[bool](stays, `new Promise(async (resolve) => {
			globalThis.ids = [];
			globalThis.mine = tell();
			for await (const chunk of mine) {
				ids.push(...chunk.ids);
				resolve(true);
			}
		})`)
	})
	assert.Equal(t, want, get[string](stays, `mine.result.then(({ids}) => ids.join())`), "the other tab was closed meanwhile")
	assert.Equal(t, want, get[string](stays, `ids.join()`))
	stays.wait(`seen.has('mine') && seen.has('other') && !seen.has('wrong')`)
	assert.Equal(t, []any{0.0, 0.0}, get[[]any](stays, `(async () => {
		for (;;) {
			const {running, blocks} = await quire.stats();
			if (running === 0) return [running, blocks.active];
		}
	})()`), "what a closed tab asked for ends")

	for says, more := range map[string]string{
		`^ErrBadRequest: shared must be true, false, "worker" or "lock", not "all"`: `{shared: 'all'}`,
		`^ErrBadRequest: tabs share models that have an address`:                    `{model: new Blob(['GGUF'])}`,
	} {
		assert.Regexp(t, says, get[string](stays, `failure(Quire.open({...options, ...`+more+`}))`))
	}
	for range 3 { // a worker that ends is not joined
		assert.Regexp(t, `^ErrNotFound`, get[string](stays, `failure(Quire.open({...options, model: '/none.gguf'}))`), "an engine of its own for each model")
	}
	assert.Regexp(t, `^ErrClosed`, get[string](stays, `quire.close().then(() => failure(quire.stats()))`))
	assert.True(t, stays.idle(), "the last tab ends the worker")
}

// soon reports whether something comes true before patience ends.
func soon(done func() bool) bool {
	for end := time.Now().Add(patience); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// Tabs of other versions have engines of their own, so the version is that of the package.
func TestVersionOfThePackage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(dist, "package.json"))
	require.NoError(t, err, `run "make build" first`)
	var about struct{ Version string }
	require.NoError(t, json.Unmarshal(text, &about))
	code, err := os.ReadFile(filepath.Join(dist, "quire", "version.js"))
	require.NoError(t, err)
	assert.Contains(t, string(code), "VERSION=\""+about.Version+"\"")
}

// Workers that tabs share write and read files in ways of their own.
func TestSharedWorkerKeeps(t *testing.T) {
	data := file(3<<20+77, 5)
	s := keeping(t, map[string][]byte{"/models/m.gguf": data})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	get[any](p, `void (globalThis.shared = (options, task) => new Promise((resolve) => {
		const script = `+"`"+`
			import '${location.origin}/gpu.js';
			import {Store} from '${location.origin}/store/store.js';
			quireGPU.retryPause = 2;
			const store = new Store((from) => quireGPU.fetched(from), () => {});
			store.pieceSize = 1 << 20;
			onconnect = async ({ports: [port]}) => {
				try {
					await store.prepare(${JSON.stringify(options)});
					port.postMessage(await (${task})(store, '${location.origin}/models/m.gguf'));
				} catch (e) {
					port.postMessage(JSON.stringify(store.failure(e)));
				}
			};`+"`"+`;
		new SharedWorker(URL.createObjectURL(new Blob([script], {type: 'text/javascript'})), {type: 'module'}).port.onmessage = ({data}) => resolve(data);
	}))`)
	s.set(cutAt(len(data) * 2 / 5))
	assert.Contains(t, get[string](p, `shared({connections: 1}, (store, url) => store.pull(url).then(() => 'no failure'))`), "ErrCut")
	s.requests()
	there := get[int](p, `models.list().then(([m]) => m.whole ? -1 : m.bytes)`)
	assert.InDelta(t, len(data)*2/5, there, 1<<19, "what came is kept")
	s.set(nil)
	assert.Equal(t, "pulled", get[string](p, `shared({connections: 1}, (store, url) => store.pull(url).then(() => 'pulled'))`))
	assert.Equal(t, []string{fmt.Sprintf("bytes=%d-", there)}, s.requests(), "the rest alone is asked for")
	assert.Equal(t, reading{Digest: digest(data), From: "kept", Same: true}, stripped(get[reading](p, `read('/models/m.gguf')`)), "a tab's worker reads it")
	assert.Equal(t, digest(data), get[string](p, `shared({}, async (store, url) => {
		const source = store.source(url), size = await source.open();
		const sum = await crypto.subtle.digest('SHA-256', await source.read(0, size));
		return Array.from(new Uint8Array(sum), (b) => b.toString(16).padStart(2, '0')).join('');
	})`), "and so does one that tabs share")
	assert.Empty(t, s.requests())
	p.quiet()
}
