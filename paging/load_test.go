package paging

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func numbers(from, n int32) []int32 {
	var tokens []int32
	for i := range n {
		tokens = append(tokens, from+i)
	}
	return tokens
}

// What a caller fills between steps is no block that the open step has yet to move away.
func TestLoadSparesWhatLeaves(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 8, HostBlocks: 8, PrefixCache: true})
	a, _ := b.allocate(numbers(1, 10))
	b.EndStep()
	require.NoError(t, b.SwapOut(a))
	p := b.NewTable(Extras{})
	held, err := b.Load(p, numbers(50, 30))
	require.NoError(t, err)
	b.check()
	assert.Zero(t, held)
	assert.Equal(t, []int32{4, 5, 6, 7}, p.IDs(0))
	assert.Equal(t, []int32{3, 2, 1}, b.pool.FreeIDs(), "for the open step's own work")
	b.EndStep()
	b.free(p)

	held, err = b.Load(p, numbers(50, 30))
	require.NoError(t, err)
	b.check()
	assert.Equal(t, 16, held)
	assert.Equal(t, 28, p.Tokens(), "whole blocks, as far as there are tokens")
}

// Who drops a swapped table before its blocks were moved gets them back at once, but for those that others still move.
func TestLoadAfterDroppedSwapOut(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 6, HostBlocks: 8, PrefixCache: true})
	a, _ := b.allocate(numbers(1, 9))
	b.EndStep()
	f, err := b.Fork(a)
	require.NoError(t, err)
	require.NoError(t, b.SwapOut(a))
	require.NoError(t, b.SwapOut(f))
	require.Len(t, b.SwapOuts(), 6)
	b.free(a)
	require.Len(t, b.SwapOuts(), 3)
	p := b.NewTable(Extras{})
	_, err = b.Load(p, numbers(50, 20))
	require.NoError(t, err)
	assert.Equal(t, []int32{4, 5}, p.IDs(0))
	b.free(p)
	b.free(f)
	assert.Empty(t, b.SwapOuts())
	_, err = b.Load(p, numbers(70, 20))
	require.NoError(t, err)
	b.check()
	assert.Len(t, p.IDs(0), 5)
}

// Host memory that the open step reads is nobody else's in that step, though the last table that names it is dropped.
func TestDroppedWhileRead(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 6, HostBlocks: 3})
	a, _ := b.allocate(numbers(1, 4))
	b.EndStep()
	f, err := b.Fork(a)
	require.NoError(t, err)
	require.NoError(t, b.SwapOut(a, f))
	require.NoError(t, b.SwapIn(a))
	b.free(f)
	require.Len(t, b.SwapIns(), 1)
	assert.Len(t, b.SwapOuts(), 1, "it has to get there first")
	assert.Equal(t, 2, b.HostFree())
	b.check()
	b.EndStep()
	assert.Equal(t, 3, b.HostFree())
}

// A block that was to be filled by the open step, and is given back before, is filled by its next owner alone.
func TestDroppedMoves(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 6, HostBlocks: 8, PrefixCache: true, PartialHits: true})
	a, _ := b.allocate(numbers(1, 9))
	b.EndStep()
	require.NoError(t, b.SwapOut(a))
	b.EndStep()
	require.NoError(t, b.Reset())
	require.NoError(t, b.SwapIn(a))
	require.Len(t, b.SwapIns(), 3)
	require.NoError(t, b.Truncate(a, 3))
	b.check()
	assert.Len(t, b.SwapIns(), 2, "the last one is dropped")
	b.Publish(a, numbers(1, 6))
	p := b.NewTable(Extras{})
	held, err := b.Hold(p, numbers(1, 6))
	require.NoError(t, err)
	assert.Zero(t, held, "its block is yet to come: who reads it at once finds nothing")
	b.free(a)
	assert.Len(t, b.SwapIns(), 1, "the published one still comes")
	_, err = b.Load(p, numbers(50, 20))
	require.NoError(t, err)
	b.check()
	assert.Empty(t, b.SwapIns(), "until somebody else has its block")
	b.free(p)
	b.EndStep()

	c, hit := b.allocate(append(numbers(50, 6), 9))
	require.Equal(t, 6, hit)
	require.Len(t, b.Copies(), 1)
	b.free(c)
	assert.Empty(t, b.Copies())
}

// A block that was loaded between steps was not written by the open one: who comes to share it may go on at once.
func TestLoadedBlocksAreReadable(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 6, HostBlocks: 8, PrefixCache: true, PartialHits: true})
	a, _ := b.allocate(numbers(1, 7))
	b.EndStep()
	f, err := b.Fork(a)
	require.NoError(t, err)
	require.NoError(t, b.SwapOut(a, f))
	b.EndStep()
	p := b.NewTable(Extras{})
	_, err = b.Load(p, numbers(50, 20))
	require.NoError(t, err)
	b.free(p)
	require.NoError(t, b.SwapIn(a, f))
	require.NoError(t, b.Append(a, numbers(1, 8), 1), "its last block is shared")
	b.check()
	b.free(a)
	b.free(f)
	b.EndStep()

	_, err = b.Load(p, numbers(80, 8))
	require.NoError(t, err)
	b.free(p)
	_, hit := b.allocate(append(numbers(80, 6), 9))
	assert.Equal(t, 6, hit, "its rows can be copied")
}
