//go:build !js

package browser

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What is saved while another tab reads the file of before stays, is what is read next, and takes its place in the end.
func TestKeptSessionWhileItIsRead(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	assert.Equal(t, []string{
		"read: one | new, 3 bytes, s-a w-a",
		"saved again: newer, 5 bytes, s-a",
		"moved at the next look: new, 3 bytes, s-b",
		"failed: no disk | new, s-b",
		"swept: c, then none",
		"no room in the file: ErrNoRoom, saved 1 times",
		"full: ErrNoRoom | new",
	}, get[[]string](p, `(async () => {
		const {Keeper, keptFile, sessions} = await import('/quire/sessions.js');
		const said = [];
		const write = async (handle, text) => {
			const writer = await handle.createWritable();
			await writer.write(text);
			await writer.close();
			return {};
		};
		const keep = async (name, text) => {
			const keeper = new Keeper(name, (to) => (to ? write(to, text) : new Blob([text])));
			keeper.changed();
			await keeper.now();
		};
		const textOf = async (name) => (await (await keptFile(name)).getFile()).text();
		const files = async (name) => {
			const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('quire-sessions');
			const all = [];
			for await (const file of folder.keys()) if (file.endsWith('-' + name)) all.push(file);
			return all.sort().join(' ');
		};
		const state = async (name) => {
			const {bytes} = (await sessions.list()).find((one) => one.name === name);
			return (await textOf(name)) + ', ' + bytes + ' bytes, ' + await files(name);
		};
		// reading has another thread read a file, and gives what ends that.
		const reading = async (name) => {
			const script = "let handle; onmessage = async ({data}) => { if (data) handle = await data.createSyncAccessHandle({mode: 'read-only'}); else handle.close(); postMessage('') };";
			const worker = new Worker(URL.createObjectURL(new Blob([script], {type: 'text/javascript'})));
			const ask = (data) => new Promise((resolve) => { worker.onmessage = resolve; worker.postMessage(data); });
			await ask(await keptFile(name));
			return async () => { await ask(null); worker.terminate(); };
		};
		for (const name of ['a', 'b']) {
			await keep(name, 'one');
			const before = await textOf(name);
			const end = await reading(name);
			await new Promise((resolve) => { setTimeout(resolve, 20); });
			await keep(name, 'new');
			if (name === 'a') said.push('read: ' + before + ' | ' + await state('a'));
			await end();
		}
		await keep('a', 'newer');
		said.push('saved again: ' + await state('a'));
		await keptFile('b');
		said.push('moved at the next look: ' + await state('b'));

		const broken = new Keeper('b', async (to) => {
			if (to) await write(to, 'hal');
			throw new Error('no disk');
		});
		broken.changed();
		const why = await broken.now().catch(({message}) => message);
		said.push('failed: ' + why + ' | ' + await textOf('b') + ', ' + await files('b'));

		const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('quire-sessions');
		await folder.getFileHandle('n-c', {create: true});
		await sessions.list();
		const soon = await files('c');
		const {now} = Date;
		Date.now = () => now() + 7_200_000;
		await sessions.list();
		Date.now = now;
		said.push('swept: ' + soon.slice(2) + ', then ' + (await files('c') || 'none'));

		let saves = 0;
		const small = new Keeper('b', async () => {
			saves++;
			throw new Error('run 3: the browser has no more room');
		});
		small.changed();
		said.push('no room in the file: ' + await small.now().catch(({name}) => name) + ', saved ' + saves + ' times');

		const {getFileHandle} = FileSystemDirectoryHandle.prototype;
		FileSystemDirectoryHandle.prototype.getFileHandle = async function (file, options) {
			if (options?.create) throw new DOMException('full', 'QuotaExceededError');
			return getFileHandle.call(this, file, options);
		};
		said.push('full: ' + await keep('b', 'more').catch(({name}) => name) + ' | ' + await textOf('b'));
		return said;
	})()`))
	p.quiet()
}

