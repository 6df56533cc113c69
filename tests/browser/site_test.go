//go:build !js

package browser

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// dist is what "make build" made.
const dist = "../../web/dist"

// loseDevice is put behind the worker's script: a message on a channel takes the first GPU device away.
const loseDevice = `
new BroadcastChannel('lose').onmessage = () => {
  for (let id = 1; id < 100; id++) globalThis.quireGPU.destroy(id);
};
`

// serve starts a site of the built page; broken.gguf and cut.gguf are no models.
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
		w.Write([]byte("<!doctype html><title>empty</title>"))
	})
	mux.HandleFunc("/broken.gguf", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("This is no model at all.")) })
	mux.HandleFunc("/cut.gguf", func(w http.ResponseWriter, r *http.Request) { w.Write(model[:len(model)/2]) })
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	return site.URL
}
