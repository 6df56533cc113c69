//go:build !js

package browser

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
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
