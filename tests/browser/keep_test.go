//go:build !js

package browser

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/hubtest"
	"quire/tests/tiny"
)

// shelf is a site whose models' requests are noted.
type shelf struct {
	url string

	mu     sync.Mutex
	asked  []string // ranges
	models map[string][]byte
	tags   map[string]string
	// fault may answer a request in the site's place: then it returns true.
	fault func(w http.ResponseWriter, r *http.Request, data []byte) bool
	count map[string]int  // of requests for a model
	left  map[string]bool // models that a worker has left
}

// keeping starts a site with the built page, and models at paths.
func keeping(t *testing.T, models map[string][]byte) *shelf {
	t.Helper()
	s := &shelf{models: map[string][]byte{}, tags: map[string]string{}, count: map[string]int{}, left: map[string]bool{}}
	for path, data := range models {
		s.put(path, data)
	}
	page := serve(t)
	mux := http.NewServeMux()
	mux.Handle("/", proxy(t, page))
	mux.HandleFunc("/worker.js", func(w http.ResponseWriter, r *http.Request) {
		script, err := os.ReadFile(filepath.Join(dist, "worker.js"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/javascript")
		w.Write([]byte(test))
		w.Write(script)
		w.Write([]byte(keeper))
	})
	mux.HandleFunc("/models/", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		data, tag, fault := s.models[r.URL.Path], s.tags[r.URL.Path], s.fault
		s.asked = append(s.asked, r.Header.Get("Range"))
		s.count[r.URL.Path]++
		s.mu.Unlock()
		if data == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", tag)
		if fault != nil && fault(w, r, data) {
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	})
	mux.HandleFunc("/asked", func(w http.ResponseWriter, r *http.Request) { // answers once a model was asked for
		soon(func() bool { return r.Context().Err() != nil || s.counted(r.URL.RawQuery) > 0 })
	})
	mux.HandleFunc("/left", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.left[r.URL.RawQuery] = true
	})
	s.url = host(t, mux).URL
	return s
}

// counted gives how many requests for a model have come.
func (s *shelf) counted(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[path]
}

// untilLeft is a fault: an answer waits until the worker has left the file.
func (s *shelf) untilLeft(w http.ResponseWriter, r *http.Request, data []byte) bool {
	soon(func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return r.Context().Err() != nil || s.left[r.URL.Path]
	})
	return false
}

// requests gives the ranges that were asked for since the last call.
func (s *shelf) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

func (s *shelf) put(path string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.models[path], s.tags[path] = data, `"`+digest(data)[:16]+`"`
}

func (s *shelf) set(fault func(w http.ResponseWriter, r *http.Request, data []byte) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

func talesFile(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dist, "quire-tales.gguf"))
	require.NoError(t, err)
	return data
}

