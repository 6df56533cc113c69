package http

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/openai"
)

// core is a Core that does what a test says.
type core func(ctx context.Context, c openai.Call) *openai.Answer

func (f core) Handle(ctx context.Context, c openai.Call) *openai.Answer { return f(ctx, c) }

// echo answers with what it was asked.
var echo = core(func(_ context.Context, c openai.Call) *openai.Answer {
	return &openai.Answer{Status: 200, Header: [][2]string{{"Content-Type", "text/plain"}}, Body: fmt.Appendf(nil, "%s %s %s %s", c.Method, c.Path, c.Tenant, c.Body)}
})

// events answers with a stream.
func events(next func(ctx context.Context, yield func([]byte) bool)) core {
	return func(ctx context.Context, _ openai.Call) *openai.Answer {
		return &openai.Answer{Status: 200, Header: [][2]string{{"Content-Type", "text/event-stream"}}, Events: func(yield func([]byte) bool) { next(ctx, yield) }}
	}
}

// endless gives events until nobody wants them, and then says so.
func endless(ended *atomic.Bool, size int) core {
	return events(func(ctx context.Context, yield func([]byte) bool) {
		defer ended.Store(true)
		for ctx.Err() == nil && yield([]byte("data: "+strings.Repeat("x", size)+"\n\n")) {
		}
	})
}

func serve(t *testing.T, c Core, o Options) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(New(c, o))
	t.Cleanup(s.Close)
	return s
}

func secrets(t *testing.T, pairs ...string) *Keys {
	k := &Keys{}
	for i := 0; i < len(pairs); i += 2 {
		require.NoError(t, k.Add(pairs[i], pairs[i+1]))
	}
	return k
}

