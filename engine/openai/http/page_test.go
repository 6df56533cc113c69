package http

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A browser takes files compressed, and is told that it has one already.
func TestPageFiles(t *testing.T) {
	script := []byte(strings.Repeat("let a = 1;\n", 1000))
	s := serve(t, echo, Options{Page: fstest.MapFS{"index.html": {Data: []byte("<p>")}, "a.js": {Data: script}, "m.gguf": {Data: script}}})
	get := func(path string, header ...string) (*http.Response, []byte) {
		r, err := http.NewRequest(http.MethodGet, s.URL+path, nil)
		require.NoError(t, err)
		r.Header.Set("Accept-Encoding", "identity")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		a, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer a.Body.Close()
		body, err := io.ReadAll(a.Body)
		require.NoError(t, err)
		return a, body
	}
	plain, body := get("/a.js")
	assert.Equal(t, script, body)
	assert.Contains(t, plain.Header.Get("Content-Type"), "text/javascript")
	assert.ElementsMatch(t, []string{"Origin", "Accept-Encoding"}, plain.Header.Values("Vary"), "the server's own pages are told apart")

	for _, accept := range []string{"gzip", "br;q=1.0, GZIP;q=0.5", "deflate, gzip; q=0.01"} {
		packed, body := get("/a.js", "Accept-Encoding", accept)
		require.Equal(t, "gzip", packed.Header.Get("Content-Encoding"), accept)
		assert.Less(t, len(body), len(script)/10)
		from, err := gzip.NewReader(bytes.NewReader(body))
		require.NoError(t, err)
		whole, err := io.ReadAll(from)
		require.NoError(t, err)
		assert.Equal(t, script, whole)
		assert.NotEqual(t, plain.Header.Get("ETag"), packed.Header.Get("ETag"))
		again, body := get("/a.js", "Accept-Encoding", accept, "If-None-Match", packed.Header.Get("ETag"))
		assert.Equal(t, 304, again.StatusCode)
		assert.Empty(t, body)
	}
	for _, accept := range []string{"gzip;q=0", "gzip; q=0.000", "gzip;Q=0", "br", "x-gzip, identity"} {
		a, body := get("/a.js", "Accept-Encoding", accept)
		assert.Empty(t, a.Header.Get("Content-Encoding"), accept)
		assert.Equal(t, script, body)
	}
	part, body := get("/a.js", "Accept-Encoding", "gzip", "Range", "bytes=4-8")
	assert.Equal(t, 206, part.StatusCode)
	assert.Equal(t, script[4:9], body)
	model, body := get("/m.gguf", "Accept-Encoding", "gzip")
	assert.Empty(t, model.Header.Get("Content-Encoding"), "models are read by ranges")
	assert.Equal(t, script, body)
	front, _ := get("/")
	assert.Contains(t, front.Header.Get("Content-Type"), "text/html")
	other, _ := get("/index.html", "If-None-Match", front.Header.Get("ETag"))
	assert.Equal(t, 304, other.StatusCode)
}
