package remote

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/hub"
)

// pipes is a network in memory.
type pipes struct {
	accept chan net.Conn
	closed context.Context
	close  context.CancelFunc
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.close(); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.accept <- theirs:
		return ours, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	}
}

// timed runs a test of time, with a server in memory. Time goes on when nobody has anything to do, however busy the machine is.
func timed(t *testing.T, handle func(request int, w http.ResponseWriter, r *http.Request), test func(t *testing.T, url string, o Options, requests *atomic.Int32)) {
	t.Setenv("TMPDIR", t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{accept: make(chan net.Conn)}
		p.closed, p.close = context.WithCancel(t.Context())
		var requests atomic.Int32
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(int(requests.Add(1)), w, r) })}
		go s.Serve(p)
		defer s.Close()
		transport := &http.Transport{DialContext: p.dial}
		defer transport.CloseIdleConnections()
		o := quick
		o.Client = &http.Client{Transport: transport}
		test(t, "http://in.memory/file", o, &requests)
	})
}

func TestSilentServers(t *testing.T) {
	silent := func(r *http.Request) { <-r.Context().Done() }
	for name, c := range map[string]struct {
		handle   func(n int, w http.ResponseWriter, r *http.Request)
		requests int
		after    time.Duration
	}{
		"before it answers": {func(_ int, w http.ResponseWriter, r *http.Request) { silent(r) }, 1, 30 * time.Second},
		"in a file without a length": {func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Write(content[:1000])
			w.(http.Flusher).Flush()
			silent(r)
		}, 1, 30 * time.Second},
		"in a file with a length": {func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content[:1000])
			w.(http.Flusher).Flush()
			silent(r)
		}, 1, 30 * time.Second},
		"in a part": {func(_ int, w http.ResponseWriter, r *http.Request) {
			begin(w, r, max(0, 1000-first(r)))
			silent(r)
		}, 2, 60*time.Second + quick.Wait},
	} {
		t.Run(name, func(t *testing.T) {
			timed(t, c.handle, func(t *testing.T, url string, o Options, requests *atomic.Int32) {
				start := time.Now()
				_, err := readAll(url, o)
				refused(t, err, hub.Silent, "nothing for 30s")
				assert.EqualValues(t, c.requests, requests.Load())
				assert.Equal(t, c.after, time.Since(start))
			})
		})
	}
}

func TestASilentServerIsAskedAgain(t *testing.T) {
	timed(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 2 {
			begin(w, r, 10)
			<-r.Context().Done()
			return
		}
		cut(w, r, 1<<20)
	}, func(t *testing.T, url string, o Options, _ *atomic.Int32) {
		f, err := Open(t.Context(), url, o)
		require.NoError(t, err)
		defer f.Close()
		whole(t, f)
	})
}

func TestBusyServersAreWaitedFor(t *testing.T) {
	timed(t, func(n int, w http.ResponseWriter, r *http.Request) {
		switch n {
		case 1:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.Header().Set("Retry-After", time.Now().Add(2*time.Second).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			ranges(n, w, r)
		}
	}, func(t *testing.T, url string, o Options, requests *atomic.Int32) {
		var told []string
		o.Waiting = func(reason string, wait time.Duration) { told = append(told, fmt.Sprint(reason, " ", wait)) }
		start := time.Now()
		_, err := readAll(url, o)
		require.NoError(t, err)
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.EqualValues(t, 3, requests.Load())
		assert.Equal(t, []string{"the server is busy (HTTP 429 Too Many Requests) 1s", "the server is busy (HTTP 503 Service Unavailable) 2s"}, told)
	})

	// The wait can be broken off.
	url, _ := server(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	ctx, cancel := context.WithCancel(context.Background())
	o := quick
	o.Waiting = func(string, time.Duration) { cancel() }
	_, err := Open(ctx, url, o)
	assert.ErrorIs(t, err, context.Canceled)
}
