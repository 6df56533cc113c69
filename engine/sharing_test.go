package engine

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/sample"
)

// Sequences on one prompt's beginning, whose attention reads it once for all, say what they say alone: with KV groups of which
// some have windows, packed rows, and under pressure, where they come and go. They are as many as gain by it: on large GPUs 32 query rows of a
// KV head, and there no more than two of a sequence.
func TestSharedPrefix(t *testing.T) {
	if runsFew() {
		t.Skip("attention's own tests run there")
	}
	llama := randomModel{arch: "llama", headDim: 16, rotary: 16, kvHeads: 2, ffn: 96, metadata: map[string]any{"context_length": uint32(512)}}
	windows := randomModel{arch: "gemma3", headDim: 16, rotary: 16, kvHeads: 2, ffn: 96, normed: true, after: true, metadata: map[string]any{
		"context_length": uint32(512), "attention.sliding_window": uint32(40), "attention.sliding_window_pattern": uint32(2), "rope.freq_base": float32(2e5)}}
	rows, pressed := 7, 24
	if gputest.Device(t).Info().Type == "discrete" {
		rows, pressed = 20, 42
	}
	for name, c := range map[string]struct {
		model  randomModel
		kv     string
		blocks int
	}{"f16": {llama, "f16", 0}, "q8 under pressure": {llama, "q8", pressed}, "windows": {windows, "f32", 0}} {
		t.Run(name, func(t *testing.T) {
			file := c.model.file(t)
			open := func(blocks int) *Engine {
				o := Options{KVType: c.kv, MaxSeqs: rows + 1, Context: 384}
				o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
				if blocks > 0 {
					roomy, err := Open(context.Background(), gpu.ReaderSource(file, file.Size()), o)
					require.NoError(t, err)
					o.KVMemory = kvMemory(roomy, blocks)
					require.NoError(t, roomy.Close())
				}
				e, err := Open(context.Background(), gpu.ReaderSource(file, file.Size()), o)
				require.NoError(t, err)
				t.Cleanup(func() { assert.NoError(t, e.Close()) })
				return e
			}
			e := open(c.blocks)
			var requests []Request
			for i := range rows {
				prompt := make([]int32, 290+i)
				for j := range prompt {
					prompt[j] = int32(3 + (j*j*5+j)%(randomVocabulary-3))
					if j >= 289 {
						prompt[j] = int32(3 + (i*7+j)%(randomVocabulary-3))
					}
				}
				requests = append(requests, Request{Prompt: prompt, MaxTokens: 12 + 2*i, IgnoreEnd: true, Sample: sample.Params{Logprobs: 1}})
			}
			var alone []Result
			for _, r := range requests {
				alone = append(alone, results(t, e, []Request{r})...)
			}
			require.Zero(t, e.machine.Stats().Shared)
			for begin := time.Now(); time.Since(begin) < time.Minute; { // the kernel compiles once sequences share
				before := e.machine.Stats().Shared
				for i, r := range results(t, e, requests) {
					require.Equal(t, alone[i].IDs, r.IDs)
					for n, token := range r.Tokens {
						assert.InDelta(t, alone[i].Tokens[n].Logprob, token.Logprob, 1e-3)
					}
				}
				if before > 0 {
					break
				}
			}
			assert.NotZero(t, e.machine.Stats().Shared)
			assert.Equal(t, c.blocks > 0, e.Stats().Preemptions > 0)
		})
	}
}
