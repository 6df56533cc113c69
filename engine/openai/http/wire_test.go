package http

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/openai"
)

// What a client may write that no library for clients would.
func TestOnTheWire(t *testing.T) {
	o := Options{Hosts: Loopback, MaxBody: 100, Keys: secrets(t, "ann", "secret-of-ann"), Metrics: NewMetrics(func() []Load { return nil }), Page: fstest.MapFS{"index.html": {}, "a.js": {}}}
	s := serve(t, echo, o)
	const head = "\r\nHost: localhost\r\nAuthorization: Bearer secret-of-ann\r\n"
	const chunked = head + "Transfer-Encoding: chunked\r\n"
	for _, tt := range []struct {
		name, request string
		status        []int
		says          string // of the last answer
	}{
		{"requests one behind the other", "POST /v1/x HTTP/1.1" + head + "Content-Length: 2\r\n\r\n{}GET /health HTTP/1.1" + head + "\r\nPOST /v1/y HTTP/1.1" + head + "Content-Length: 1\r\n\r\n5", []int{200, 200, 200}, "/v1/y ann 5"},
		{"behind one that is refused", "POST /v1/../x HTTP/1.1" + head + "Content-Length: 2\r\n\r\n{}GET /v1/y HTTP/1.1" + head + "\r\n", []int{404, 200}, "/v1/y"},
		{"chunks", "POST /v1/x HTTP/1.1" + chunked + "\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", []int{200}, "ann {}"},
		{"trailers", "POST /v1/x HTTP/1.1" + chunked + "Trailer: X-A\r\n\r\n2\r\n{}\r\n0\r\nX-A: b\r\n\r\nGET /v1/y HTTP/1.1" + head + "\r\n", []int{200, 200}, "/v1/y"},
		{"a key in a trailer", "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: Bearer secret-of-ann\r\n\r\n", []int{401}, "missing_api_key"},
		{"chunks that are too much", "POST /v1/x HTTP/1.1" + chunked + "\r\n65\r\n" + strings.Repeat("x", 101) + "\r\n0\r\n\r\n", []int{413}, "request_too_large"},
		{"no chunks", "POST /v1/x HTTP/1.1" + chunked + "\r\nzz\r\n", []int{400}, "incomplete_body"},
		{"a body that is asked for", "POST /v1/x HTTP/1.1" + head + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", []int{100, 200}, "ann {}"},
		{"a body that is not wanted", "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", []int{401}, "missing_api_key"},
		{"a body that is too large to be asked for", "POST /v1/x HTTP/1.1" + head + "Expect: 100-continue\r\nContent-Length: 101\r\n\r\n", []int{413}, "request_too_large"},
		{"what cannot be expected", "POST /v1/x HTTP/1.1" + head + "Expect: wonders\r\nContent-Length: 2\r\n\r\n{}", []int{417}, ""},
		{"no encoding", "POST /v1/x HTTP/1.1" + head + "Content-Encoding: Identity\r\nContent-Length: 2\r\n\r\n{}", []int{200}, "ann {}"},
		{"two encodings", "POST /v1/x HTTP/1.1" + head + "Content-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", []int{415}, "unsupported_encoding"},
		{"two lengths", "POST /v1/x HTTP/1.1" + head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", []int{400}, ""},
		{"two hosts", "GET /v1/x HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", []int{400}, ""},
		{"two origins", "GET /v1/x HTTP/1.1" + head + "Origin: http://localhost\r\nOrigin: https://evil.example\r\n\r\n", []int{403}, "origin_not_allowed"},
		{"another host before the path", "GET http://evil.example/v1/x HTTP/1.1" + head + "\r\n", []int{403}, "host_not_allowed"},
		{"a body with GET", "GET /v1/x HTTP/1.1" + head + "Content-Length: 2\r\n\r\n{}", []int{200}, "GET /v1/x ann {}"},
		{"a file that is written", "PUT /a.js HTTP/1.1" + head + "Content-Length: 2\r\n\r\n{}", []int{405}, "Only GET is allowed"},
		{"the page's options", "OPTIONS / HTTP/1.1" + head + "\r\n", []int{405}, "Only GET is allowed"},
		{"metrics that are written", "POST /metrics HTTP/1.1" + head + "Content-Length: 2\r\n\r\n{}", []int{405}, "Only GET is allowed"},
		{"HTTP/2 without TLS", "GET /v1/x HTTP/1.1" + head + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", []int{200}, "/v1/x"},
		{"another protocol", "GET /v1/x HTTP/1.1" + head + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", []int{200}, "/v1/x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("tcp", s.Listener.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
			_, err = io.WriteString(c, tt.request)
			require.NoError(t, err)
			from := bufio.NewReader(c)
			var body []byte
			for _, status := range tt.status {
				a, err := http.ReadResponse(from, nil)
				require.NoError(t, err)
				require.Equal(t, status, a.StatusCode)
				body, err = io.ReadAll(a.Body)
				require.NoError(t, err)
				if status == http.StatusMethodNotAllowed {
					assert.Equal(t, "GET, HEAD", a.Header.Get("Allow"))
				}
			}
			assert.Contains(t, string(body), tt.says)
		})
	}
}

// Over HTTP/2 a client that is slow or gone ends its own request, and no other of its connection.
func TestHTTP2(t *testing.T) { synctest.Test(t, testHTTP2) }

func testHTTP2(t *testing.T) {
	var reads, gone atomic.Bool
	slow, quiet := endless(&reads, 10_000), events(func(ctx context.Context, yield func([]byte) bool) {
		defer gone.Store(true)
		yield([]byte("data: 1\n\n"))
		<-ctx.Done()
	})
	client := overHTTP2(t, New(core(func(ctx context.Context, c openai.Call) *openai.Answer {
		switch c.Path {
		case "/v1/slow":
			return slow(ctx, c)
		case "/v1/quiet":
			return quiet(ctx, c)
		}
		return echo(ctx, c)
	}), Options{WriteTime: time.Second, BodyTime: time.Second, MaxBody: 100}))
	ask := func(ctx context.Context, path string, body io.Reader) *http.Response {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://example.com"+path, body)
		require.NoError(t, err)
		a, err := client.Do(r)
		require.NoError(t, err)
		require.Equal(t, 2, a.ProtoMajor)
		return a
	}
	ask(t.Context(), "/v1/slow", nil) // which nobody reads
	ctx, cancel := context.WithCancel(t.Context())
	ask(ctx, "/v1/quiet", nil)
	cancel()
	begun, write := io.Pipe()
	go fmt.Fprint(write, "{") // and no more
	assert.Equal(t, 408, ask(t.Context(), "/v1/x", begun).StatusCode)
	assert.Equal(t, 413, ask(t.Context(), "/v1/x", strings.NewReader(strings.Repeat("x", 101))).StatusCode)
	soon(t, reads.Load, "a client that reads nothing holds its request")
	soon(t, gone.Load, "a client that is gone holds its request")
	assert.Equal(t, 200, ask(t.Context(), "/v1/x", strings.NewReader("{}")).StatusCode)
}