// keeper is put behind the worker's script: pieces are small and a download that fails does so soon. A message {read: address} has a
// file read as a load reads it, to a device that is none; the answer tells how it went. With leave, the file is closed so many
// milliseconds after it was begun with, or as soon as the server is asked; the answer names the locks that are still held. With retry, what fails is tried once more; with other, another file is read as soon as that one is left.
const keeper = `
globalThis.quireGPU.retryPause = 2;
globalThis.quireStore.pieceSize = 1 << 20;
self.addEventListener('message', async ({data: {read, again, retry, chosen, leave, other, ...options}}) => {
  if (!read && !chosen) return;
  const out = {error: '', digest: '', from: '', kept: null, same: true, locks: null};
  const post = self.postMessage;
  self.postMessage = (message) => { if (message.kind === 'kept') out.kept = message.value; };
  const hex = async (bytes) => Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (b) => b.toString(16).padStart(2, '0')).join('');
  let source;
  try {
    await quireStore.prepare(options);
    source = quireStore.source(chosen ?? await quireStore.resolve(read));
    if (leave !== undefined) {
      source.begin().catch(() => {});
      const path = new URL(read).pathname;
      if (leave === 'asked') await fetch('/asked?' + path);
      else if (leave > 0) await new Promise((resolve) => { setTimeout(resolve, leave); });
      const closed = source.close();
      fetch('/left?' + path).catch(() => {});
      if (other) await quireStore.prepare(options);
      await closed;
      for (let turn = 0; turn < 100; turn++) { // until none is held, on a busy machine later
        await new Promise((resolve) => { setTimeout(resolve, 150); });
        out.locks = (await navigator.locks.query()).held.map(({name}) => name).filter((name) => name !== 'a worker');
        if (out.locks.length === 0) break;
      }
      if (other) source = quireStore.source(other);
    }
    const size = leave === undefined || other ? await source.open() : 0;
    for (let turn = 0; size > 0 && turn < (again ? 2 : 1); turn++) {
      const all = new Uint8Array(size + 4);
      const device = {queue: {writeBuffer: (buffer, at, bytes, from, n) => all.set(bytes.subarray(from, from + n), at), onSubmittedWorkDone: async () => {}}, finished: (promise) => promise};
      await source.read(0, 1000);
      for (let at = 0, n; at < size; at += n) {
        n = Math.min(700000, size - at);
        await source.upload(device, null, at, at, n).catch((e) => {
          if (!retry) throw e;
          out.error = JSON.stringify(quireStore.failure(e));
          return source.upload(device, null, at, at, n);
        });
      }
      const digest = await hex(all.subarray(0, size));
      out.same &&= turn === 0 || digest === out.digest;
      out.digest = digest;
    }
    out.from = quireStore.from;
    quireStore.opened();
    if (size > 0) await source.whole?.().catch(() => {});
    for (let turn = 0; size > 0 && !out.kept && turn < 200; turn++) await new Promise((resolve) => { setTimeout(resolve, 50); });
  } catch (e) {
    out.error = JSON.stringify(quireStore.failure(e));
  }
  await source?.close();
  self.postMessage = post;
  postMessage({kind: 'read', value: out});
});
`

// pulls puts what pulls and reads models, without an engine, into a page.
const pulls = `(async () => {
	const {Quire} = await import('/quire.js');
	globalThis.Quire = Quire;
	globalThis.models = Quire.models;
	globalThis.progress = [];
	globalThis.failure = (promise) => promise.then(() => 'no failure', (e) => e.name + ': ' + e.message);
	globalThis.pull = (model, more) => models.pull(model, {onProgress: (p) => progress.push(p), ...more});
	globalThis.read = (path, more) => new Promise((resolve, reject) => {
		const worker = new Worker('/worker.js', {type: 'module'});
		worker.onerror = (e) => reject(new Error(e.message));
		worker.onmessage = ({data}) => {
			if (data.kind === 'listening') worker.postMessage({read: path.startsWith('/') ? new URL(path, location.href).href : path, ...more, ...(more?.other && {other: new URL(more.other, location.href).href})});
			if (data.kind !== 'read') return;
			worker.terminate();
			resolve(data.value);
		};
	});
	return true;
})()`

// reading is what came of reading a file.
type reading struct {
	Error, Digest, From string
	Same                bool
	Locks               []string
	Kept                *struct {
		Kept          bool
		From, Problem string
	}
}

// opener puts what opens a model into a page.
const opener = `(async () => {
	const {Quire} = await import('/quire.js');
	globalThis.Quire = Quire;
	globalThis.progress = [];
	globalThis.open = (model, more) => Quire.open({model, kvMemory: 8 << 20, context: 512, onProgress: (p) => progress.push(p), ...more});
	globalThis.say = async (quire) => (await quire.generate({prompt: 'Once upon a time', temperature: 0, maxTokens: 5, ignoreEnd: true}).result).text;
	globalThis.failure = (promise) => promise.then(() => 'no failure', (e) => e.name + ': ' + e.message);
	return true;
})()`