// What is removed while it is saved is gone, whether the save has a file of its own by then or gives a Blob, and what is saved later is there.
func TestRemovedWhileItIsSaved(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	assert.Equal(t, []string{"file:  | later", "blob:  | later"}, get[[]string](p, `(async () => {
		const {keepUnder, sessions} = await import('/quire/sessions.js');
		const said = [];
		const names = async () => (await sessions.list()).map(({name}) => name).join();
		for (const way of ['file', 'blob']) {
			// Another thread writes the file, as the engine's do.
			const script = "let handle; onmessage = async ({data}) => { if (data) (handle = await data.createSyncAccessHandle()).write(new Uint8Array(3)); else handle.close(); postMessage('') };";
			const worker = new Worker(URL.createObjectURL(new Blob([script], {type: 'text/javascript'})));
			const ask = (data) => new Promise((resolve) => { worker.onmessage = resolve; worker.postMessage(data); });
			let end;
			const saving = await new Promise((begun) => {
				const saved = keepUnder('a', async (to) => {
					if (way === 'file') await ask(to);
					await new Promise((resolve) => { end = resolve; begun(() => saved); });
					if (way === 'file') await ask(null);
					return way === 'file' ? null : new Blob(['new']);
				});
			});
			const removed = sessions.remove('a');
			await Promise.race([removed, new Promise((resolve) => { setTimeout(resolve, 300); })]);
			end();
			await Promise.all([saving(), removed]);
			worker.terminate();
			const left = await names();
			await keepUnder('later', async () => new Blob(['later']));
			said.push(way + ': ' + left + ' | ' + await names());
			await sessions.remove('later');
		}
		return said;
	})()`))
	assert.Equal(t, "kept, gone", get[string](p, `(async () => { // beside one that never ends
		const {keepUnder, patience, sessions} = await import('/quire/sessions.js');
		Object.assign(patience, {shared: 50, exclusive: 50});
		await new Promise((held) => { navigator.locks.request('quire-sessions/b', {mode: 'exclusive'}, () => new Promise(held)); });
		await keepUnder('b', async () => new Blob(['b']));
		const kept = (await sessions.list()).length;
		await sessions.remove('b');
		return (kept === 1 ? 'kept' : kept) + ', ' + ((await sessions.list()).length === 0 ? 'gone' : 'there');
	})()`))
	p.quiet()
}

// The disk has a conversation before it replaces another, and its worker stays when what is fetched is given up.
func TestSavingIsOnTheDisk(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	assert.Equal(t, "truncate write flush close", get[string](p, `(async () => {
		const {Saving} = await import('/store/saving.js');
		const {Workers} = await import('/store/workers.js');
		globalThis.Worker = class { constructor() { throw new Error('none here'); } };
		const did = [];
		const handle = {
			truncate: () => did.push('truncate'), flush: () => did.push('flush'), close: () => did.push('close'),
			write: ({length}) => (did.push('write'), length),
		};
		const saving = new Saving({createSyncAccessHandle: async () => handle}, new Workers());
		saving.write(new Uint8Array(3));
		await saving.end(true);
		return did.join(' ');
	})()`))
	assert.Equal(t, []any{true, false}, get[[]any](p, `(async () => {
		const {Workers, SAVES} = await import('/store/workers.js');
		const ended = [];
		globalThis.Worker = class {
			constructor() { setTimeout(() => this.onmessage({data: {}})); }
			postMessage({id, task}) {
				this.task = task;
				if (task === 'put') this.answer = () => this.onmessage({data: {id}});
			}
			terminate() { ended.push(this.task); }
		};
		const workers = new Workers();
		const saved = workers.ask(SAVES, 'put', {}), piece = workers.ask(0, 'piece', {}).catch(() => {});
		await new Promise((resolve) => { setTimeout(resolve, 50); });
		workers.giveUp(0);
		await piece;
		return [ended.includes('piece'), ended.includes('put')];
	})()`))
	p.quiet()
}

// The engine's worker has another write a file, which is free when it has ended; a shorter one leaves nothing of it.
func TestSavingToAFile(t *testing.T) {
	p := newTab(t, serve(t, `
const saver = new BroadcastChannel('saver');
if (self.name === 'quire') saver.onmessage = async ({data: {to, parts}}) => {
  const saving = quireGPU.savingOf(to);
  for (const part of parts) saving.write(part);
  const blob = await saving.end(true).catch((e) => e.message);
  saver.postMessage(blob && await blob.text?.() || blob);
};
`)+"/empty.html", "")
	assert.Equal(t, []any{nil, "abcde", nil, "f", "ghi"}, get[[]any](p, `(async () => {
		const worker = new Worker('/worker.js', {type: 'module', name: 'quire'});
		await new Promise((resolve) => { worker.onmessage = resolve; });
		const channel = new BroadcastChannel('saver');
		const save = (to, ...parts) => new Promise((resolve) => {
			channel.onmessage = ({data}) => resolve(data);
			channel.postMessage({to, parts: parts.map((part) => new TextEncoder().encode(part))});
		});
		const handle = await (await navigator.storage.getDirectory()).getFileHandle('n-saved', {create: true});
		const said = [];
		for (const parts of [['ab', 'cde'], ['f']]) said.push(await save(handle, ...parts), await (await handle.getFile()).text());
		said.push(await save(null, 'g', 'hi'));
		worker.terminate();
		return said;
	})()`))
	p.quiet()
}
