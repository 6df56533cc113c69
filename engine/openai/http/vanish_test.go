//go:build !js

package http_test

import (
	"context"
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

	other, err := e.Submit(context.Background(), engine.Request{Prompt: make([]int32, 20), MaxTokens: 400, IgnoreEnd: true})
	require.NoError(t, err)
	defer other.Cancel()
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/completions", strings.NewReader(`{"prompt":"Once upon a time","stream":true,"ignore_eos":true,"max_tokens":200,"n":4}`))
		require.NoError(t, err)
		a, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		_, err = a.Body.Read(make([]byte, 10))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return e.Stats().Running == 5 }, time.Minute, time.Millisecond)
		core.steps.Store(0)
		cancel()
		require.Eventually(t, func() bool { return core.steps.Load() > 0 }, time.Minute, time.Millisecond)
		require.Eventually(t, func() bool {
			running := e.Stats()
			if running.Running > 1 {
				// One step may have been under way, and one more begun before this was looked at.
				assert.LessOrEqual(t, running.Steps, core.steps.Load()+2, "the request goes on")
			}
			return running.Running <= 1
		}, time.Minute, time.Millisecond)
	}
	_, more := other.Next()
	assert.True(t, more, "the other goes on")
}
