//go:build !js

package http_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu"
	"quire/engine/openai"
	openaihttp "quire/engine/openai/http"
	"quire/engine/openai/local"
	"quire/tests/testdata"
)

// noted is a core that notes how many steps there have been when a client goes away.
type noted struct {
	*openai.API
	engine *engine.Engine
	steps  atomic.Uint64
}

func (n *noted) Handle(ctx context.Context, c openai.Call) *openai.Answer {
	context.AfterFunc(ctx, func() { n.steps.Store(n.engine.Stats().Steps) })
	return n.API.Handle(ctx, c)
}

// The blocks of a client that vanishes are free within a step, while others go on.
func TestVanishedClientFreesItsBlocks(t *testing.T) {
	f, size := testdata.Open(t, "models/tiny-tales.gguf")
	e, err := engine.Open(context.Background(), gpu.ReaderSource(f, size), engine.Options{GPU: gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}, Context: 512, Depth: 1})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	core := &noted{API: &openai.API{Models: local.Models{Engine: local.New(e, "", 0)}}, engine: e}
	s := httptest.NewServer(openaihttp.New(core, openaihttp.Options{}))
	t.Cleanup(s.Close)

	// The engine may make steps before the machine has let anybody tell it that the client is gone: of some rounds one is quick.
	const tokens, rounds = 480, 10
	late := uint64(math.MaxUint64)
	for range rounds {
		late = min(late, vanishes(t, e, core, s.URL, tokens))
		if late <= 2 { // one step may have been under way, and one more begun before this was looked at
			break
		}
	}
	assert.LessOrEqual(t, late, uint64(2), "the request goes on")
}

// vanishes has a client go away while another goes on, and gives the steps until its blocks were free.
func vanishes(t *testing.T, e *engine.Engine, core *noted, url string, tokens int) uint64 {
	other, err := e.Submit(context.Background(), engine.Request{Prompt: make([]int32, 20), MaxTokens: tokens, IgnoreEnd: true})
	require.NoError(t, err)
	defer func() {
		other.Cancel()
		require.Eventually(t, func() bool { return e.Stats().Running == 0 }, time.Minute, time.Millisecond)
	}()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	body := fmt.Sprintf(`{"prompt":"Once upon a time","stream":true,"ignore_eos":true,"max_tokens":%d,"n":4}`, tokens)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/completions", strings.NewReader(body))
	require.NoError(t, err)
	a, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	_, err = a.Body.Read(make([]byte, 10))
	require.NoError(t, err)
	begun := e.Stats().Steps
	require.Eventually(t, func() bool {
		now := e.Stats()
		return now.Running == 5 || now.Steps > begun+uint64(tokens)/2 // which is too late to see it
	}, time.Minute, time.Millisecond)
	core.steps.Store(0)
	cancel()
	require.Eventually(t, func() bool { return core.steps.Load() > 0 }, time.Minute, time.Millisecond)
	var steps uint64
	require.Eventually(t, func() bool {
		now := e.Stats()
		steps = now.Steps
		return now.Running <= 1
	}, time.Minute, time.Millisecond)
	require.Eventually(t, func() bool {
		now := e.Stats()
		return now.Steps > steps || now.Running == 0
	}, time.Minute, time.Millisecond)
	on := e.Stats().Steps > steps
	other.Cancel()
	assert.True(t, on || other.Result().Reason == engine.FinishLength, "the other goes on")
	return steps - min(steps, core.steps.Load())
}