func TestWhoMayCall(t *testing.T) {
	page := fstest.MapFS{"index.html": {Data: []byte("<!doctype html>the page")}, "gpu/gpu.js": {Data: []byte("script")}}
	keys := secrets(t, "ann", "secret-of-ann", "bob", "secret-of-bob")
	base := Options{Hosts: Loopback, Origins: []string{"https://example.org"}, MaxBody: 100, Page: page}
	closed := base
	closed.Keys = keys
	tests := []struct {
		name    string
		options Options
		method  string
		path    string
		header  map[string]string
		body    string
		status  int
		says    string
	}{
		{"plain", base, "POST", "/v1/chat/completions", nil, "{}", 200, "POST /v1/chat/completions  {}"},
		{"localhost", base, "GET", "/v1/models", map[string]string{"Host": "localhost:99"}, "", 200, ""},
		{"a name below localhost", base, "GET", "/v1/models", map[string]string{"Host": "quire.localhost"}, "", 200, ""},
		{"IPv6", base, "GET", "/v1/models", map[string]string{"Host": "[::1]:80"}, "", 200, ""},
		{"IPv6 in full", base, "GET", "/v1/models", map[string]string{"Host": "[0:0:0:0:0:0:0:1]:80"}, "", 200, ""},
		{"IPv4 in IPv6", base, "GET", "/v1/models", map[string]string{"Host": "[::ffff:127.0.0.1]"}, "", 200, ""},
		{"another address of IPv6", base, "GET", "/v1/models", map[string]string{"Host": "[::2]:80"}, "", 403, "host_not_allowed"},
		{"a dot at the end", base, "GET", "/v1/models", map[string]string{"Host": "LocalHost.:80"}, "", 200, ""},
		{"another loopback address", base, "GET", "/v1/models", map[string]string{"Host": "127.8.9.1"}, "", 200, ""},
		{"wrong host", base, "GET", "/v1/models", map[string]string{"Host": "evil.example"}, "", 403, "evil.example"},
		{"a host that begins right", base, "GET", "/", map[string]string{"Host": "localhost.evil.example"}, "", 403, "host_not_allowed"},
		{"a host that ends right", base, "GET", "/", map[string]string{"Host": "evillocalhost"}, "", 403, "host_not_allowed"},
		{"an address elsewhere", base, "GET", "/", map[string]string{"Host": "192.0.2.1"}, "", 403, "host_not_allowed"},
		{"wrong host of the page", base, "GET", "/index.html", map[string]string{"Host": "evil.example"}, "", 403, "host_not_allowed"},
		{"any host", Options{}, "GET", "/v1/models", map[string]string{"Host": "evil.example"}, "", 200, ""},
		{"foreign origin", base, "POST", "/v1/chat/completions", map[string]string{"Origin": "https://evil.example"}, "{}", 403, "origin_not_allowed"},
		{"foreign preflight", base, "OPTIONS", "/v1/chat/completions", map[string]string{"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}, "", 403, "origin_not_allowed"},
		{"an origin that is none", base, "POST", "/v1/chat/completions", map[string]string{"Origin": "null"}, "{}", 403, "origin_not_allowed"},
		{"an origin of another scheme", base, "POST", "/v1/chat/completions", map[string]string{"Origin": "http://example.org"}, "{}", 403, "origin_not_allowed"},
		{"listed origin", base, "POST", "/v1/chat/completions", map[string]string{"Origin": "https://example.org"}, "{}", 200, ""},
		{"preflight", base, "OPTIONS", "/v1/chat/completions", map[string]string{"Origin": "https://example.org", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}, "", 204, ""},
		{"all origins", Options{Origins: []string{"*"}}, "POST", "/v1/x", map[string]string{"Origin": "https://evil.example"}, "{}", 200, ""},
		{"options without a preflight", base, "OPTIONS", "/v1/models", nil, "", 200, "OPTIONS /v1/models"},
		{"no key", closed, "POST", "/v1/chat/completions", nil, "{}", 401, "missing_api_key"},
		{"wrong key", closed, "POST", "/v1/chat/completions", map[string]string{"Authorization": "Bearer secret-of-eve"}, "{}", 401, "invalid_api_key"},
		{"a part of a key", closed, "GET", "/v1/models", map[string]string{"Authorization": "Bearer secret-of-an"}, "", 401, "invalid_api_key"},
		{"basic", closed, "GET", "/v1/models", map[string]string{"Authorization": "Basic secret-of-ann"}, "", 401, "missing_api_key"},
		{"key", closed, "POST", "/v1/x", map[string]string{"Authorization": "Bearer secret-of-bob"}, "{}", 200, "POST /v1/x bob {}"},
		{"key in another header", closed, "POST", "/v1/x", map[string]string{"X-Api-Key": "secret-of-ann"}, "{}", 200, "POST /v1/x ann {}"},
		{"page without a key", closed, "GET", "/", nil, "", 200, "the page"},
		{"health without a key", closed, "GET", "/health", nil, "", 200, "GET /health"},
		{"page", base, "GET", "/gpu/gpu.js", nil, "", 200, "script"},
		{"a folder of the page", base, "GET", "/gpu", nil, "", 200, "GET /gpu"},
		{"no page", Options{}, "GET", "/", nil, "", 200, "Quire is running"},
		{"up", base, "GET", "/gpu/../../etc/passwd", nil, "", 404, "unknown_url"},
		{"up, escaped", base, "GET", "/gpu/%2e%2e/%2e%2e/etc/passwd", nil, "", 404, "unknown_url"},
		{"up, with backslashes", base, "GET", "/gpu/..%5C..%5Cetc", nil, "", 404, "unknown_url"},
		{"two slashes", base, "GET", "//v1/models", nil, "", 404, "unknown_url"},
		{"a dot", base, "GET", "/v1/./models", nil, "", 404, "unknown_url"},
		{"zero", base, "GET", "/v1/%00", nil, "", 404, "unknown_url"},
		{"an escaped slash", base, "GET", "/v1/models/owner%2Frepo", nil, "", 200, "/v1/models/owner/repo"},
		{"large", base, "POST", "/v1/x", nil, strings.Repeat("x", 101), 413, "request_too_large"},
		{"just not large", base, "POST", "/v1/x", nil, strings.Repeat("x", 100), 200, "xxx"},
		{"compressed", base, "POST", "/v1/x", map[string]string{"Content-Encoding": "gzip"}, "{}", 415, "unsupported_encoding"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, echo, tt.options)
			r, err := http.NewRequest(tt.method, s.URL+tt.path, strings.NewReader(tt.body))
			require.NoError(t, err)
			for name, value := range tt.header {
				if r.Header.Set(name, value); name == "Host" {
					r.Host = value
				}
			}
			a, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			body, err := io.ReadAll(a.Body)
			require.NoError(t, err)
			assert.Equal(t, tt.status, a.StatusCode, string(body))
			assert.Contains(t, string(body), tt.says)
			assert.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
			if origin := tt.header["Origin"]; tt.status < 300 && origin != "" {
				assert.Equal(t, origin, a.Header.Get("Access-Control-Allow-Origin"))
			} else {
				assert.Empty(t, a.Header.Get("Access-Control-Allow-Origin"))
			}
		})
	}
}