// A model that was opened once opens again without the network, after a reload too, and when the GPU is lost; and what was said goes on.
func TestKept(t *testing.T) {
	s := keeping(t, map[string][]byte{"/models/m.gguf": tiny.Assistant(t)})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, opener)
	first := get[string](p, `(async () => {
		globalThis.quire = await open('/models/m.gguf');
		const kept = await quire.kept;
		if (!kept.kept || kept.from !== 'network') throw new Error(JSON.stringify(kept));
		return say(quire);
	})()`)
	require.NotEmpty(t, first)
	assert.NotEmpty(t, s.requests())
	goOn := sessions(t, p)

	p.do(chromedp.Reload())
	get[bool](p, opener)
	assert.Equal(t, first, get[string](p, `(async () => {
		globalThis.quire = await open('/models/m.gguf');
		const kept = await quire.kept;
		if (!kept.kept || kept.from !== 'kept') throw new Error(JSON.stringify(kept));
		return say(quire);
	})()`))
	assert.Empty(t, s.requests(), "nothing is asked for")
	goOn()
	assert.Regexp(t, `^ErrInUse: .*m\.gguf is open`, get[string](p, `failure(Quire.models.remove('/models/m.gguf'))`))

	// The GPU is lost in the middle of a stream.
	assert.Equal(t, []any{first, 1.0}, get[[]any](p, `(async () => {
		const again = quire.generate({prompt: 'Once upon a time', temperature: 0, maxTokens: 5, ignoreEnd: true});
		let lost = false;
		for await (const _ of again) {
			if (!lost) new BroadcastChannel('test').postMessage('lose');
			lost = true;
		}
		return [(await again.result).text, (await quire.stats()).recoveries];
	})()`))
	assert.Empty(t, s.requests(), "nor then")
	assert.Regexp(t, `^ErrClosed`, get[string](p, `quire.close().then(() => failure(quire.session().save()))`))
	assert.Positive(t, get[int](p, `Quire.models.remove('/models/m.gguf')`))
	p.quiet()
}

// proxy hands a site's files on.
func proxy(t *testing.T, site string) http.Handler {
	t.Helper()
	to, err := url.Parse(site)
	require.NoError(t, err)
	return httputil.NewSingleHostReverseProxy(to)
}

// file is made-up content.
func file(size int, seed byte) []byte {
	out := make([]byte, size)
	for i := range out {
		out[i] = byte(i*i>>9) ^ byte(i) + seed
	}
	return append([]byte("GGUF"), out...)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// cutAt ends every response at a byte of the file; what lies behind it never comes.
func cutAt(at int) func(w http.ResponseWriter, r *http.Request, data []byte) bool {
	return func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		start := 0
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &start)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(data)-1, len(data)))
		w.Header().Set("Content-Length", fmt.Sprint(len(data)-start))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(data[start:max(start, at)])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// A download that a server cuts goes on there: at once, and later on.
func TestKeptGoesOn(t *testing.T) {
	data := file(5<<20+77, 1)
	s := keeping(t, map[string][]byte{"/models/m.gguf": data})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	s.set(cutAt(len(data) * 2 / 5))
	assert.Regexp(t, `^ErrCut: http.*/models/m.gguf: the connection ended early, at byte \d+, 8 times in a row`, get[string](p, `failure(pull('/models/m.gguf', {connections: 1}))`))
	require.NotEmpty(t, s.requests())
	there := get[int](p, `models.list().then(([m]) => m.whole ? -1 : m.bytes)`)
	assert.InDelta(t, len(data)*2/5, there, 1<<19, "what came is kept")
	s.set(nil)
	get[bool](p, `pull('/models/m.gguf', {connections: 1}).then(({whole}) => whole)`)
	assert.Equal(t, []string{fmt.Sprintf("bytes=%d-", there)}, s.requests(), "the rest alone is asked for")
	assert.Equal(t, reading{Digest: digest(data), From: "kept", Same: true}, stripped(get[reading](p, `read('/models/m.gguf', {again: true})`)))
	assert.Empty(t, s.requests())
	p.quiet()
}

func stripped(o reading) reading {
	o.Kept = nil
	return o
}

