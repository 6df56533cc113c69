//go:build !js

package browser

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sessions saves a conversation, and keeps another. What it gives is called after a reload: they go on with the text that they would
// have had and without computing it again.
func sessions(t *testing.T, p *tab) (goOn func()) {
	said := get[struct {
		Grows, Whole, Busy, Chat, Wrong bool
		Next                            string
	}](p, `(async () => {
		const session = quire.session();
		const first = session.generate({prompt: 'Once upon a time', maxTokens: 14, temperature: 0, ignoreEnd: true});
		const busy = await failure(session.generate({prompt: 'A'}).result);
		for await (const _ of first);
		const {promptIds, ids} = await first.result;
		const grows = session.ids.join() === [...promptIds, ...ids].join();
		const file = await session.save();
		await (await caches.open('test')).put('/session', new Response(file));

		const next = await session.generate({prompt: ' The next day,', maxTokens: 4, temperature: 0, ignoreEnd: true}).result;
		const more = await quire.encode(' The next day,');
		const before = session.ids;
		const turn = (...messages) => session.generate({messages, maxTokens: 2}).result;
		const wrong = await failure(turn({role: 'user', content: 'A.'}, {role: 'user', content: 'B.'})) + await failure(turn({role: 'user', content: []}));
		const chat = await turn({role: 'user', content: 'And then?'});
		return {
			grows, busy: busy.includes('has not ended'), next: next.text,
			whole: next.promptIds.join() === [...promptIds, ...ids, ...more].join(),
			wrong: /^ErrBadRequest.*the user's next.*ErrBadRequest.*content is a text/s.test(wrong),
			chat: chat.promptIds.slice(0, before.length).join() === before.join() && (await quire.decode(chat.promptIds)).includes('And then?') &&
				session.ids.join() === [...chat.promptIds, ...chat.ids].join(),
		};
	})()`)
	require.NotEmpty(t, said.Next)

	// The browser keeps one by name, which is gone on with when the tab is hidden and closed.
	kept := get[[]any](p, `(async () => {
		const session = await quire.keptSession('my/diary');
		await session.generate({prompt: 'A fox and a hen lived in the forest, and one day they met a boy who had lost his kite in a tree.', maxTokens: 2, ignoreEnd: true}).result;
		const {length} = session.ids;
		Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
		document.dispatchEvent(new Event('visibilitychange'));
		const {createWritable} = FileSystemFileHandle.prototype; // the worker writes, not the page
		FileSystemFileHandle.prototype.createWritable = () => Promise.reject(new Error('on the page'));
		await session.keep();
		FileSystemFileHandle.prototype.createWritable = createWritable;
		const [{name, bytes}] = await Quire.sessions.list();
		return [name, bytes > 1000, length, await failure(quire.keptSession('')), await failure(quire.session().keep())];
	})()`)
	assert.Equal(t, []any{"my/diary", true}, kept[:2])
	assert.Regexp(t, `^ErrBadRequest: a session's name must be a text, not an empty one`, kept[3])
	assert.Regexp(t, `^ErrBadRequest: this session has no name`, kept[4])
	assert.True(t, said.Grows, "the session has the prompt and the answer, as soon as the last chunk is read")
	assert.True(t, said.Busy, "one request at a time")
	assert.True(t, said.Whole, "a prompt goes on from what was said, without a second BOS")
	assert.True(t, said.Chat, "a message is the next turn")
	assert.True(t, said.Wrong, "and one alone")

	// Ids that can be asked for once are kept, though the file cannot be had and they are saved as a Blob.
	assert.Equal(t, []any{"5,6,7", 0.0}, get[[]any](p, `(async () => {
		const {prototype} = FileSystemDirectoryHandle, {getFileHandle} = prototype;
		let left = 1;
		prototype.getFileHandle = function (file, options) {
			if (file !== 'n-once') return getFileHandle.call(this, file, options);
			left--;
			return Promise.resolve({cannotBeSent() {}});
		};
		await quire.keepSession('once', [5, 6, 7].values());
		prototype.getFileHandle = getFileHandle;
		const {ids} = await quire.keptSession('once');
		await Quire.sessions.remove('once');
		return [ids.join(), left];
	})()`))

	return func() { goesOn(t, p, said.Next, kept[2]) }
}

func goesOn(t *testing.T, p *tab, next string, length any) {
	assert.Regexp(t, `^ErrSessionDamaged: .*damaged: blocks 0 to \d`, get[string](p, `(async () => {
		globalThis.file = await (await (await caches.open('test')).match('/session')).blob();
		const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('quire-sessions');
		const bytes = new Uint8Array(await (await (await folder.getFileHandle('s-my%2Fdiary')).getFile()).arrayBuffer());
		bytes[bytes.length - 100] ^= 1;
		return failure(quire.loadSession(new Blob([bytes])));
	})()`))
	again := get[struct {
		Text                string
		Cached, Prompt, IDs int
	}](p, `(async () => {
		const session = await quire.loadSession(file);
		const ids = session.ids.length;
		const {text, figures} = await session.generate({prompt: ' The next day,', maxTokens: 4, temperature: 0, ignoreEnd: true}).result;
		return {text, ids, cached: figures.cachedTokens, prompt: figures.promptTokens};
	})()`)
	assert.Equal(t, next, again.Text)
	assert.Equal(t, (again.IDs-1)/16*16, again.Cached, "all whole blocks that were computed came back, of %d tokens", again.Prompt)
	assert.NotZero(t, again.Cached)

	assert.Equal(t, []any{length, true, 0.0}, get[[]any](p, `(async () => {
		const session = await quire.keptSession('my/diary');
		const {length} = session.ids;
		const {figures} = await session.generate({prompt: ' Then', maxTokens: 1, ignoreEnd: true}).result;
		await session.keep();
		await Quire.sessions.remove('my/diary');
		return [length, length > 16 && figures.cachedTokens === Math.floor((length - 1) / 16) * 16, (await Quire.sessions.list()).length];
	})()`), "a conversation that was kept goes on without computing it again")

	for what, call := range map[string]string{
		`^ErrSessionDamaged: .*damaged`:              `quire.loadSession(file.slice(0, file.size - 1))`,
		`^ErrSessionFormat: this is no conversation`: `quire.loadSession(new Blob(['This is no session of anything.']))`,
		`^ErrSessionFormat: .*`:                      `quire.loadSession(new Blob([]))`,
		`^no failure`:                                `quire.session().save().then((b) => quire.loadSession(b)).then((s) => s.ids.length && Promise.reject(Error('it has tokens')))`,
		`^ErrBadRequest: a session is loaded from a Blob or File, not a string`: `quire.loadSession('/session')`,
	} {
		assert.Regexp(t, what, get[string](p, `failure(`+call+`)`))
	}
}
