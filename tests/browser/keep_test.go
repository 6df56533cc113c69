//go:build !js

package browser

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shelf is a site whose models' requests are noted.
type shelf struct {
	url string

	mu     sync.Mutex
	asked  []string // ranges
	models map[string][]byte
	// fault may answer a request in the site's place: then it returns true.
	fault func(w http.ResponseWriter, r *http.Request, data []byte) bool
}

// keeping starts a site with the built page, and models at paths.
func keeping(t *testing.T, models map[string][]byte) *shelf {
	t.Helper()
	s := &shelf{models: models}
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
		data, fault := s.models[r.URL.Path], s.fault
		s.asked = append(s.asked, r.Header.Get("Range"))
		s.mu.Unlock()
		if data == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", `"`+etag(data)+`"`)
		if fault != nil && fault(w, r, data) {
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	})
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	s.url = site.URL
	return s
}

// requests gives the ranges that were asked for since the last call.
func (s *shelf) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
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
// file read as a load reads it, to a device that is none; the answer tells how it went.
const keeper = `
globalThis.quireGPU.retryPause = 2;
globalThis.quireStore.pieceSize = 1 << 20;
self.addEventListener('message', async ({data: {read, keep, connections, again}}) => {
  if (!read) return;
  const out = {error: '', digest: '', from: '', kept: null, same: true};
  const post = self.postMessage;
  self.postMessage = (message) => { if (message.kind === 'kept') out.kept = message.value; };
  const hex = async (bytes) => Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (b) => b.toString(16).padStart(2, '0')).join('');
  let source;
  try {
    await quireStore.prepare({keep, connections});
    source = quireStore.source(read);
    const size = await source.open();
    for (let turn = 0; turn < (again ? 2 : 1); turn++) {
      const all = new Uint8Array(size + 4);
      const device = {queue: {writeBuffer: (buffer, at, bytes, from, n) => all.set(bytes.subarray(from, from + n), at), onSubmittedWorkDone: async () => {}}, finished: (promise) => promise};
      await source.read(0, 1000);
      for (let at = 0, n; at < size; at += n) await source.upload(device, null, at, at, n = Math.min(700000, size - at));
      const digest = await hex(all.subarray(0, size));
      out.same &&= turn === 0 || digest === out.digest;
      out.digest = digest;
    }
    out.from = quireStore.from;
    quireStore.opened();
    await source.whole?.().catch(() => {});
    await new Promise((resolve) => { setTimeout(resolve, 50); });
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
			if (data.kind === 'listening') worker.postMessage({read: new URL(path, location.href).href, ...more});
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
	globalThis.open = (model, more) => Quire.open({model, kvMemory: 4 << 20, context: 128, deterministic: true, onProgress: (p) => progress.push(p), ...more});
	globalThis.say = async (quire) => (await quire.generate({prompt: 'Once upon a time', temperature: 0, maxTokens: 8, ignoreEnd: true}).result).text;
	globalThis.failure = (promise) => promise.then(() => 'no failure', (e) => e.name + ': ' + e.message);
	return true;
})()`

// A model that was opened once opens again without the network, after a reload too, and when the GPU is lost.
func TestKept(t *testing.T) {
	s := keeping(t, map[string][]byte{"/models/tales.gguf": talesFile(t)})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, opener)
	first := get[string](p, `(async () => {
		globalThis.quire = await open('/models/tales.gguf');
		const kept = await quire.kept;
		if (!kept.kept || kept.from !== 'network') throw new Error(JSON.stringify(kept));
		return say(quire);
	})()`)
	require.NotEmpty(t, first)
	assert.Len(t, s.requests(), 1)

	p.do(chromedp.Reload())
	get[bool](p, opener)
	assert.Equal(t, first, get[string](p, `(async () => {
		globalThis.quire = await open('/models/tales.gguf');
		const kept = await quire.kept;
		if (!kept.kept || kept.from !== 'kept') throw new Error(JSON.stringify(kept));
		return say(quire);
	})()`))
	assert.Empty(t, s.requests(), "nothing is asked for")
	p.quiet()
}

// proxy hands a site's files on.
func proxy(t *testing.T, site string) http.Handler {
	t.Helper()
	to, err := url.Parse(site)
	require.NoError(t, err)
	return httputil.NewSingleHostReverseProxy(to)
}

func etag(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
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
