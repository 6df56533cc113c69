//go:build !js

package browser

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scarce is put before the worker's script: a GPU with so many bytes for buffers as a message {bytes} on the channel says.
const scarce = `
let room = Infinity, held = 0, full = false;
const {createBuffer, popErrorScope} = devices, {destroy} = GPUBuffer.prototype;
devices.createBuffer = function (about) {
  full = held + about.size > room;
  const buffer = createBuffer.call(this, full ? {...about, size: 4} : about);
  if (!full) held += about.size;
  buffer.counted = full ? 0 : about.size;
  return buffer;
};
GPUBuffer.prototype.destroy = function () {
  held -= this.counted ?? 0;
  this.counted = 0;
  return destroy.call(this);
};
devices.popErrorScope = function () {
  const scope = popErrorScope.call(this);
  if (!full) return scope;
  full = false; // the innermost scope is that of memory
  return scope.then(() => new GPUOutOfMemoryError('no room'));
};
channel.addEventListener('message', ({data}) => {
  if ('bytes' in Object(data)) room = data.bytes ?? Infinity;
  if ('more' in Object(data)) room = held + data.more;
  channel.postMessage({held});
});
`

// A GPU that has too little memory gives a smaller cache, or an error that says what to lower, and a request that it has no room for
// goes on when there is some.
func TestLittleMemory(t *testing.T) {
	p := newTab(t, serve(t, scarce)+"/empty.html", "")
	get[bool](p, `import('/quire.js').then(async (m) => Boolean(Object.assign(globalThis, m, {
		tales: (await import('/tales.js')).default,
		channel: new BroadcastChannel('test'),
		failure: (promise) => promise.then(() => 'no failure', (e) => e.name + ': ' + e.message),
		tell: (more) => quire.generate({prompt: 'A fox', temperature: 0, maxTokens: 2, ignoreEnd: true, ...more}),
		open: (more) => Quire.open({model: tales, keep: false, ...more}),
		set: (message) => new Promise((resolve) => {
			channel.onmessage = ({data}) => { if ('held' in Object(data)) resolve(data.held); };
			channel.postMessage(message);
		}),
	})))`)
	all := get[int](p, `(async () => {
		globalThis.quire = await open();
		globalThis.text = (await tell().result).text;
		globalThis.all = await set({});
		await quire.close(); // the worker waits, with what it has compiled
		return all;
	})()`)
	require.Greater(t, all, 40<<20)

	assert.Equal(t, []any{true, true, "the GPU has no room for a KV cache of 32.1 MiB: it got 8.0 MiB, for a context of 1024 tokens"}, get[[]any](p, `(async () => {
		globalThis.parked = await set({bytes: all - (8 << 20)});
		globalThis.quire = await open();
		const told = (await tell().result).text === text, less = await set({}) < all - (8 << 20);
		await quire.close();
		return [told, less, quire.info.warnings.at(-1)];
	})()`))
	assert.Regexp(t, `^ErrOutOfMemory: .* the model needs \d+\.\d MiB in all: .*lower the KV memory or the context`,
		get[string](p, `failure(open({kvMemory: 33 << 20}))`), "what is asked for is not changed")
	assert.Regexp(t, `^ErrOutOfMemory: .*choose a smaller model`, get[string](p, `set({bytes: 4 << 20}).then(() => failure(open()))`), "no room for weights")
	assert.Equal(t, true, get[bool](p, `set({bytes: null}).then((held) => held <= parked)`), "what fails gives back what it took")

	assert.Equal(t, []any{"ErrOutOfMemory", "ErrOutOfMemory", true, true, true}, get[[]any](p, `(async () => {
		globalThis.quire = await open();
		const session = quire.session();
		await session.generate({prompt: 'Once upon a time there was a fox who had a kite, and', maxTokens: 3, ignoreEnd: true}).result;
		await set({more: 0});
		const name = (promise) => promise.then(() => 'no failure', (e) => e.name);
		const other = tell();
		const failed = [await name(tell({frequencyPenalty: 1}).result), await name(session.save())];
		const went = (await other.result).text === text;
		await set({bytes: null});
		return [...failed, went, (await session.save()).size > 1000, (await tell({frequencyPenalty: 1}).result).text !== ''];
	})()`), "what there is no room for fails alone, and does not later on")

	if os.Getenv("QUIRE_ALL") != "" {
		assert.Equal(t, []any{"ErrOutOfMemory", true}, get[[]any](p, `(async () => {
			await set({bytes: 4 << 20});
			channel.postMessage('lose');
			const failed = await tell().result.then(() => 'no failure', (e) => e.name);
			await set({bytes: null});
			return [failed, (await tell().result).text === text];
		})()`), "an engine that a lost GPU left without memory comes back when there is some")
	}
	get[any](p, `quire.close()`)
	p.quiet()
}
