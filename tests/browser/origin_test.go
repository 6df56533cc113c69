//go:build !js

package browser

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lend serves an unpacked package as a public host of packages does: other origins may read it and browsers keep it, all
// but the file `withheld`, which others may not read. Its workers lose their devices when the test asks. It counts the
// bytes of models that went out.
func lend(t *testing.T, folder, withheld string) (url string, sent *atomic.Int64) {
	t.Helper()
	sent = &atomic.Int64{}
	files := http.FileServer(http.Dir(folder))
	s := host(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/"+withheld {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Expose-Headers", "*")
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		w.Header().Set("ETag", `"`+r.URL.Path+`"`)
		switch {
		case r.URL.Path == "/worker.js":
			script, err := os.ReadFile(filepath.Join(folder, "worker.js"))
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "text/javascript")
			w.Write(append([]byte(test), script...))
		case strings.HasSuffix(r.URL.Path, ".gguf"):
			files.ServeHTTP(&counting{w, sent}, r)
		default:
			files.ServeHTTP(w, r)
		}
	}))
	return s.URL, sent
}

type counting struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

// A page takes everything, worker, program and model, from another origin. When the GPU is lost the model is not fetched
// again.
func TestOtherOrigin(t *testing.T) {
	folder := unpack(t, t.TempDir())
	lender, sent := lend(t, folder, "")
	p := newTab(t, serve(t)+"/empty.html", "")
	require.True(t, get[bool](p, `(async () => {
		const {Quire} = await import('`+lender+`/quire.js');
		const {default: tales} = await import('`+lender+`/tales.js');
		globalThis.quire = await Quire.open({model: tales, kvMemory: 8 << 20, context: 128});
		globalThis.ask = () => quire.generate({messages: [{role: 'user', content: 'Tell me a story.'}], temperature: 0, maxTokens: 4});
		globalThis.before = (await ask().result).text;
		return before.length > 4 && tales.startsWith('`+lender+`');
	})()`))
	model, err := os.Stat(filepath.Join(folder, "quire-tales.gguf"))
	require.NoError(t, err)
	require.Equal(t, model.Size(), sent.Load())

	require.Equal(t, []any{1.0, true}, get[[]any](p, `(async () => {
		const again = ask();
		let lost = false;
		for await (const _ of again) {
			if (!lost) new BroadcastChannel('test').postMessage('lose');
			lost = true;
		}
		return [(await quire.stats()).recoveries, (await again.result).text === before];
	})()`))
	assert.Equal(t, model.Size(), sent.Load(), "a lost GPU takes the weights from the browser's cache")
	p.quiet()
}

// What another origin does not let the page read is told by name.
func TestOtherOriginRefuses(t *testing.T) {
	folder := unpack(t, t.TempDir())
	site := serve(t)
	for withheld, says := range map[string]string{
		"worker.js":        `^ErrCrashed: the engine's worker did not start: http://.*/worker\.js could not be run; that server must let pages of other origins read it \(Access-Control-Allow-Origin\)`,
		"gpu/device.js":    `^ErrCrashed: the engine's worker did not start: http://.*/worker\.js`,
		"quire.wasm":       `^ErrCrashed: http://.*/quire\.wasm could not be fetched .*Access-Control-Allow-Origin`,
		"quire-tales.gguf": `^[A-Z]\w+: .*quire-tales\.gguf.*CORS`,
	} {
		t.Run(withheld, func(t *testing.T) {
			lender, _ := lend(t, folder, withheld)
			p := newTab(t, site+"/empty.html", "")
			assert.Regexp(t, says, get[string](p, `(async () => {
				const {Quire, QuireError} = await import('`+lender+`/quire.js');
				const {default: tales} = await import('`+lender+`/tales.js');
				return Quire.open({model: tales}).then(() => 'no failure', (e) => (e instanceof QuireError ? '' : 'not ours: ') + e.name + ': ' + e.message);
			})()`))
		})
	}
}