// A body whose length is not told is cut where it is too large.
func TestLargeBodyInChunks(t *testing.T) {
	s := serve(t, echo, Options{MaxBody: 100})
	a, err := http.Post(s.URL+"/v1/x", "", struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 500))})
	require.NoError(t, err)
	assert.Equal(t, 413, a.StatusCode)
}

func TestSlowWriter(t *testing.T) {
	s := serve(t, echo, Options{BodyTime: 100 * time.Millisecond})
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	fmt.Fprint(c, "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
	a, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	assert.Equal(t, 408, a.StatusCode)
	assert.True(t, a.Close)
}

// piped is a listener of connections in memory.
type piped chan net.Conn

func (p piped) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p piped) Close() error { close(p); return nil }

func (p piped) Addr() net.Addr { return &net.TCPAddr{} }

// Who is refused hears so at once, and holds its connection no longer than a body may take.
func TestRefusedBeforeTheBody(t *testing.T) {
	o := Options{BodyTime: time.Second, Hosts: Loopback, Keys: secrets(t, "ann", "secret-of-ann"), Page: fstest.MapFS{"index.html": {}}}
	for _, tt := range []struct {
		begin  string
		status int
	}{
		{"POST /v1/x HTTP/1.1\r\nHost: localhost", 401},
		{"POST /v1/x HTTP/1.1\r\nHost: evil.example", 403},
		{"POST /v1/../x HTTP/1.1\r\nHost: localhost", 404},
		{"GET / HTTP/1.1\r\nHost: localhost", 200},
		{"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret-of-ann\r\nContent-Encoding: gzip", 415},
	} {
		for _, length := range []string{"Content-Length: 1000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{"} {
			t.Run(tt.begin+length, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { // where time goes on when nobody has anything to do
					s := &http.Server{Handler: New(echo, o)}
					defer s.Close()
					listener := make(piped)
					go s.Serve(listener)
					c, theirs := net.Pipe()
					defer c.Close()
					listener <- theirs
					start := time.Now()
					fmt.Fprint(c, tt.begin+"\r\n"+length)
					from := bufio.NewReader(c)
					a, err := http.ReadResponse(from, nil)
					require.NoError(t, err)
					assert.Equal(t, tt.status, a.StatusCode)
					assert.Less(t, time.Since(start), o.BodyTime)
					_, err = io.ReadAll(a.Body)
					require.NoError(t, err)
					_, err = from.ReadByte()
					assert.ErrorIs(t, err, io.EOF)
					assert.LessOrEqual(t, time.Since(start), o.BodyTime+passedTime)
				})
			})
		}
	}

	// Whose body comes may go on with the same connection.
	s := serve(t, echo, o)
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	from := bufio.NewReader(c)
	for range 2 {
		fmt.Fprint(c, "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
		a, err := http.ReadResponse(from, nil)
		require.NoError(t, err)
		assert.Equal(t, 401, a.StatusCode)
		_, err = io.ReadAll(a.Body)
		require.NoError(t, err)
		time.Sleep(10 * time.Millisecond)
	}
}

