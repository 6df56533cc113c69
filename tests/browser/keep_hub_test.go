//go:build !js

package browser

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/hubtest"
)

func written(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

// Names mean in the tab what they mean to quire pull.
func TestHubNamesInTheTab(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	get[bool](p, `Promise.all([import('/store/name.js'), import('/store/choose.js')]).then((all) => Boolean(Object.assign(globalThis, {hub: Object.assign({}, ...all)})))`)
	for _, name := range hubtest.Names {
		want := "none"
		if name.Repo != "" {
			want = strings.Join([]string{name.Repo, name.Revision, name.File, name.Quant}, "|")
		}
		assert.Equal(t, want, get[string](p, `((n) => n ? [n.repo, n.revision, n.file, n.quant].join('|') : 'none')(hub.parse(`+written(t, name.Text)+`, '`+hubtest.Mirror+`'))`), name.Text)
	}
	for text, says := range hubtest.Refused {
		assert.Contains(t, get[string](p, `(() => { try { hub.parse(`+written(t, text)+`); return 'taken'; } catch (e) { return e.message; } })()`), says, text)
	}
	for _, c := range hubtest.Choices {
		got := get[string](p, `(() => { try {
			return hub.choose({repo: 'o/r', revision: 'main', file: '', quant: `+written(t, c.Quant)+`}, `+written(t, c.Files)+`.map((path) => ({path}))).map(({path}) => path).join(' ');
		} catch (e) { return 'fails: ' + e.message; } })()`)
		assert.Equal(t, c.Fails, strings.HasPrefix(got, "fails: "), c.Name)
		assert.Contains(t, got, c.Want, c.Name)
	}
	p.quiet()
}

// The last piece, which is given once the sum is known, is written without waiting for whoever reads it, or for a time.
func TestDownloadWritesItsLastPiece(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	assert.Equal(t, []int{64, 64}, get[[]int](p, `import('/store/download.js').then(async ({Download}) => {
		const {Turns} = await import('/gpu/turns.js');
		globalThis.setInterval = () => 1;
		const there = new Set(), never = new AbortController().signal;
		const shelf = {
			record: {about: {sha256: 'right'}}, has: (i) => there.has(i), read: async () => null, verified() {}, adder: () => ({add: async () => true, total: async () => 'right'}),
			write: async (piece) => { if ((piece.written = piece.filled) === piece.size) there.add(piece.number); },
		};
		const source = {origin: {ranges: false}, close() {}, some: async (at, max) => new Uint8Array(max)};
		const workers = {buffer: (bytes) => new ArrayBuffer(bytes), take() {}, hold: () => () => {}};
		const download = new Download(64, 1, shelf, {name: 'm', lanes: new Turns(1), connections: 1, workers, network: async () => source, arrived() {}, evictions: () => 0, room: () => false, unkept() {}, done() {}});
		let got = 0;
		for (let at = 0; at < 64; at++) got += (await download.some(at, 1, never)).length;
		await download.close();
		return [got, there.size];
	})`))
	p.quiet()
}

// A worker that never answers is given up, by whoever stops what it was asked for: the engine's own does its work from then on.
func TestWorkerNeverAnswers(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	assert.Equal(t, []int{0, 10, 1}, get[[]int](p, `import('/store/workers.js').then(async ({Workers}) => {
		const {Line} = await import('/store/remote.js');
		let ended = 0;
		globalThis.Worker = class {
			postMessage() {}
			terminate() { ended++; }
		};
		const wait = globalThis.setTimeout;
		globalThis.setTimeout = (f, milliseconds) => wait(f, milliseconds > 5e3 ? 10 : milliseconds);
		const workers = new Workers(), got = [];
		for (let n = 0; n < 2; n++) {
			const line = new Line(workers, 0);
			line.ask({url: '/quire.js', headers: {Range: 'bytes=0-9'}}, 10, new ArrayBuffer(10), ({bytes}) => got.push(bytes));
			await line.next();
		}
		return [...got, ended];
	})`))
	p.quiet()
}

// A piece is whole though the worker that was asked for it fails.
func TestWorkerFails(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	assert.Equal(t, []int{1, 2, 3}, get[[]int](p, `import('/store/shelf.js').then(async ({Shelf}) => {
		const {Workers} = await import('/store/workers.js');
		const {digest} = await import('/store/digest.js');
		const {top} = await import('/store/folder.js');
		const folder = await (await top(true)).getDirectoryHandle('fails', {create: true});
		const bytes = new Uint8Array([1, 2, 3]);
		const writer = await (await folder.getFileHandle('0-00000', {create: true})).createWritable();
		await writer.write(bytes);
		await writer.close();
		globalThis.Worker = class {
			postMessage() { setTimeout(() => this.onerror({preventDefault() {}, message: 'it fails'})); }
			terminate() {}
		};
		return [...await new Shelf(folder, 0, {pieces: [{bytes: 3, sha256: await digest(bytes)}]}, new Workers()).read(0) ?? []];
	})`))
	p.quiet()
}

// A worker that is well and cannot read is asked once, and its buffer is used again.
func TestWorkerCannotRead(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	assert.Equal(t, []any{1.0, true, nil}, get[[]any](p, `import('/store/shelf.js').then(async ({Shelf}) => {
		const {Workers} = await import('/store/workers.js');
		const given = [];
		globalThis.Worker = class {
			postMessage({id, buffer}) {
				given.push(buffer);
				setTimeout(() => this.onmessage({data: {id, error: new Error('it cannot be read'), buffer}}));
			}
			terminate() {}
		};
		const workers = new Workers();
		const read = await new Shelf({name: 'well'}, 0, {pieces: [{bytes: 3, sha256: ''}]}, workers).read(0);
		return [given.length, workers.buffer(3) === given[0], read];
	})`))
	p.quiet()
}

// Models of a hub are kept by name, compared with the SHA-256 that it names; the token goes to it alone.
func TestKeptOfHub(t *testing.T) {
	hub := hubtest.New(t)
	whole, first, second := file(3<<20, 1), file(1<<20, 2), file(2<<20, 3)
	hub.Put("o/r", hubtest.Repo{Files: map[string][]byte{"m-Q4_K_M.gguf": whole, "m-Q8_0.gguf": file(1<<20, 4), "f16/m-F16-00001-of-00002.gguf": first, "f16/m-F16-00002-of-00002.gguf": second}})
	hub.Put("o/gated", hubtest.Repo{Files: map[string][]byte{"m.gguf": first}, Gated: true})
	s := keeping(t, nil)
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	get[bool](p, `Boolean(globalThis.hub = '`+hub.Hub.URL+`')`)

	assert.Equal(t, []any{"hf:o/r/m-Q4_K_M.gguf", true, hubtest.SHA256(whole)}, get[[]any](p, `pull('hf:o/r', {hub}).then(({name, whole, files: [{sha256}]}) => [name, whole, sha256])`))
	require.NotEmpty(t, hub.Requests())
	want := reading{Digest: digest(whole), From: "kept", Same: true}
	for _, name := range []string{"hf:o/r", "hf.co/o/r:latest", "hf:o/r/m-Q4_K_M.gguf"} {
		assert.Equal(t, want, stripped(get[reading](p, `read('`+name+`', {hub})`)), name)
	}
	assert.Empty(t, hub.Requests(), "a name that is kept asks nothing")
	assert.Equal(t, reading{Digest: digest(first), From: "network", Same: true}, stripped(get[reading](p, `read('hf:o/r/f16/m-F16-00002-of-00002.gguf', {hub})`)), "the first of them")
	assert.Equal(t, []any{true, 2.0, float64(len(first) + len(second))}, get[[]any](p, `pull('hf:o/r:f16', {hub}).then(({whole, files, bytes}) => [whole, files.length, bytes])`))
	assert.Equal(t, 2, get[int](p, `models.list().then((all) => all.length)`))

	assert.Regexp(t, `^ErrNotFound: hf:o/r:Q5_0: the repository has no Q5_0\. There are hf:o/r:F16, hf:o/r:Q4_K_M, hf:o/r:Q8_0`, get[string](p, `failure(pull('hf:o/r:Q5_0', {hub}))`))
	assert.Regexp(t, `^ErrForbidden: hf:o/none: 127\.0\.0\.1:\d+ has no such repository`, get[string](p, `failure(pull('hf:o/none', {hub}))`))
	assert.Regexp(t, `^ErrNotFound: .*the repository has no revision v9`, get[string](p, `failure(pull('hf:o/r@v9', {hub}))`))
	assert.Regexp(t, `^ErrBadAddress: .*not a whole name`, get[string](p, `failure(pull('hf:o', {hub}))`))
	assert.Regexp(t, `^ErrBadRequest: hub must be an address`, get[string](p, `failure(pull('hf:o/r', {hub: 'here'}))`))
	assert.Regexp(t, `^ErrForbidden: `, get[string](p, `failure(pull('hf:o/gated', {hub}))`))
	hub.Requests()
	get[bool](p, `pull('hf:o/gated', {hub, hubToken: '`+hub.Allowed+`'}).then(({whole}) => whole)`)
	contents := 0
	for _, r := range hub.Requests() {
		if r.Content {
			contents++
			assert.Empty(t, r.Authorization, r.Path)
		}
	}
	assert.NotZero(t, contents)
	damage(p, "0-00000", "o/gated")
	assert.Equal(t, digest(first), get[reading](p, `read('hf:o/gated', {hub, hubToken: '`+hub.Allowed+`'})`).Digest, "a damaged piece of it comes again")
	assert.Equal(t, "hf:o/gated/m.gguf", get[string](p, `models.list().then(([{name}]) => name)`), "it has its name still")

	// What comes is not what the hub names: nothing of it is kept, and the last part is never given out.
	hub.Fault = func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		wrong := append([]byte{}, data...)
		wrong[len(wrong)/2] ^= 1
		w.Header().Set("ETag", `"other"`)
		w.Write(wrong)
		return true
	}
	assert.Regexp(t, `^ErrDamaged: .*m-Q8_0\.gguf: what came is not the file that the hub names: its SHA-256 is [0-9a-f]{64}, and should be [0-9a-f]{64}`, get[string](p, `failure(pull('hf:o/r:q8_0', {hub}))`))
	assert.Contains(t, get[reading](p, `read('hf:o/r:q8_0', {hub})`).Error, "ErrDamaged")
	hub.Fault = nil
	get[bool](p, `pull('hf:o/r:q8_0', {hub}).then(({whole}) => whole)`)

	// One model drafts for another: each is kept under its own name.
	hub.Put("o/drafts", hubtest.Repo{Files: map[string][]byte{"d-Q4_0.gguf": second}})
	s.put("/models/d.gguf", first)
	assert.Equal(t, `[["hf:o/drafts","hf:o/drafts/d-Q4_0.gguf"],["`+s.url+`/models/d.gguf"]]`, get[string](p, `(async () => {
		await import('/gpu.js');
		const {Store} = await import('/store/store.js');
		const store = new Store((from) => quireGPU.fetched(from), () => {});
		await store.prepare({hub});
		for (const url of [await store.resolve('hf:o/drafts'), new URL('/models/d.gguf', location).href]) {
			const source = store.source(url);
			await source.open();
			await source.whole();
			await source.close();
		}
		const all = await models.list(), namesOf = (end) => all.find((m) => m.name.endsWith(end)).names.sort();
		return JSON.stringify([namesOf('/d-Q4_0.gguf'), namesOf('/d.gguf')]);
	})()`))
	assert.Equal(t, digest(second), get[reading](p, `read('hf:o/drafts', {hub})`).Digest)
	assert.Regexp(t, `^ErrForbidden: hf:o/none: `, get[string](p, `failure(Quire.open({model: '/models/d.gguf', draftModel: 'hf:o/none', hub}))`), "a draft model may have a name, too")

	// A server that is silent for a while, longer than workers wait for something to do, takes nothing of the sum along.
	hub.Put("o/slow", hubtest.Repo{Files: map[string][]byte{"s-Q4_0.gguf": whole}})
	gate := hubtest.NewGate(2<<20 + 5)
	time.AfterFunc(4*time.Second, gate.Open)
	hub.Fault = gate.Fault
	assert.True(t, get[bool](p, `pull('hf:o/slow', {hub, connections: 1}).then(({whole}) => whole)`))
	hub.Fault = nil

	// A new state takes the old one's place.
	hub.Put("o/r", hubtest.Repo{Files: map[string][]byte{"m-Q4_K_M.gguf": second}})
	assert.Equal(t, want, stripped(get[reading](p, `read('hf:o/r', {hub})`)), "until it is pulled")
	assert.Equal(t, hubtest.SHA256(second), get[string](p, `pull('hf:o/r', {hub}).then(({files: [{sha256}]}) => sha256)`))
	assert.Equal(t, digest(second), get[reading](p, `read('hf:o/r', {hub})`).Digest)
	if os.Getenv("QUIRE_ALL") == "" {
		return
	}
	hub.NoListing = true
	assert.Equal(t, hubtest.SHA256(first), get[string](p, `(async () => { await models.remove('hf:o/gated/m.gguf'); return pull('hf:o/gated', {hub, hubToken: '`+hub.Allowed+`'}).then(({files: [{sha256}]}) => sha256); })()`), "a mirror's listing in pages")
}