// Whatever a server does, what is read is the file, and what can be kept is.
func TestKeptOfServers(t *testing.T) {
	data := file(6<<20+5, 3)
	s := keeping(t, map[string][]byte{"/models/m.gguf": data})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	read := func(what, more string) reading {
		t.Helper()
		r := get[reading](p, `read('/models/m.gguf', `+more+`)`)
		require.Empty(t, r.Error, what)
		require.Equal(t, digest(data), r.Digest, what)
		require.True(t, r.Same, what)
		return r
	}
	forget := func() { get[int](p, `models.remove('/models/m.gguf')`) }

	// Several connections: each asks for pieces of its own.
	var first, several atomic.Bool
	var running atomic.Int32
	end := time.Now().Add(time.Minute)
	s.set(func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		if running.Add(1) >= 3 {
			several.Store(true)
		}
		defer running.Add(-1)
		for first.Swap(true) && !several.Load() && r.Context().Err() == nil && time.Now().Before(end) { // the others wait for each other
			time.Sleep(time.Millisecond)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		return true
	})
	require.True(t, read("several connections", `{connections: 4}`).Kept.Kept)
	assert.True(t, several.Load(), "three at once")
	s.requests()
	read("kept", `{again: true}`)
	assert.Empty(t, s.requests())

	for status, says := range map[int]string{404: "ErrNotFound: .*there is no such file", 403: "ErrForbidden: .*the server does not give this file to everyone", 400: "ErrServer: .*the server does not send the file"} {
		s.set(func(w http.ResponseWriter, r *http.Request, data []byte) bool {
			w.WriteHeader(status)
			return true
		})
		assert.Regexp(t, fmt.Sprintf(`^%s \(HTTP %d\)`, says, status), get[string](p, `failure(pull('/models/m.gguf'))`))
	}
	s.set(nil)
	s.requests()

	// A damaged piece comes again, alone; where it cannot, that is said.
	damage(p, "0-00002", "")
	read("a damaged piece", `{again: true}`)
	assert.LessOrEqual(t, len(s.requests()), 2)
	read("which is mended", `{}`)
	assert.Empty(t, s.requests())
	damage(p, "0-00003", "")
	s.set(func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		w.WriteHeader(http.StatusNotFound)
		return true
	})
	assert.Regexp(t, `ErrNotFound.*a part of the file that is kept is damaged, and must come again`, get[reading](p, `read('/models/m.gguf')`).Error)
	s.set(nil)
	read("a damaged piece, later", `{}`)
	damage(p, "0-00003", "")
	var asked atomic.Int32
	s.set(func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		if asked.Add(1) > 1 {
			return false
		}
		w.WriteHeader(http.StatusNotFound)
		return true
	})
	r := get[reading](p, `read('/models/m.gguf', {retry: true})`)
	assert.Contains(t, r.Error, "is damaged, and must come again")
	assert.Equal(t, digest(data), r.Digest, "by the source that could not have it before")
	s.set(nil)

	// A file that changed while it was half there comes anew.
	forget()
	s.set(cutAt(len(data) / 2))
	get[string](p, `failure(pull('/models/m.gguf'))`)
	s.set(nil)
	data = file(6<<20+5, 4)
	s.put("/models/m.gguf", data)
	require.True(t, read("another file", `{}`).Kept.Kept)
	data = file(5<<20, 5)
	s.put("/models/m.gguf", data)
	get[bool](p, `pull('/models/m.gguf').then(({whole}) => whole)`)
	require.Equal(t, "kept", read("pulled anew", `{}`).From)

	// Servers without ranges, and without a length.
	for what, fault := range map[string]func(w http.ResponseWriter, r *http.Request, data []byte) bool{
		"no ranges": func(w http.ResponseWriter, r *http.Request, data []byte) bool {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			w.Write(data)
			return true
		},
		"no length": hubtest.Lengthless,
	} {
		forget()
		s.set(fault)
		require.True(t, read(what, `{again: true}`).Kept.Kept, what)
		s.requests()
		require.Equal(t, "kept", read(what, `{}`).From, what)
		assert.Empty(t, s.requests(), what)
	}
	s.set(nil)
	forget()
	r = read("not to be kept", `{keep: false, again: true}`)
	assert.False(t, r.Kept.Kept)
	assert.Zero(t, get[int](p, `models.list().then((all) => all.length)`))

	// Files that are chosen are kept if that is asked for, and open by name.
	require.Equal(t, "file", get[string](p, `fetch('/models/m.gguf').then((r) => r.blob()).then(async (b) => (await read('', {chosen: new File([b], 'mine.gguf'), keep: true})).from)`))
	assert.Equal(t, []any{"file:mine.gguf", true}, get[[]any](p, `models.list().then(([{name, whole}]) => [name, whole])`))
	assert.Equal(t, reading{Digest: digest(data), From: "kept", Same: true}, stripped(get[reading](p, `read('file:mine.gguf')`)))
	assert.Contains(t, get[reading](p, `read('file:other.gguf')`).Error, "no such file is kept")
}

