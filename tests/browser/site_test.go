//go:build !js

package browser

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dist is what "make build" made.
const dist = "../../web/dist"

// loseDevice is put before the worker's script: a message on a channel takes the GPU devices away.
const loseDevice = `
new BroadcastChannel('lose').onmessage = () => {
  for (let id = 1; id < 100; id++) globalThis.quireGPU.destroy(id);
};
`

// serve starts a site of the built page; broken.gguf, header.gguf and cut.gguf are no whole models.
func serve(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"index.html", "quire.js", "quire.wasm", "wasm_exec.js", "quire-tales.gguf"} {
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
		w.Write(append([]byte(loseDevice), worker...))
	})
	mux.HandleFunc("/empty.html", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(`<!doctype html><title>empty</title><link rel="icon" href="data:,">`))
	})
	for name, content := range map[string][]byte{
		"/broken.gguf": []byte("This is no model at all."),
		"/cut.gguf":    model[:len(model)/2],
		"/header.gguf": model[:1000],
	} {
		mux.HandleFunc(name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		})
	}
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	return site.URL
}
