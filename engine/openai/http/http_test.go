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
type piped struct {
	conns chan net.Conn
	close func()
}

func newPiped() piped {
	conns := make(chan net.Conn)
	return piped{conns, sync.OnceFunc(func() { close(conns) })}
}

func (p piped) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p piped) Close() error { p.close(); return nil }

func (p piped) Addr() net.Addr { return &net.TCPAddr{} }

// overHTTP2 serves in memory, in a test of time, and gives a client that speaks HTTP/2.
func overHTTP2(t *testing.T, h http.Handler) *http.Client {
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	listener := newPiped()
	s.Listener, s.EnableHTTP2 = listener, true
	s.StartTLS()
	transport := s.Client().Transport.(*http.Transport)
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		listener.conns <- theirs
		return ours, nil
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		s.Close()
	})
	return s.Client()
}

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
					listener := newPiped()
					go s.Serve(listener)
					c, theirs := net.Pipe()
					defer c.Close()
					listener.conns <- theirs
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