// damage writes into a piece of every model that is kept and has a text in its names.
func damage(p *tab, piece, of string) {
	get[bool](p, `(async () => {
		const all = await (await navigator.storage.getDirectory()).getDirectoryHandle('quire-models');
		for await (const folder of all.values()) {
			const about = await (await (await folder.getFileHandle('model.json')).getFile()).text();
			if (!about.includes('`+of+`')) continue;
			const file = await folder.getFileHandle('`+piece+`'), writer = await file.createWritable({keepExistingData: true});
			await writer.write({type: 'write', position: 1000, data: new Uint8Array([1, 2, 3])});
			await writer.close();
		}
		return true;
	})()`)
}

// Tabs that want one model fetch it once; who is gone leaves the rest to others.
func TestKeptByOneTab(t *testing.T) {
	data := file(5<<20, 6)
	s := keeping(t, map[string][]byte{"/models/m.gguf": data})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	gate := hubtest.NewGate(2<<20 + 5)
	s.set(gate.Fault)
	get[bool](p, `Boolean(globalThis.one = pull('/models/m.gguf', {connections: 1}))`)
	p.wait(`progress.some(({stage, from, done}) => stage === 'download' && from === 'network' && done > 2 << 20)`)
	other := newTab(t, s.url+"/empty.html", "")
	get[bool](other, pulls)
	get[bool](other, `Boolean(globalThis.two = read('/models/m.gguf').then((r) => { globalThis.outcome = r; }))`)
	p.wait(`models.list().then(([m]) => m?.bytes > 2 << 20)`)
	before := len(s.requests())
	assert.Equal(t, 1, before)

	// The first tab is closed while the server waits: the second goes on there.
	p.do(chromedp.Navigate("about:blank"))
	gate.Open()
	other.wait(`globalThis.outcome`)
	assert.Equal(t, digest(data), get[string](other, `outcome.digest`))
	asked := s.requests()
	require.NotEmpty(t, asked)
	assert.Regexp(t, `^bytes=2\d{6}-`, asked[0], "what the first had is not asked for again")
	other.quiet()
}

// Of pieces that find no room at once one has a model removed, though another hears of it only when that is done.
func TestKeptMakesRoomOnce(t *testing.T) {
	s := keeping(t, map[string][]byte{"/models/a.gguf": file(1000, 1), "/models/b.gguf": file(1000, 2)})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	assert.Equal(t, []int{2, 1, 1, 0}, get[[]int](p, `pull('/models/a.gguf').then(() => pull('/models/b.gguf')).then(async () => {
		const {Store} = await import('/store/store.js');
		const store = new Store(), left = [], asked = store.evictions;
		const count = async () => left.push((await models.list()).length);
		await count();
		for (const at of [asked, asked, Infinity]) {
			await store.evict({key: 'c'}, 1, at);
			await count();
		}
		return left;
	})`))
	p.quiet()
}

