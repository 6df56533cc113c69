//go:build linux

package cli

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// loadTime is how long TestServeLoad runs: QUIRE_LOAD says, such as 10m.
func loadTime(t *testing.T) time.Duration {
	if text := os.Getenv("QUIRE_LOAD"); text != "" {
		d, err := time.ParseDuration(text)
		require.NoError(t, err)
		return d
	}
	if os.Getenv("QUIRE_ALL") == "" {
		t.Skip("64 streams at once: set QUIRE_ALL=1, or QUIRE_LOAD to a time")
	}
	return 30 * time.Second
}

// tally is what a tenant was given.
type tally struct{ streams, tokens, cut, failed atomic.Int64 }

// Many streams at once, of two tenants of which one has three times as many clients, and of clients that vanish: no error, a fair
// share for each tenant, and nothing that grows.
func TestServeLoad(t *testing.T) {
	length := loadTime(t)
	keys := file(t, "keys", []byte("ann secret-of-ann\nbob secret-of-bob\n"))
	// A quarter of the clients run at once, so that turns are what is shared.
	s := serve(t, "--api-keys", keys, "--open-metrics", "--log-level", "warn", "--max-seqs", "16").ready(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tallies := map[string]*tally{"ann": {}, "bob": {}}
	var clients sync.WaitGroup
	for i := range 64 {
		name := "ann"
		if i%4 == 0 {
			name = "bob"
		}
		clients.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for ctx.Err() == nil {
				s.ask(ctx, name, random, tallies[name])
			}
		})
	}
	warm := min(length/2, time.Minute)
	time.Sleep(warm)
	// Kernels that come late take memory once, on a busy machine later.
	require.Eventually(t, func() bool { return tallies["ann"].streams.Load()+tallies["bob"].streams.Load() >= 32 }, 5*time.Minute, 100*time.Millisecond)
	before := s.has(t)
	t.Logf("%+v", before)
	for range 9 {
		time.Sleep((length - warm) / 10)
		t.Logf("%+v", s.has(t))
	}
	last := s.has(t)
	cancel()
	clients.Wait()
	ann, bob := tallies["ann"], tallies["bob"]
	t.Logf("%v: ann %d streams, %d tokens, %d cut; bob %d streams, %d tokens, %d cut; %+v after %v, %+v at the end", length,
		ann.streams.Load(), ann.tokens.Load(), ann.cut.Load(), bob.streams.Load(), bob.tokens.Load(), bob.cut.Load(), before, warm, last)
	assert.Zero(t, ann.failed.Load()+bob.failed.Load(), "requests failed")
	assert.Positive(t, ann.cut.Load()+bob.cut.Load())
	share := float64(ann.tokens.Load()) / float64(max(1, bob.tokens.Load()))
	assert.True(t, share > 0.5 && share < 2, "ann had %.2f times as many tokens as bob", share)
	assert.Less(t, last.Outside, before.Outside+3<<10, "memory outside Go's heap grows")
	assert.Less(t, last.Live, before.Live+2<<10, "what Go's heap holds grows")
	assert.LessOrEqual(t, last.Goroutines, before.Goroutines+16)
	assert.LessOrEqual(t, last.Files, before.Files+8)
	assert.Eventually(t, func() bool {
		return s.metric(t, "vllm:num_requests_running") == "0" && s.metric(t, "vllm:num_requests_waiting") == "0" && s.metric(t, "vllm:kv_cache_usage_perc") == "0"
	}, time.Minute, 20*time.Millisecond, "blocks stay held")
	assert.NotContains(t, s.said(), "ERROR")
}

// ask reads one stream; one of five clients vanishes in its middle.
func (s *server) ask(ctx context.Context, name string, random *rand.Rand, n *tally) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body := fmt.Sprintf(`{"stream":true,"max_tokens":32,"ignore_eos":true,"seed":%d,"messages":[{"role":"user","content":"Tell me a story about %s."}]}`,
		random.IntN(1000), []string{"a fox", "a kite", "the sea", "a small dog that likes to run"}[random.IntN(4)])
	vanish := -1
	if random.IntN(5) == 0 {
		vanish = random.IntN(32)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", "Bearer secret-of-"+name)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		if ctx.Err() == nil {
			n.failed.Add(1)
		}
		return
	}
	defer a.Body.Close()
	lines := bufio.NewScanner(a.Body)
	events, done := 0, false
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data: {") {
			events++
			n.tokens.Add(1)
		}
		done = done || lines.Text() == "data: [DONE]"
		if strings.Contains(lines.Text(), `"error"`) {
			n.failed.Add(1)
		}
		if events == vanish {
			n.cut.Add(1)
			return
		}
	}
	switch {
	case done:
		n.streams.Add(1)
	case ctx.Err() == nil:
		n.failed.Add(1)
	}
}

// holding is what a server has: KiB of memory outside Go's heap, KiB that the last collection left in it, goroutines and open files.
type holding struct{ Outside, Live, Goroutines, Files int }

func (s *server) has(t *testing.T) (h holding) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.Process.Pid))
	require.NoError(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	require.NoError(t, err)
	_, text := s.get(t, "/metrics", "")
	value := func(name string) int {
		_, rest, found := strings.Cut(text, "\n"+name+" ")
		require.True(t, found, name)
		line, _, _ := strings.Cut(rest, "\n")
		number, err := strconv.ParseFloat(line, 64)
		require.NoError(t, err)
		return int(number)
	}
	heap := value("go_memstats_heap_inuse_bytes") + value("go_memstats_heap_idle_bytes") - value("go_memstats_heap_released_bytes")
	return holding{
		Outside: (pages*os.Getpagesize() - heap) >> 10, Live: value("go_memstats_next_gc_bytes") >> 11, // which is twice as much
		Goroutines: value("go_goroutines"), Files: value("process_open_fds"),
	}
}
