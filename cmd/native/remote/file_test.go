package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// content is larger than what one read or a skip takes.
var content = func() []byte {
	data := make([]byte, 3<<20)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(data)
	return data
}()

var quick = Options{Attempts: 3, Wait: time.Millisecond}

// server counts requests and serves content through handle.
func server(t *testing.T, handle func(request int, w http.ResponseWriter, r *http.Request)) (url string, requests *atomic.Int32) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	requests = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle(int(requests.Add(1)), w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/file", requests
}

func ranges(_ int, w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(content))
}

// first is the offset that a request asks for.
func first(r *http.Request) int {
	var n int
	fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &n)
	return n
}

// cut serves a range but ends the connection after n bytes.
func cut(w http.ResponseWriter, r *http.Request, n int) {
	begin(w, r, n)
	panic(http.ErrAbortHandler)
}

// begin serves the first n bytes of a range.
func begin(w http.ResponseWriter, r *http.Request, n int) {
	at := first(r)
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(content)-1, len(content)))
	w.Header().Set("Content-Length", fmt.Sprint(len(content)-at))
	w.WriteHeader(http.StatusPartialContent)
	w.Write(content[at:min(at+n, len(content))])
	w.(http.Flusher).Flush()
}

func open(t *testing.T, url string) *File {
	t.Helper()
	f, err := Open(context.Background(), url, quick)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	require.EqualValues(t, len(content), f.Size())
	return f
}

func check(t *testing.T, f *File, offset, n int) {
	t.Helper()
	got := make([]byte, n)
	_, err := f.ReadAt(got, int64(offset))
	require.NoError(t, err)
	require.True(t, bytes.Equal(content[offset:offset+n], got), "%d bytes at %d", n, offset)
}

// whole reads the file to its end in pieces.
func whole(t *testing.T, f *File) {
	t.Helper()
	got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
}

func TestReadingForwardTakesOneRequest(t *testing.T) {
	url, requests := server(t, ranges)
	f := open(t, url)
	whole(t, f)
	assert.EqualValues(t, 1, requests.Load())
	check(t, f, 100, 50)
	assert.EqualValues(t, 2, requests.Load(), "going back takes another")
	check(t, f, 5000, 50)
	assert.EqualValues(t, 2, requests.Load(), "a short way forward is read over")
	check(t, f, 2<<20, 50)
	assert.EqualValues(t, 3, requests.Load(), "a long one is jumped")
}

func TestReadAtTheEnd(t *testing.T) {
	for name, handle := range map[string]func(int, http.ResponseWriter, *http.Request){"ranges": ranges, "no ranges": noRanges} {
		t.Run(name, func(t *testing.T) {
			url, _ := server(t, handle)
			f := open(t, url)
			got := make([]byte, 10)
			n, err := f.ReadAt(got, int64(len(content))-4)
			assert.Equal(t, 4, n)
			assert.Equal(t, io.EOF, err)
			assert.Equal(t, content[len(content)-4:], got[:4])
			_, err = f.ReadAt(got, int64(len(content)))
			assert.Equal(t, io.EOF, err)
			_, err = f.ReadAt(got, -1)
			assert.Error(t, err)
		})
	}
}

func noRanges(_ int, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	w.Write(content)
}

func TestBrokenConnectionsAreResumed(t *testing.T) {
	url, requests := server(t, func(n int, w http.ResponseWriter, r *http.Request) { cut(w, r, 300_000) })
	whole(t, open(t, url))
	assert.EqualValues(t, (len(content)+299_999)/300_000, requests.Load(), "nothing is fetched twice")
}

func TestPassingErrorsAreRetried(t *testing.T) {
	url, _ := server(t, func(n int, w http.ResponseWriter, r *http.Request) {
		switch n {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			ranges(n, w, r)
		}
	})
	whole(t, open(t, url))
}

func TestRedirectsAreFollowed(t *testing.T) {
	url, _ := server(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file" {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			return
		}
		ranges(n, w, r)
	})
	f := open(t, url)
	check(t, f, 2<<20, 1000)
	whole(t, f)
}

func TestServersWithoutRangesAreStreamedOnce(t *testing.T) {
	url, requests := server(t, noRanges)
	f := open(t, url)
	check(t, f, 1000, 100)
	check(t, f, 2<<20, 100)
	check(t, f, 0, 100)
	whole(t, f)
	assert.EqualValues(t, 1, requests.Load())
	require.NoError(t, f.Close())
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, left, "the temporary file is gone")
}

