package http

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/openai"
)

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
	synctest.Test(t, func(t *testing.T) {
		client := overHTTP2(t, New(events(func(_ context.Context, yield func([]byte) bool) {
			yield([]byte("data: 1\n\n"))
			time.Sleep(1200 * time.Millisecond)
			yield([]byte("data: 2\n\n"))
		}), Options{WriteTime: time.Second}))
		a, err := client.Post("https://example.com/v1/x", "", nil)
		require.NoError(t, err)
		assert.Equal(t, 2, a.ProtoMajor)
		body, err := io.ReadAll(a.Body)
		require.NoError(t, err)
		assert.Equal(t, "data: 1\n\ndata: 2\n\n", string(body))
	})
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
