//go:build !js

package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// site serves the built-in model under /model.gguf with ranges and under other names in other ways.
func site(t *testing.T) *httptest.Server {
	t.Helper()
	model, err := os.ReadFile(builtIn)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/model.gguf", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "model.gguf", time.Time{}, strings.NewReader(string(model)))
	})
	mux.Handle("/moved.gguf", http.RedirectHandler("/model.gguf", http.StatusFound))
	mux.HandleFunc("/whole.gguf", func(w http.ResponseWriter, r *http.Request) { w.Write(model) })
	mux.HandleFunc("/short.gguf", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(model)))
		w.Write(model[:1000])
	})
	mux.HandleFunc("/text.gguf", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "no model here") })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestRunFromURL(t *testing.T) {
	s := site(t)
	args := []string{"run", "--raw", "--temperature", "0", "--max-tokens", "3", "The fox", "-m"}
	want := quire(t, append(args, builtIn)...).ok(t).stdout
	for _, name := range []string{"model", "moved", "whole"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("TMPDIR", dir)
			assert.Equal(t, want, quire(t, append(args, s.URL+"/"+name+".gguf")...).ok(t).stdout)
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, left, "temporary files are gone")
		})
	}
}

func TestURLErrors(t *testing.T) {
	s := site(t)
	tests := []struct{ url, says string }{
		{s.URL + "/none.gguf", "404 Not Found"},
		{s.URL + "/short.gguf", "the connection ended early, at byte 1000, 5 times in a row"},
		{s.URL + "/text.gguf", "not a GGUF file"},
	}
	for _, tt := range tests {
		r := quire(t, "inspect", tt.url)
		assert.Equal(t, 1, r.code)
		assert.Empty(t, r.stdout)
		assert.Equal(t, 1, strings.Count(r.stderr, tt.says), r.stderr)
	}
}

func TestInspectReadsOnlyTheHeader(t *testing.T) {
	model, err := os.ReadFile(builtIn)
	require.NoError(t, err)
	sent := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := &countingWriter{ResponseWriter: w, n: &sent}
		http.ServeContent(counted, r, "model.gguf", time.Time{}, strings.NewReader(string(model)))
	}))
	got := inspect(t, s.URL+"/model.gguf")
	s.Close()
	assert.Len(t, got.Tensors, 74)
	assert.Less(t, sent, len(model))
}

type countingWriter struct {
	http.ResponseWriter
	n *int
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	*w.n += n
	return n, err
}
