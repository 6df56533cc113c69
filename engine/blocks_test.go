package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A snapshot agrees with the counters, shows what samples share, and who holds what.
func TestBlocks(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Context: 64, BlockSize: 4, MaxSeqs: 8})
	var s Snapshot
	require.NoError(t, e.Blocks(&s))
	require.Len(t, s.Blocks, e.Info().Blocks)
	assert.Equal(t, BlockState{Owner: -1}, s.Blocks[0])
	assert.Empty(t, s.Sequences)

	r := Request{Prompt: testPrompts(4)[1], MaxTokens: 30, IgnoreEnd: true, N: 3}
	r.Sample.Temperature = 1
	after(e, 6, func() { e.snapshot(&s) })
	stream := submit(t, e, r)
	require.NoError(t, stream.Result().Err)
	require.Len(t, s.Sequences, 3)
	for i, h := range s.Sequences {
		assert.Equal(t, Holder{h.Sequence, stream.ID(), i, h.Blocks}, h)
		assert.Positive(t, h.Blocks)
	}
	owned := map[int32]int{}
	shared := 0
	for _, b := range s.Blocks {
		assert.Equal(t, b.References > 0, b.Owner >= 0, "%+v", b)
		if b.References > 1 {
			shared++
			assert.EqualValues(t, 3, b.References)
			assert.EqualValues(t, 0, b.Owner, "the first sequence's")
		}
		owned[b.Owner]++
	}
	assert.Equal(t, 4, shared, "the prompt's whole blocks")
	assert.Equal(t, shared, s.Shared)
	assert.NotZero(t, owned[1])
	assert.NotZero(t, owned[2])

	require.NoError(t, e.Blocks(&s))
	cached := 0
	for _, b := range s.Blocks {
		assert.Zero(t, b.References)
		if b.Cached {
			cached++
		}
	}
	assert.Positive(t, cached)
	assert.Empty(t, s.Sequences)
}

// A sequence that waits for its turn holds no blocks, and says so.
func TestBlocksOfWaiting(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Context: 64, MaxSeqs: 1})
	r := Request{Prompt: testPrompts(4)[1], MaxTokens: 40, IgnoreEnd: true}
	var s Snapshot
	after(e, 3, func() { e.snapshot(&s) })
	streams := submitAll(t, e, []Request{r, r})
	first, second := streams[0], streams[1]
	for _, stream := range streams {
		require.NoError(t, stream.Result().Err)
	}
	require.Len(t, s.Sequences, 2)
	assert.Equal(t, first.ID(), s.Sequences[0].Stream)
	assert.Positive(t, s.Sequences[0].Blocks)
	assert.Equal(t, second.ID(), s.Sequences[1].Stream)
	assert.Zero(t, s.Sequences[1].Blocks)
}

// The blocks that a request held are told however it ends.
func TestBlocksHeld(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Context: 512, BlockSize: 4, MaxSeqs: 1})
	var running, waiting *Stream
	after(e, 10, func() {
		waiting = submit(t, e, Request{Prompt: []int32{6}, MaxTokens: 1})
		waiting.Cancel()
		running.Cancel()
	})
	require.NoError(t, e.loop.Call(func() { running = submit(t, e, Request{Prompt: testPrompts(2)[1], IgnoreEnd: true}) }))
	r := running.Result()
	assert.Equal(t, FinishCancelled, r.Reason)
	assert.GreaterOrEqual(t, r.Figures.Blocks, (17+7+3)/4)
	assert.Zero(t, waiting.Result().Figures.Blocks)
}
