//go:build !js

package browser

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// dist is what "make build" made.
const dist = "../../web/dist"

// test is put before the worker's script: a lock says that a worker is there, however busy. On a channel, workers say how many kernels have
// compiled, and how many at once, and lose their GPU devices. A device's handle is an index below a generation (web/gpu/table.js).
const test = `
if (self.name !== 'quire files') navigator.locks.request('a worker', {mode: 'shared'}, () => new Promise(() => {}));
const channel = new BroadcastChannel(self.name === 'quire files' ? 'helpers' : 'test'); // or they would answer before the engine has heard
let compiling = 0, together = 0, made = 0;
const devices = globalThis.GPUDevice?.prototype ?? {}; // none without WebGPU
const create = devices.createComputePipelineAsync;
devices.createComputePipelineAsync = function (...args) {
  together = Math.max(together, ++compiling);
  made++;
  return create.apply(this, args).finally(() => { compiling--; });
};
channel.onmessage = ({data}) => {
  if (data === 'compilers') channel.postMessage({together, made});
  if (data !== 'lose') return;
  for (let handle = 0; handle < 64; handle++) globalThis.quireGPU.destroy(handle >> 3 << 20 | handle & 7);
};
`

// workers counts the workers of a site that live.
const workers = `navigator.locks.query().then(({held}) => held.filter(({name}) => name === 'a worker').length)`

// serveParrot starts a site of the built page with an engine that says what it is asked to.
func serveParrot(t *testing.T) string { return parrot(t).URL }

func parrot(t *testing.T) *httptest.Server {
	t.Helper()
	whole, err := url.Parse(serve(t))
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/", httputil.NewSingleHostReverseProxy(whole))
	mux.HandleFunc("/quire.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/quire.js") })
	return host(t, mux)
}

// serve starts a site of the built page; broken.gguf, header.gguf, cut.gguf and page.gguf are no whole models, odd.gguf
// has a key that nobody knows; busy.gguf is header.gguf from a server that first asks to wait a second. More scripts run in workers.
func serve(t *testing.T, more ...string) string {
	t.Helper()
	for _, name := range []string{"index.html", "quire.js", "quire.wasm", "quire-bench.wasm", "wasm_exec.js", "quire-tales.gguf"} {
		require.FileExists(t, filepath.Join(dist, name), `run "make build" first`)
	}
	model, err := os.ReadFile(filepath.Join(dist, "quire-tales.gguf"))
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(dist)))
	mux.HandleFunc("/worker.js", func(w http.ResponseWriter, r *http.Request) {
		worker, err := os.ReadFile(filepath.Join(dist, "worker.js"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/javascript")
		// Ahead of the program, whose end is awaited; imports go first wherever they stand.
		w.Write(append([]byte(test+strings.Join(more, "")), worker...))
	})
	mux.HandleFunc("/empty.html", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(`<!doctype html><title>empty</title><link rel="icon" href="data:,">`))
	})
	for name, content := range map[string][]byte{
		"/broken.gguf":    []byte("\x00This is no model at all."),
		"/page.gguf":      []byte("<!DOCTYPE html><html>"),
		"/first.gguf":     []byte("GGUF\x01\x00\x00\x00\x02\x00\x00\x00"),
		"/shard.gguf":     tiny.Model{Meta: map[string]any{"split.no": uint16(0), "split.count": uint16(2)}}.Bytes(t),
		"/assistant.gguf": tiny.Assistant(t), // whose tokens cost little
		"/odd.gguf":       tiny.Model{Meta: map[string]any{"llama.favourite_colour": "green"}}.Bytes(t),
		"/cut.gguf":       model[:len(model)/2],
		"/header.gguf":    model[:1000],
	} {
		mux.HandleFunc(name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		})
	}
	var asked atomic.Bool
	mux.HandleFunc("/busy.gguf", func(w http.ResponseWriter, r *http.Request) {
		if !asked.Swap(true) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(model[:1000]))
	})
	return host(t, mux).URL
}

var hosts atomic.Int32

// host starts a server at an address of its own: one browser runs all tests, and would show what it has cached of an
// earlier site, if the system gave its port again.
func host(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	if own, err := net.Listen("tcp", fmt.Sprintf("127.0.1.%d:0", hosts.Add(1))); err == nil { // not everywhere are there addresses but one
		s.Listener.Close()
		s.Listener = own
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}