func TestStreamsWithoutRangesStartOver(t *testing.T) {
	url, requests := server(t, func(n int, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		if n < 3 {
			w.Write(content[:n<<20])
			panic(http.ErrAbortHandler)
		}
		w.Write(content)
	})
	whole(t, open(t, url))
	assert.EqualValues(t, 3, requests.Load())
}

func TestUnstatedSize(t *testing.T) {
	url, _ := server(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		w.Write(content)
	})
	whole(t, open(t, url))
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name     string
		handle   func(n int, w http.ResponseWriter, r *http.Request)
		says     string
		requests int
	}{
		{"not found", func(_ int, w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "404 Not Found", 1},
		{"forbidden", func(_ int, w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }, "403 Forbidden", 1},
		{"broken server", func(_ int, w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "502 Bad Gateway", 3},
		{"always cut", func(n int, w http.ResponseWriter, r *http.Request) { cut(w, r, max(0, 1000-first(r))) }, "the connection ended early", 3},
		{"another file", func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				cut(w, r, 1000)
			}
			http.ServeContent(w, r, "file", time.Time{}, strings.NewReader("something else, but as long a text as is needed for "+strings.Repeat("a range", 1000)))
		}, "the file changed", 2},
		{"ranges that stop", func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				cut(w, r, 1000)
			}
			noRanges(n, w, r)
		}, "has stopped serving parts", 2},
		{"wrong range", func(n int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 7-9/100")
			w.WriteHeader(http.StatusPartialContent)
		}, `"bytes 7-9/100"`, 1},
		{"endless redirect", func(n int, w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "redirects", 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, requests := server(t, tt.handle)
			f, err := Open(context.Background(), url, quick)
			if err == nil {
				defer f.Close()
				_, err = f.ReadAt(make([]byte, f.Size()), 0)
			}
			require.ErrorContains(t, err, tt.says)
			assert.Contains(t, err.Error(), url+": ", "the address is named")
			assert.NotErrorIs(t, err, io.EOF)
			assert.NotErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.EqualValues(t, tt.requests, requests.Load())
		})
	}
}

// Another ETag is another file, unless its date or the sum of the whole says otherwise.
func TestAnotherETag(t *testing.T) {
	const march, april = "Sun, 01 Mar 2026 00:00:00 GMT", "Wed, 01 Apr 2026 00:00:00 GMT"
	for name, c := range map[string]struct {
		etags, dates [2]string
		summed       bool
		says         string
	}{
		"no date":        {[2]string{`"1"`, `"2"`}, [2]string{}, false, "(ETag) and names no date"},
		"one date":       {[2]string{`"1"`, `"2"`}, [2]string{march, ""}, false, "names no date"},
		"the same date":  {[2]string{`"1"`, `"2"`}, [2]string{march, march}, false, ""},
		"another date":   {[2]string{`"1"`, `"2"`}, [2]string{march, april}, false, "the file changed"},
		"a sum":          {[2]string{`"1"`, `"2"`}, [2]string{}, true, ""},
		"a weak one":     {[2]string{`"1"`, `W/"1"`}, [2]string{}, false, ""},
		"the same":       {[2]string{`"1"`, `"1"`}, [2]string{march, april}, false, ""},
		"another weak":   {[2]string{`W/"1"`, `W/"2"`}, [2]string{}, false, "the file changed"},
		"only at first":  {[2]string{`"1"`, ""}, [2]string{}, false, ""},
		"only the dates": {[2]string{}, [2]string{march, april}, false, ""},
	} {
		url, _ := server(t, func(n int, w http.ResponseWriter, r *http.Request) {
			i := min(n, 2) - 1
			for header, value := range map[string]string{"ETag": c.etags[i], "Last-Modified": c.dates[i]} {
				if value != "" {
					w.Header().Set(header, value)
				}
			}
			if n == 1 {
				cut(w, r, 1000)
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		})
		f := open(t, url)
		if c.summed {
			f.Summed()
		}
		data := make([]byte, 2000)
		_, err := f.ReadAt(data, 0)
		if c.says == "" {
			assert.NoError(t, err, name)
			assert.Equal(t, content[:2000], data)
		} else {
			assert.ErrorContains(t, err, c.says, name)
		}
	}
}

func TestCancelEndsAReadThatWaits(t *testing.T) {
	end := make(chan struct{})
	url, _ := server(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n > 1 {
			<-end
			return
		}
		cut(w, r, 1000)
	})
	defer close(end)
	ctx, cancel := context.WithCancel(context.Background())
	f, err := Open(ctx, url, quick)
	require.NoError(t, err)
	defer f.Close()
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = f.ReadAt(make([]byte, 5000), 0)
	assert.True(t, errors.Is(err, context.Canceled), err)
}
