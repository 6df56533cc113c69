package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/fnv"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/step"
)

// outcome is everything that a sequence made: tokens, a hash of each position's logits, and each position's K and V of
// every layer, as bytes.
type outcome struct {
	ids    []int32
	logits []uint64
	kv     [][]byte
}

// watch runs prompts, one after another or starting one every few steps, and returns each one's outcome.
func watch(t *testing.T, o Options, prompts [][]int32, tokens int, together bool) []outcome {
	e := openModel(t, "tiny-tales", o)
	slots := map[uint64][]int32{} // sequence → slot of each position
	steps, streams := 0, []*Stream{}
	out := make([]outcome, len(prompts))
	started := make(chan int, len(prompts))
	e.trace = func(s *step.Step) {
		for _, row := range s.Rows {
			slots[row.Sequence] = append(slots[row.Sequence], s.Groups[0].Slots[row.First:row.First+row.Count]...)
		}
		if steps++; steps%2 == 0 {
			select {
			case started <- steps:
			default:
			}
		}
	}
	for i, prompt := range prompts {
		switch {
		case i > 0 && together:
			<-started
		case i > 0:
			require.NoError(t, streams[i-1].Result().Err)
		}
		streams = append(streams, submit(t, e, Request{Prompt: prompt, MaxTokens: tokens, IgnoreEnd: true, Logits: func(p int, logits []float32) {
			h := fnv.New64a()
			var word [4]byte
			for _, x := range logits {
				binary.LittleEndian.PutUint32(word[:], math.Float32bits(x))
				h.Write(word[:])
			}
			out[i].logits = append(out[i].logits, h.Sum64())
			if p == len(prompt)+tokens-2 {
				out[i].kv = readKV(t, e, slots[uint64(i+1)])
			}
		}}))
	}
	for i, s := range streams {
		r := s.Result()
		require.NoError(t, r.Err)
		out[i].ids = r.IDs
	}
	require.NoError(t, e.Close())
	return out
}

// readKV reads the K and V of slots in every layer. It runs in the step loop, before a sequence that ends gives its
// blocks back, and with no other step in flight.
func readKV(t *testing.T, e *Engine, slots []int32) [][]byte {
	layout, size := e.plan.KVLayouts(e.options.BlockSize, e.machine.options.KVType)[0], e.options.BlockSize
	row := 4 * layout.RowWords()
	out := make([][]byte, len(slots))
	for _, cache := range e.machine.Caches() {
		data := make([]byte, cache.Size())
		require.NoError(t, cache.Read(context.Background(), 0, data))
		for p, slot := range slots {
			for head := range layout.KVHeads {
				at := ((int(slot)/size*layout.KVHeads+head)*size + int(slot)%size) * row
				out[p] = append(out[p], data[at:at+row]...)
			}
		}
	}
	return out
}

// K, V and logits must not depend on what else runs, nor on where chunks end.
func TestDeterministic(t *testing.T) {
	tokens, prompts := 20, testPrompts(8)
	if runsFew() {
		tokens = 6
	}
	options := func(budget int) Options {
		return Options{Deterministic: true, Context: 256, TokenBudget: budget, LongPrompt: -1, MaxSeqs: 8}
	}
	alone := watch(t, options(64), prompts, tokens, false)
	for _, out := range alone {
		require.Len(t, out.ids, tokens)
	}
	for name, together := range map[string][]outcome{
		"batch of 8, chunks of 64":  watch(t, options(64), prompts, tokens, true),
		"batch of 8, chunks of 7":   watch(t, options(7), prompts, tokens, true),
		"batch of 8, chunks of 512": watch(t, options(512), prompts, tokens, true),
	} {
		for i := range prompts {
			assert.Equal(t, alone[i].ids, together[i].ids, "%s: tokens of prompt %d", name, i)
			assert.Equal(t, alone[i].logits, together[i].logits, "%s: logits of prompt %d", name, i)
			require.Len(t, together[i].kv, len(prompts[i])+tokens-1)
			for p := range alone[i].kv {
				if !assert.True(t, bytes.Equal(alone[i].kv[p], together[i].kv[p]), "%s: K and V of prompt %d at position %d", name, i, p) {
					break
				}
			}
		}
	}
}