// A file that is not what its sum names is taken back before anybody hears of it: whoever does closes the shelf. What of it is damaged
// there is written again from memory.
func TestDownloadTakesBack(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	get[any](p, `import('/store/download.js').then(async ({Download}) => {
		const {Turns} = await import('/gpu/turns.js');
		globalThis.fetched = async (sum, adds) => {
			const there = new Set(), forgotten = [];
			let closed = false;
			const shelf = {
				record: {about: {sha256: sum}}, has: (i) => there.has(i), read: async () => null, verified() {}, adder: () => ({add: async (i) => adds(i), total: async () => 'right'}),
				write: async (piece) => { if ((piece.written = piece.filled) === piece.size) there.add(piece.number); },
				forget: async (i) => { there.delete(i); forgotten.push(closed ? 'late' : i); },
			};
			const source = {origin: {ranges: false}, close() {}, some: async (at, max) => new Uint8Array(max)};
			const workers = {buffer: (bytes) => new ArrayBuffer(bytes), take() {}, hold: () => () => {}};
			const download = new Download(64, 1, shelf, {name: 'm', lanes: new Turns(1), connections: 1, workers, network: async () => source, arrived() {}, evictions: () => 0, room: () => false, unkept() {}, done() {}});
			download.start();
			const says = await download.whole(new AbortController().signal).then(() => 'whole', (e) => e.value.kind);
			closed = true;
			await download.close();
			await new Promise((resolve) => { setTimeout(resolve, 50); });
			return [says, there.size, forgotten.join()].join('|');
		};
	})`)
	all := make([]string, 64)
	for i := range all {
		all[i] = strconv.Itoa(i)
	}
	assert.Equal(t, "ErrDamaged|0|"+strings.Join(all, ","), get[string](p, `fetched('wrong', () => true)`))
	assert.Equal(t, "whole|64|63", get[string](p, `((bad) => fetched('right', (i) => i !== 63 || bad-- <= 0))(1)`))
	p.quiet()
}
