package engine

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/sample"
	"quire/engine/step"
)

// A device lost at any step changes nothing that a reader of the streams could see, and leaks no buffer.
func TestLostDevice(t *testing.T) {
	const tokens = 30
	losses := 20
	if runsFew() {
		losses = 2 // compiling everything again takes seconds on a software GPU
	}
	before := gpu.LiveBuffers()
	prompts := testPrompts(5)[2:]
	requests := make([]Request, len(prompts))
	for i, prompt := range prompts {
		p := sample.Defaults()
		p.Seed = uint64(i)
		if i == 0 {
			p = sample.Params{}
		}
		requests[i] = Request{Prompt: prompt, MaxTokens: tokens, IgnoreEnd: true, Sample: p}
	}
	options := Options{Deterministic: true, Depth: 3, Context: 256, MaxSeqs: 4, KVMemory: 4 << 20}
	run := func(e *Engine) [][]int32 {
		var streams []*Stream
		for _, r := range requests {
			streams = append(streams, submit(t, e, r))
		}
		var out [][]int32
		for _, s := range streams {
			r := s.Result()
			require.NoError(t, r.Err)
			require.Len(t, r.IDs, tokens)
			out = append(out, r.IDs)
		}
		return out
	}
	t.Run("losses", func(t *testing.T) {
		e := openModel(t, "tiny-tales", options)
		want := run(e)
		held := gpu.LiveBuffers()
		random := rand.New(rand.NewPCG(1, 2))
		lost := 0
		for lost < losses {
			countdown := 1 + random.IntN(20)
			e.trace = func(*step.Step) {
				if countdown--; countdown == 0 && lost < losses {
					lost++
					e.machine.device.Destroy()
					countdown = 1 + random.IntN(20)
				}
			}
			assert.Equal(t, want, run(e), "after %d losses", lost)
		}
		assert.Equal(t, losses, e.Stats().Recoveries)
		e.trace = nil
		assert.Equal(t, want, run(e))
		assert.Equal(t, held, gpu.LiveBuffers(), "buffers after %d losses", lost)
	})
	assert.Equal(t, before, gpu.LiveBuffers(), "buffers after Close")
}

// A device that cannot come back ends the requests and is not tried again until the next one.
func TestLostForGood(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Deterministic: true, Context: 128, MaxSeqs: 2, KVMemory: 1 << 20})
	r := Request{Prompt: []int32{10}, MaxTokens: 5, IgnoreEnd: true}
	want := submit(t, e, r).Result()
	require.NoError(t, want.Err)

	adapter := e.machine.gpu.Adapter
	e.machine.gpu.Adapter = "no such adapter"
	e.machine.device.Destroy()
	require.ErrorIs(t, submit(t, e, r).Result().Err, gpu.ErrNoAdapter)
	tried := e.Stats().Recoveries
	e.machine.gpu.Adapter = adapter
	assert.Equal(t, want.IDs, submit(t, e, r).Result().IDs)
	assert.Equal(t, tried+1, e.Stats().Recoveries)
}

// What a possible stop text holds back comes out when the request is cancelled.
func TestCancelledText(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Context: 512, MaxSeqs: 2, KVMemory: 4 << 20})
	whole := submit(t, e, Request{Prompt: []int32{10}, MaxTokens: 40}).Result()
	var s *Stream
	after(e, 10, func() { s.Cancel() })
	require.NoError(t, e.loop.Call(func() { s = submit(t, e, Request{Prompt: []int32{10}, Stop: []string{whole.Text + "never"}}) }))
	r := s.Result()
	assert.Equal(t, FinishCancelled, r.Reason)
	assert.GreaterOrEqual(t, len(r.IDs), 5)
	assert.NotEmpty(t, r.Text)
}