// Where there is no room, what was not used for longest goes; where that is not enough, the model is read all the same.
func TestKeptWithinQuota(t *testing.T) {
	small, large := file(12<<20, 7), file(36<<20, 8)
	s := keeping(t, map[string][]byte{"/models/a.gguf": small, "/models/b.gguf": small, "/models/c.gguf": small, "/models/d.gguf": small, "/models/e.gguf": file(3<<20, 10), "/models/large.gguf": large, "/models/most.gguf": file(23<<20, 9)})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, pulls)
	limit := func(bytes int) {
		size := float64(bytes)
		p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: s.url, QuotaSize: &size})
			return err
		}))
	}
	names := func() string {
		return get[string](p, `models.list().then((all) => all.map(({name}) => name.replace(/.*\//, '')).join(' '))`)
	}
	get[bool](p, `pull('/models/a.gguf').then(() => pull('/models/b.gguf')).then(() => read('/models/a.gguf')).then(() => true)`)
	require.Equal(t, "a.gguf b.gguf", names())

	// What the chat page has kept goes before any model, and what others keep stays.
	const others = 1000
	get[bool](p, fmt.Sprintf(`(async () => {
		const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('quire-sessions', {create: true});
		for (const [name, bytes] of [['quire.chat/1', 8 << 20], ['another/2', %d], ['quire.chat/3', 9 << 20]]) {
			const writer = await (await folder.getFileHandle('s-' + encodeURIComponent(name), {create: true})).createWritable();
			await writer.write(new Uint8Array(bytes));
			await writer.close();
		}
		return true;
	})()`, others))
	limit(get[int](p, `models.storage().then(({usage}) => usage)`) + (8 << 20))
	get[bool](p, `pull('/models/d.gguf').then(({whole}) => whole)`)
	assert.Equal(t, "d.gguf a.gguf b.gguf", names())
	assert.Equal(t, 9<<20+others, get[int](p, `models.storage().then(({sessions}) => sessions)`), "the first goes first")
	limit(get[int](p, `models.remove('/models/d.gguf').then(() => models.storage()).then(({usage}) => usage)`) + (2 << 20))
	get[bool](p, `pull('/models/d.gguf').then(({whole}) => whole)`)
	assert.NotContains(t, names(), "b.gguf", "and then models")
	assert.Equal(t, others, get[int](p, `models.storage().then(({sessions}) => sessions)`))
	get[bool](p, `models.remove('/models/d.gguf').then(() => pull('/models/b.gguf')).then(() => read('/models/a.gguf')).then(() => true)`)
	require.Equal(t, "a.gguf b.gguf", names())
	limit(get[int](p, `models.storage().then(({usage}) => usage)`) + (6 << 20))
	get[bool](p, `pull('/models/c.gguf').then(({whole}) => whole)`)
	assert.Equal(t, "c.gguf a.gguf", names(), "the one that was used longest ago made room")

	// Chromium asks for 1 MiB with a file's first bytes: there is room for no file, and for a model's first one but not for the note of its use.
	for _, little := range []int{200 << 10, 3 << 19} {
		limit(get[int](p, `models.storage().then(({usage}) => usage)`) + little)
		get[bool](p, `pull('/models/a.gguf').then(({whole}) => whole)`)
		require.Equal(t, "a.gguf c.gguf", names(), "what is there is noted as used all the same")
		get[bool](p, `pull('/models/e.gguf').then(({whole}) => whole)`)
		require.Equal(t, "e.gguf a.gguf", names(), "and of what is new some goes for the note")
		limit(1 << 30)
		get[bool](p, `models.remove('/models/e.gguf').then(() => pull('/models/c.gguf')).then(({whole}) => whole)`)
	}
	limit(get[int](p, `models.storage().then(({usage}) => usage)`) + (6 << 20))
	assert.Regexp(t, `^ErrNoRoom: the model cannot be kept: it needs 38 MB, and the browser has room for [\d.]+ \w+; remove others`, get[string](p, `failure(pull('/models/large.gguf'))`))
	r := get[reading](p, `read('/models/large.gguf', {again: true})`)
	assert.Equal(t, []any{"", digest(large), true, false}, []any{r.Error, r.Digest, r.Same, r.Kept.Kept})
	assert.Regexp(t, `^The model is not kept: it needs 38 MB, and the browser has room for `, r.Kept.Problem)
	assert.Equal(t, "large.gguf c.gguf a.gguf", names(), "nothing goes in vain")

	get[bool](p, `import('/store/place.js').then(async ({placeOf}) => {
		const {key} = await placeOf(new URL('/models/c.gguf', location).href);
		return new Promise((taken) => { navigator.locks.request('quire-models/' + key, {mode: 'shared'}, () => new Promise(() => { taken(true); })); });
	})`)
	get[int](p, `models.remove('/models/large.gguf')`)
	assert.Regexp(t, `^ErrNoRoom: `, get[string](p, `failure(pull('/models/most.gguf'))`))
	assert.Contains(t, names(), "a.gguf", "nor where what is open would have to go, too")
	assert.Regexp(t, `^no failure`, get[string](p, `failure(models.remove('/models/a.gguf'))`))
	assert.Regexp(t, `^ErrNotFound: no model is kept`, get[string](p, `failure(models.remove('/models/a.gguf'))`))
	p.quiet()
}
