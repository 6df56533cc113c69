package remote

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/hub"
)

// readAll opens a URL and reads the whole file.
func readAll(url string, o Options) ([]byte, error) {
	f, err := Open(context.Background(), url, o)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
}

// refused checks that an error has a name, tells the address and what to do, and nothing of Go's.
func refused(t *testing.T, err error, kind hub.Kind, says string) {
	t.Helper()
	var e *hub.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, kind, e.Kind)
	assert.Contains(t, e.Error(), says)
	assert.NotEmpty(t, e.Advice())
	assert.NotRegexp(t, `dial tcp|http: |net/http|lookup|x509|tls:|read tcp|EOF|context|strconv`, e.Error()+e.Advice())
}

func TestFailuresHaveNames(t *testing.T) {
	header := func(code int, fields ...string) func(int, http.ResponseWriter, *http.Request) {
		return func(_ int, w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(fields); i += 2 {
				w.Header().Set(fields[i], fields[i+1])
			}
			w.WriteHeader(code)
		}
	}
	tests := []struct {
		name     string
		handle   func(n int, w http.ResponseWriter, r *http.Request)
		kind     hub.Kind
		says     string
		requests int
	}{
		{"unauthorized", header(401), hub.Forbidden, "401 Unauthorized", 1},
		{"gone", header(410), hub.NotFound, "410 Gone", 1},
		{"teapot", header(418), hub.Server, "418", 1},
		{"moved to another protocol", header(302, "Location", "ftp://example.org/model.gguf"), hub.Server, "redirects to an address that cannot be asked for", 1},
		{"moved to a wrong address", header(302, "Location", "http://example.org:99999/"), hub.Server, "redirects to an address that cannot be asked for", 1},
		{"empty file", header(416), hub.Server, "it is empty", 1},
		{"cut without a length", func(_ int, w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(content[:1000])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, hub.Cut, "the connection ended early, at byte 1000", 3},
		{"no answer", func(_ int, w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, hub.Cut, "closed the connection without an answer", 3},
		{"compressed", func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write(content)
			z.Close()
		}, hub.Encoded, "Content-Encoding: gzip", 1},
		{"a web page", func(_ int, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<!doctype html><title>Sign in</title>")
		}, hub.WebPage, "a web page", 1},
		{"an empty web page", header(200, "Content-Type", "text/html; charset=utf-8"), hub.WebPage, "a web page", 1},
		{"pieces of an unknown whole", func(_ int, w http.ResponseWriter, r *http.Request) {
			at := first(r)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/*", at, at+999))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(content[at : at+1000])
		}, hub.Server, "does not tell how long it is", 2},
		{"busy for an hour", header(429, "Retry-After", "3600"), hub.Busy, "429 Too Many Requests) and asks to be left alone for 1h0m0s", 1},
		{"busy without an end", header(503), hub.Busy, "503 Service Unavailable), 3 times in a row", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, requests := server(t, tt.handle)
			_, err := readAll(url, quick)
			refused(t, err, tt.kind, tt.says)
			assert.EqualValues(t, tt.requests, requests.Load())
		})
	}
}

func TestUnreachableServers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := "http://" + listener.Addr().String() + "/model.gguf"
	listener.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	noise, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer noise.Close()
	go func() {
		for {
			c, err := noise.Accept()
			if err != nil {
				return
			}
			http.ReadRequest(bufio.NewReader(c)) // a connection that ends with something unread is reset
			io.WriteString(c, "220 this is not HTTP\r\n")
			c.Close()
		}
	}()
	for _, tt := range []struct{ url, says string }{
		{closed, "refuses connections"},
		{secure.URL, "certificate"},
		{"https" + plain.URL[len("http"):], "try http://"},
		{"http://no-such-host.invalid/model.gguf", "no-such-host.invalid"},
		{"http://" + noise.Addr().String(), "gave no valid answer"},
	} {
		_, err := readAll(tt.url, quick)
		refused(t, err, hub.Unreachable, tt.says)
	}
	for _, url := range []string{"http://", "http://[", "https:///model.gguf", "http://a b/", "http://127.0.0.1:99999/"} {
		_, err := readAll(url, quick)
		refused(t, err, hub.BadAddress, "not a whole address")
	}
}

// A hub's page about a file is told from the file.
func TestPagesAboutAFile(t *testing.T) {
	url, _ := server(t, func(_ int, w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<!doctype html>") })
	root := url[:len(url)-len("/file")]
	_, err := readAll(root+"/org/repo/blob/main/a.gguf", quick)
	var e *hub.Error
	require.ErrorAs(t, err, &e)
	assert.Contains(t, e.Advice(), root+"/org/repo/resolve/main/a.gguf")
}

func TestModelsThatAreCalledPages(t *testing.T) {
	model := append([]byte("GGUF"), content...)
	url, _ := server(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(model))
	})
	got, err := readAll(url, quick)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(model, got))
}

// Servers that answer with less than was asked for, or do not tell the whole.
func TestRangesThatEndEarly(t *testing.T) {
	piece := func(n int, total string) func(int, http.ResponseWriter, *http.Request) {
		return func(_ int, w http.ResponseWriter, r *http.Request) {
			at := first(r)
			end := min(at+n, len(content))
			if at >= end {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%s", at, end-1, total))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(content[at:end])
		}
	}
	slow := quick
	slow.Wait = time.Minute // a range that ends is no failure that would be waited after
	for name, handle := range map[string]func(int, http.ResponseWriter, *http.Request){
		"pieces":            piece(100_000, fmt.Sprint(len(content))),
		"a hidden total":    piece(len(content), "*"),
		"one byte too many": piece(len(content)-1, fmt.Sprint(len(content))),
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := server(t, handle)
			got, err := readAll(url, slow)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(content, got))
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"7": 7 * time.Second, " 7 ": 7 * time.Second, "0": 0, "": 0, "-1": 0, "soon": 0, "1.5": 0, "99999999999999999999": 0,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Fri, 02 Jan 2026 03:04:00 GMT": 0,
		"Friday, 02-Jan-26 03:04:15 GMT": 10 * time.Second,
	} {
		assert.Equal(t, want, retryAfter(value, now), value)
	}
}
