package paging

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func swapManager(t *testing.T, host int) *Manager {
	m, err := NewManager(Config{BlockSize: 4, Blocks: 11, HostBlocks: host, PrefixCache: true})
	require.NoError(t, err)
	return m
}

func allocate(t *testing.T, m *Manager, tokens []int32) *BlockTable {
	b := m.NewTable(Extras{})
	_, err := m.Allocate(b, tokens, All, 0)
	require.NoError(t, err)
	return b
}

func TestSwapOutAndIn(t *testing.T) {
	m := swapManager(t, 4)
	tokens := []int32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	a := allocate(t, m, tokens)
	require.ErrorIs(t, m.SwapOut(a), ErrWrittenNow)
	m.EndStep()
	require.NoError(t, m.SwapOut(a))
	assert.Equal(t, []Swap{{1, 1}, {2, 2}, {3, 3}}, m.SwapOuts())
	assert.Equal(t, []int32{3, 4, 5, 6, 7, 8, 9, 10, 2, 1}, m.pool.FreeIDs(), "as if it had been freed")
	assert.Equal(t, 10, a.Tokens())
	require.ErrorIs(t, m.Append(a, tokens, 1), ErrTable)
	_, err := m.Allocate(a, tokens, All, 0)
	require.ErrorIs(t, err, ErrTable)
	m.EndStep()

	other := allocate(t, m, []int32{20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54})
	m.EndStep()
	require.ErrorIs(t, m.SwapIn(a), ErrNoBlocks)
	m.Free(other)
	require.NoError(t, m.SwapIn(a))
	assert.Equal(t, []int32{1, 2, 10}, a.IDs(0), "block 1 was never given out again: it is revived")
	assert.Equal(t, []Swap{{2, 2}, {10, 3}}, m.SwapIns())
	assert.Equal(t, 1, m.HostFree(), "the step still reads host memory")
	m.EndStep()
	assert.Equal(t, 4, m.HostFree())
	m.Publish(a, tokens)
	assert.True(t, m.pool.Cached(2), "what came back can be found again")
	s := m.Stats()
	assert.Equal(t, []uint64{3, 2, 1}, []uint64{s.SwapOuts, s.SwapIns, s.SwapsSpared})
	require.NoError(t, m.Check())
}

func TestSwapKeepsSharing(t *testing.T) {
	m := swapManager(t, 3)
	tokens := []int32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	a := allocate(t, m, tokens)
	m.EndStep()
	b, err := m.Fork(a)
	require.NoError(t, err)
	assert.Equal(t, 3, m.SwapNeed(a, b))
	require.NoError(t, m.SwapOut(a, b))
	m.EndStep()
	require.NoError(t, m.SwapIn(a, b))
	assert.Equal(t, a.IDs(0), b.IDs(0))
	require.NoError(t, m.Append(b, tokens, 1))
	assert.Equal(t, []Copy{{From: a.IDs(0)[2], To: b.IDs(0)[2], Slots: 2}}, m.Copies(), "copied in the step that brings it back")
	require.NoError(t, m.Check())
}

func TestNoHostBlocks(t *testing.T) {
	m := swapManager(t, 2)
	a := allocate(t, m, []int32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	m.EndStep()
	require.ErrorIs(t, m.SwapOut(a), ErrNoHostBlocks)
	assert.Equal(t, 3, a.Len())
	require.NoError(t, m.Check())
	require.NoError(t, m.Truncate(a, 2))
	require.NoError(t, m.SwapOut(a))
	m.Free(a)
	assert.Equal(t, 2, m.HostFree())
	assert.Zero(t, a.Tokens())
	require.NoError(t, m.Check())
}
