package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPercentiles(t *testing.T) {
	times := make([]time.Duration, 100)
	for i := range times {
		times[i] = time.Duration(100-i) * time.Millisecond
	}
	assert.Equal(t, Percentiles{50, 90, 99}, percentiles(times))
	assert.Equal(t, Percentiles{7, 7, 7}, percentiles([]time.Duration{7 * time.Millisecond}))
	assert.Equal(t, Percentiles{1, 2, 2}, percentiles([]time.Duration{2 * time.Millisecond, time.Millisecond}))
}

// inMemory is a listener of connections in memory.
type inMemory chan net.Conn

func (m inMemory) Accept() (net.Conn, error) {
	if c, ok := <-m; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (m inMemory) Close() error { close(m); return nil }

func (m inMemory) Addr() net.Addr { return &net.TCPAddr{} }

// serveInMemory has all connections of a test lead to a server in memory, so that time goes on when nobody has anything to do.
func serveInMemory(t *testing.T, handle http.HandlerFunc) {
	listener, server := make(inMemory), &http.Server{Handler: handle}
	go server.Serve(listener)
	usual := http.DefaultTransport
	http.DefaultTransport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		listener <- theirs
		return ours, nil
	}}
	t.Cleanup(func() {
		http.DefaultTransport = usual
		server.Close()
	})
}

// All clients ask at once, each as often as it should, for what the plan says.
func TestRun(t *testing.T) { synctest.Test(t, testRun) }

func testRun(t *testing.T) {
	const clients, gen = 5, 4
	var together sync.WaitGroup
	together.Add(clients)
	var asked atomic.Int32
	serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/v1/completions", r.URL.Path)
		assert.Equal(t, "Bearer secret", r.Header.Get("Authorization"))
		var body struct {
			Model     string `json:"model"`
			Prompt    []int  `json:"prompt"`
			MaxTokens int    `json:"max_tokens"`
		}
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&body))
		assert.Equal(t, "fox", body.Model)
		assert.Len(t, body.Prompt, 7)
		assert.Equal(t, gen, body.MaxTokens)
		if asked.Add(1) <= clients {
			together.Done()
			together.Wait()
		}
		fmt.Fprint(w, ": waiting\n\n")
		time.Sleep(20 * time.Millisecond)
		for range gen {
			fmt.Fprint(w, "data: {\"choices\":[{\"text\":\"a\"}],\"usage\":null,\"error\":null}\n\n")
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
		fmt.Fprintf(w, "data: {\"choices\":[],\"usage\":{\"completion_tokens\":%d}}\n\ndata: [DONE]\n\n", gen)
	})
	r, err := Run(t.Context(), Plan{URL: "http://in.memory/v1/", Key: "secret", Model: "fox", Prompt: 7, Gen: gen, Requests: 2}, clients)
	require.NoError(t, err)
	assert.Equal(t, &Result{
		Clients: clients, Requests: 2 * clients, Tokens: 2 * clients * gen,
		TokensPerSecond: 2 * clients * gen / 0.080, DecodePerSecond: clients / 0.005,
		First: Percentiles{20, 20, 20}, Each: Percentiles{5, 5, 5}, Whole: Percentiles{40, 40, 40},
	}, r)
}

func TestRunFails(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"refused": {404, `{"error":{"message":"There is no such model."}}`, "the server answers 404 Not Found: There is no such model."},
		"no API":  {500, "oh\n", "the server answers 500 Internal Server Error: oh"},
		"broken":  {200, "data: {\"error\":{\"message\":\"The GPU is gone.\"}}\n\n", "the server ends a stream: The GPU is gone."},
		"cut":     {200, "data: {\"choices\":[{\"text\":\"a\"}]}\n\n", "a stream ended before its end"},
		"uncounted": {200, "data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: [DONE]\n\n",
			"the server does not count tokens (stream_options.include_usage)"},
		"long":    {200, "data: " + strings.Repeat("a", 1<<20) + "\n\n", "the server sends an event of more than 1 MiB"},
		"no JSON": {200, "data: what\n\n", "the server sends an event that is not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			defer server.Close()
			_, err := Run(t.Context(), Plan{URL: server.URL, Prompt: 1, Gen: 1, Requests: 1}, 2)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// Where there is no server, or it goes away, that is said as people say it.
func TestRunWithoutAServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/begun/completions" {
			fmt.Fprint(w, "data: {\"choices\":[{\"text\":\"a\"}]}\n\n")
			w.(http.Flusher).Flush()
		}
		panic(http.ErrAbortHandler)
	}))
	_, err := Run(t.Context(), Plan{URL: server.URL, Prompt: 1, Gen: 1, Requests: 1}, 1)
	assert.EqualError(t, err, server.URL+": the server closed the connection without an answer")
	_, err = Run(t.Context(), Plan{URL: server.URL + "/begun", Prompt: 1, Gen: 1, Requests: 1}, 1)
	assert.EqualError(t, err, "a stream ended before its end")
	server.Close()
	_, err = Run(t.Context(), Plan{URL: server.URL, Prompt: 1, Gen: 1, Requests: 1}, 1)
	assert.EqualError(t, err, server.URL+": the server refuses connections: it does not run, or not at this port")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Run(ctx, Plan{URL: server.URL, Prompt: 1, Gen: 1, Requests: 1}, 1)
	assert.ErrorIs(t, err, context.Canceled)
}