// Answers that nobody reads, to requests one after another, end their connection.
func TestAnswersThatNobodyReads(t *testing.T) {
	s := serve(t, echo, Options{WriteTime: 100 * time.Millisecond, Hosts: Loopback})
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	many := bytes.Repeat([]byte("GET /v1/x HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 1000)
	for err == nil {
		_, err = c.Write(many)
	}
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestBodyThatEndsEarly(t *testing.T) {
	s := serve(t, echo, Options{})
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	fmt.Fprint(c, "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
	require.NoError(t, c.(*net.TCPConn).CloseWrite())
	a, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	assert.Equal(t, 400, a.StatusCode)
}

// soon waits until something holds.
func soon(t *testing.T, what func() bool, says string) {
	t.Helper()
	require.Eventually(t, what, time.Minute, 5*time.Millisecond, says)
}

func TestStream(t *testing.T) {
	s := serve(t, events(func(_ context.Context, yield func([]byte) bool) {
		for i := range 100 {
			if !yield(fmt.Appendf(nil, "data: %d\n\n", i)) {
				return
			}
		}
	}), Options{})
	a, err := http.Post(s.URL+"/v1/x", "", nil)
	require.NoError(t, err)
	body, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	assert.Equal(t, "text/event-stream", a.Header.Get("Content-Type"))
	assert.Equal(t, "no", a.Header.Get("X-Accel-Buffering"))
	assert.Equal(t, 100, bytes.Count(body, []byte("\n\n")))
	assert.True(t, bytes.HasSuffix(body, []byte("data: 99\n\n")))
}

// Over HTTP/2 a stream may be silent for longer than a client may take to accept a piece of it.
func TestSilentStreamOverHTTP2(t *testing.T) {
	s := httptest.NewUnstartedServer(New(events(func(_ context.Context, yield func([]byte) bool) {
		yield([]byte("data: 1\n\n"))
		time.Sleep(1200 * time.Millisecond)
		yield([]byte("data: 2\n\n"))
	}), Options{WriteTime: time.Second}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	a, err := s.Client().Post(s.URL+"/v1/x", "", nil)
	require.NoError(t, err)
	assert.Equal(t, 2, a.ProtoMajor)
	body, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	assert.Equal(t, "data: 1\n\ndata: 2\n\n", string(body))
}

// A page that came without encryption is not the server's own where that has it.
func TestOriginOfAnotherScheme(t *testing.T) {
	s := httptest.NewTLSServer(New(echo, Options{}))
	t.Cleanup(s.Close)
	for origin, status := range map[string]int{s.URL: 200, strings.Replace(s.URL, "https:", "http:", 1): 403} {
		r, err := http.NewRequest(http.MethodPost, s.URL+"/v1/x", nil)
		require.NoError(t, err)
		r.Header.Set("Origin", origin)
		a, err := s.Client().Do(r)
		require.NoError(t, err)
		assert.Equal(t, status, a.StatusCode, origin)
	}
}

// An event goes out when it comes, not with the next.
func TestStreamDoesNotHoldBack(t *testing.T) {
	more := make(chan bool)
	s := serve(t, events(func(_ context.Context, yield func([]byte) bool) {
		yield([]byte("data: 1\n\n"))
		<-more
	}), Options{})
	a, err := http.Post(s.URL+"/v1/x", "", nil)
	require.NoError(t, err)
	line, err := bufio.NewReader(a.Body).ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "data: 1\n", line)
	close(more)
}

func TestSlowReaderEndsItsWork(t *testing.T) {
	var ended atomic.Bool
	s := serve(t, endless(&ended, 10_000), Options{WriteTime: 200 * time.Millisecond})
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	fmt.Fprint(c, "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
	soon(t, ended.Load, "a client that reads nothing holds its request")
}

func TestGoneClientEndsItsWork(t *testing.T) {
	var ended atomic.Bool
	began := make(chan bool)
	s := serve(t, events(func(ctx context.Context, yield func([]byte) bool) {
		defer ended.Store(true)
		yield([]byte("data: 1\n\n"))
		close(began)
		<-ctx.Done() // nothing comes
	}), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/x", strings.NewReader("{}"))
	require.NoError(t, err)
	_, err = http.DefaultClient.Do(r)
	require.NoError(t, err)
	<-began
	cancel()
	soon(t, ended.Load, "a client that is gone holds its request")
}

// A client that goes away before its answer begins ends the work too.
func TestGoneClientBeforeItsAnswer(t *testing.T) {
	var ended atomic.Bool
	began := make(chan bool)
	s := serve(t, core(func(ctx context.Context, _ openai.Call) *openai.Answer {
		close(began)
		<-ctx.Done()
		ended.Store(true)
		return &openai.Answer{Status: 499}
	}), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/x", strings.NewReader("{}"))
	require.NoError(t, err)
	_, err = http.DefaultClient.Do(r)
	require.Error(t, err)
	soon(t, ended.Load, "a client that is gone holds its request")
}

func TestKeepAlive(t *testing.T) {
	more := make(chan bool)
	s := serve(t, events(func(_ context.Context, yield func([]byte) bool) {
		<-more
		yield([]byte("data: 1\n\n"))
	}), Options{KeepAlive: 20 * time.Millisecond})
	a, err := http.Post(s.URL+"/v1/x", "", nil)
	require.NoError(t, err)
	first := make([]byte, len(": waiting\n\n"))
	_, err = io.ReadFull(a.Body, first)
	require.NoError(t, err)
	assert.Equal(t, ": waiting\n\n", string(first))
	close(more)
	rest, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(string(rest), "data: 1\n\n"), string(rest))
}

// What comes of a deadline is still told.
func TestAnswerTime(t *testing.T) {
	s := serve(t, events(func(ctx context.Context, yield func([]byte) bool) {
		<-ctx.Done()
		yield([]byte("data: too late\n\n"))
	}), Options{AnswerTime: 20 * time.Millisecond})
	a, err := http.Post(s.URL+"/v1/x", "", nil)
	require.NoError(t, err)
	body, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	assert.Equal(t, "data: too late\n\n", string(body))
}

func TestFailureInsideHurtsNobodyElse(t *testing.T) {
	var log bytes.Buffer
	h := New(core(func(ctx context.Context, c openai.Call) *openai.Answer {
		switch c.Path {
		case "/v1/broken":
			panic("broken")
		case "/v1/stream":
			return events(func(_ context.Context, yield func([]byte) bool) { yield([]byte("data: 1\n\n")); panic("broken") })(ctx, c)
		}
		return echo(ctx, c)
	}), Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	s := httptest.NewServer(h)
	for path, status := range map[string]int{"/v1/broken": 500, "/v1/stream": 200, "/v1/x": 200} {
		a, err := http.Post(s.URL+path, "", nil)
		require.NoError(t, err)
		_, err = io.ReadAll(a.Body)
		require.NoError(t, err)
		assert.Equal(t, status, a.StatusCode, path)
	}
	s.Close()
	assert.Equal(t, 2, strings.Count(log.String(), "error=broken"), log.String())
}

func TestRateLimit(t *testing.T) {
	s := serve(t, echo, Options{RequestsPerMinute: 2, Keys: secrets(t, "ann", "secret-of-ann", "bob", "secret-of-bob")})
	ask := func(key string) *http.Response {
		r, err := http.NewRequest(http.MethodPost, s.URL+"/v1/x", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+key)
		a, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		return a
	}
	a := ask("secret-of-ann")
	assert.Equal(t, 200, a.StatusCode)
	assert.Equal(t, "2", a.Header.Get("x-ratelimit-limit-requests"))
	assert.Equal(t, "1", a.Header.Get("x-ratelimit-remaining-requests"))
	reset, err := time.ParseDuration(a.Header.Get("x-ratelimit-reset-requests"))
	require.NoError(t, err)
	assert.InDelta(t, 30, reset.Seconds(), 1)
	assert.Equal(t, 200, ask("secret-of-ann").StatusCode)
	a = ask("secret-of-ann")
	assert.Equal(t, 429, a.StatusCode)
	assert.Contains(t, []string{"29", "30"}, a.Header.Get("Retry-After"))
	body, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), `"code":"rate_limit_exceeded"`)
	assert.Equal(t, 200, ask("secret-of-bob").StatusCode, "another key has its own")
	assert.Equal(t, 401, ask("secret-of-eve").StatusCode)
}

// Tokens are paid when they are known; what is owed is waited for.
func TestTokenLimit(t *testing.T) {
	l := newLimits(0, 600)
	now := time.Now()
	require.Nil(t, l.take(http.Header{}, "ann", now))
	l.spend("ann", 1500)
	header := http.Header{}
	require.NotNil(t, l.take(header, "ann", now))
	assert.Equal(t, "91", header.Get("Retry-After"), "900 are owed, and one is needed, of ten a second")
	assert.Equal(t, "0", header.Get("X-Ratelimit-Remaining-tokens"))
	assert.Nil(t, l.take(http.Header{}, "bob", now))
	assert.Nil(t, l.take(http.Header{}, "ann", now.Add(92*time.Second)))
}

func TestKeysFile(t *testing.T) {
	k := &Keys{}
	require.NoError(t, k.Read(strings.NewReader("# who may call\nann secret-of-ann\n\nsecret-of-nobody\n")))
	assert.Equal(t, 2, k.Len())
	name, ok := k.find("secret-of-nobody")
	assert.True(t, ok)
	assert.Equal(t, "line 4", name)
	for text, says := range map[string]string{
		"ann short":                            "at least 8",
		"ann secret of ann":                    "4 words",
		"ann secret-of-ann\nann secret-of-an":  `line 2: two keys have the name "ann"`,
		"ann secret-of-ann\nbob secret-of-ann": "line 2: a key comes twice",
		"ann sécret-of-ann":                    "ASCII",
	} {
		assert.ErrorContains(t, (&Keys{}).Read(strings.NewReader(text)), says)
	}
}

// Idle connections, however many, keep nobody from an answer.
func TestIdleConnections(t *testing.T) {
	s := serve(t, echo, Options{})
	var wait sync.WaitGroup
	idle := make(chan net.Conn, 2000)
	for range 20 {
		wait.Go(func() {
			for range 100 {
				c, err := net.Dial("tcp", s.Listener.Addr().String())
				if !assert.NoError(t, err) {
					return
				}
				idle <- c
			}
		})
	}
	wait.Wait()
	close(idle)
	start := time.Now()
	a, err := http.Post(s.URL+"/v1/x", "", strings.NewReader("{}"))
	require.NoError(t, err)
	assert.Equal(t, 200, a.StatusCode)
	assert.Less(t, time.Since(start), time.Minute)
	for c := range idle {
		c.Close()
	}
}

func TestShutdownLetsStreamsFinish(t *testing.T) {
	began, end := make(chan bool), make(chan bool)
	s := httptest.NewServer(New(events(func(_ context.Context, yield func([]byte) bool) {
		yield([]byte("data: 1\n\n"))
		close(began)
		<-end
		yield([]byte("data: 2\n\n"))
	}), Options{}))
	a, err := http.Post(s.URL+"/v1/x", "", nil)
	require.NoError(t, err)
	<-began
	down := make(chan error, 1)
	go func() { down <- s.Config.Shutdown(context.Background()) }()
	soon(t, func() bool {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err == nil {
			c.Close()
		}
		return err != nil
	}, "it still listens")
	close(end)
	body, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	assert.Equal(t, "data: 1\n\ndata: 2\n\n", string(body))
	require.NoError(t, <-down)
}

func TestReady(t *testing.T) {
	var ready atomic.Bool
	s := serve(t, echo, Options{Ready: func() (bool, string) { return ready.Load(), "loading" }})
	for _, path := range []string{"/health", "/health/", "/v1/health"} {
		a, err := http.Get(s.URL + path)
		require.NoError(t, err)
		assert.Equal(t, 503, a.StatusCode, path)
	}
	ready.Store(true)
	a, err := http.Get(s.URL + "/health")
	require.NoError(t, err)
	assert.Equal(t, 200, a.StatusCode)
}

// The log has no prompts.
func TestLog(t *testing.T) {
	var log bytes.Buffer
	s := httptest.NewServer(New(echo, Options{Log: slog.New(slog.NewJSONHandler(&log, nil)), Keys: secrets(t, "ann", "secret-of-ann")}))
	r, err := http.NewRequest(http.MethodPost, s.URL+"/v1/x?private=1", strings.NewReader("private"))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer secret-of-ann")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	s.Close()
	assert.Regexp(t, `^req_\w{24}$`, answer.Header.Get("X-Request-Id"))
	assert.Len(t, answer.Header.Values("X-Request-Id"), 1)
	assert.Contains(t, log.String(), `"id":"`+answer.Header.Get("X-Request-Id")+`"`)
	assert.Contains(t, log.String(), `"path":"/v1/x"`)
	assert.Contains(t, log.String(), `"status":200`)
	assert.Contains(t, log.String(), `"key":"ann"`)
	assert.NotContains(t, log.String(), "private")
	assert.NotContains(t, log.String(), "secret")
}
