package paging

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFailedStepUnpublishes(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 10, PrefixCache: true})
	b.allocate(runs(4, 9, 1, 1))
	b.EndStep()
	b.allocate(runs(8, 1))
	step := b.Step()
	b.EndStep()
	probe := b.NewTable(Extras{})
	require.Equal(t, 8, b.Match(probe, runs(9, 1)))
	b.Failed(step)
	b.check()
	assert.Equal(t, 0, b.Match(probe, runs(9, 1)))
	assert.Equal(t, 4, b.Match(b.NewTable(Extras{}), runs(4, 9, 1, 1)), "earlier steps stand")
}

// TestLateTokens: a block that fills with a token the host does not know is found only once the token has landed.
func TestLateTokens(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 10, PrefixCache: true})
	a, _ := b.allocate(runs(3, 1))
	b.append(a, runs(3, 1), 1)
	probe := runs(3, 1, 2, 2)
	assert.Zero(t, b.Match(b.NewTable(Extras{}), probe))
	b.Publish(a, runs(3, 1, 1, 2))
	b.check()
	assert.Equal(t, 4, b.Match(b.NewTable(Extras{}), probe))
}

func TestCopyAfterWrite(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 10})
	parent, _ := b.allocate(runs(6, 1))
	child, err := b.Fork(parent)
	require.NoError(t, err)
	b.check()
	assert.Equal(t, 4, child.Tokens(), "the block that this step writes is not shared")
	assert.Equal(t, parent.IDs(0)[:1], child.IDs(0))
	b.append(child, runs(6, 1), 2)
	assert.Empty(t, b.Copies())

	b.EndStep()
	late, err := b.Fork(parent)
	require.NoError(t, err)
	assert.Equal(t, 6, late.Tokens())
	b.append(late, runs(6, 1), 1)
	assert.Len(t, b.Copies(), 1)
}

// TestSharedBlockWrittenNow: of two tables that share a partial block one writes it, then forks again in the same step.
func TestSharedBlockWrittenNow(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 10, PrefixCache: true})
	a, _ := b.allocate(runs(5, 1))
	other, hit := b.allocate(runs(5, 1))
	require.Equal(t, 4, hit)
	// Both hold the block of the first four tokens, which this step writes; one goes back into it.
	require.NoError(t, b.Truncate(other, 2))
	require.ErrorIs(t, b.Append(other, runs(3, 1, 1, 2), 1), ErrWrittenNow)
	b.check()
	b.EndStep()
	b.append(other, runs(3, 1, 1, 2), 1)
	assert.Equal(t, []Copy{{From: a.IDs(0)[0], To: other.IDs(0)[0], Slots: 3}}, b.Copies())
}

// TestSourcesAreHeld: a block that a copy of this step reads is given to nobody in this step, though its table is gone.
func TestSourcesAreHeld(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 4})
	a, _ := b.allocate(runs(3, 1))
	b.EndStep()
	f, err := b.Fork(a)
	require.NoError(t, err)
	b.append(f, runs(4, 1), 1)
	require.Equal(t, int32(1), b.Copies()[0].From)
	b.free(a)
	assert.Equal(t, 1, b.pool.Free())
	b.allocate(runs(4, 2))
	assert.Zero(t, b.pool.Free())
	b.EndStep()
	b.check()
	assert.Equal(t, []int32{1}, b.pool.FreeIDs())
}

func TestTruncate(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 10, PrefixCache: true})
	tokens := runs(4, 1, 4, 2, 2, 3)
	a, _ := b.allocate(tokens)
	b.EndStep()
	require.NoError(t, b.Truncate(a, 4))
	b.check()
	assert.Equal(t, 6, a.Tokens())
	assert.Equal(t, []int32{1, 2}, a.IDs(0))
	assert.True(t, b.pool.Cached(2), "nothing has changed the block yet")
	b.append(a, runs(4, 1, 2, 2, 2, 7), 2)
	assert.Equal(t, 4, b.Match(b.NewTable(Extras{}), tokens), "the rewritten block is found by its old tokens no more")
	assert.Equal(t, 8, b.Match(b.NewTable(Extras{}), runs(4, 1, 2, 2, 2, 7, 1, 1)))
	assert.ErrorIs(t, b.Truncate(a, 9), ErrTable)

	shared, hit := b.allocate(runs(4, 1, 2, 2, 2, 7, 1, 1))
	require.Equal(t, 8, hit)
	b.EndStep()
	require.NoError(t, b.Truncate(shared, 2))
	b.append(shared, runs(4, 1, 2, 2, 1, 5), 1)
	assert.Equal(t, []Copy{{From: 2, To: shared.IDs(0)[1], Slots: 3}}, b.Copies())
	assert.True(t, b.pool.Cached(2))
}

func TestWindowGivesBlocksBack(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 20, Groups: []Group{{}, {Window: 8}, {Window: 8, Sinks: 3}}})
	a, _ := b.allocate(runs(16, 1))
	assert.Equal(t, 12, b.Stats().Active)
	for n := range int32(4) {
		b.EndStep()
		b.append(a, runs(16, 1, n+1, 2), 1)
	}
	assert.NotContains(t, a.IDs(0), NullBlock)
	assert.Equal(t, []int32{0, 0, 0}, a.IDs(1)[:3])
	assert.NotContains(t, a.IDs(1)[3:], NullBlock)
	assert.NotEqual(t, NullBlock, a.IDs(2)[0], "the sink stays")
	assert.Equal(t, []int32{0, 0}, a.IDs(2)[1:3])
	assert.Equal(t, 5+2+3, b.Stats().Active)
	assert.Equal(t, 19-10, b.pool.Free())
	assert.ErrorIs(t, b.Truncate(a, 4), ErrLeftWindow)
	assert.Equal(t, 20, a.Tokens())
	require.NoError(t, b.Truncate(a, 1))
	b.check()
}

func TestWindowHitsAcrossGroups(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 30, PrefixCache: true, Groups: []Group{{}, {Window: 5}}})
	tokens := runs(4, 1, 4, 2, 4, 3, 4, 4, 4, 5)
	a, _ := b.allocate(tokens)
	b.EndStep()
	b.free(a)
	r, hit := b.allocate(tokens)
	assert.Equal(t, 16, hit)
	assert.Equal(t, []int32{0, 0, 0}, r.IDs(1)[:3])
	assert.NotContains(t, r.IDs(1)[3:], NullBlock)
	b.free(r)

	// Without the window's block at index 3 the longest prefix that both groups serve is three blocks.
	b.pool.unpublish(b.found[1][3])
	assert.Equal(t, 12, b.Match(b.NewTable(Extras{}), tokens))
	// Without the full group's block at index 1 it is one.
	b.pool.unpublish(b.found[0][1])
	assert.Equal(t, 4, b.Match(b.NewTable(Extras{}), tokens))
}

// TestWindowsAgree: what one window cannot serve shortens the prefix that another has agreed to.
func TestWindowsAgree(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 30, PrefixCache: true, Groups: []Group{{Window: 5}, {Window: 5}}})
	tokens := runs(4, 1, 4, 2, 4, 3, 4, 4, 4, 5, 1, 6)
	a, _ := b.allocate(tokens)
	require.Equal(t, 20, b.Match(b.NewTable(Extras{}), tokens))
	b.pool.unpublish(a.IDs(0)[1])
	for _, i := range []int{2, 3, 4} {
		b.pool.unpublish(a.IDs(1)[i])
	}
	assert.Equal(t, 4, b.Match(b.NewTable(Extras{}), tokens))
}

func TestExtras(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 30, PrefixCache: true})
	tokens := runs(9, 1)
	for i, e := range []Extras{{}, {Salt: "a"}, {LoRA: "a"}, {Salt: "ab"}, {Salt: "a", LoRA: "b"}} {
		hit, err := b.Allocate(b.NewTable(e), tokens, All, 0)
		require.NoError(t, err)
		assert.Zero(t, hit, "%d", i)
		assert.Equal(t, 8, b.Match(b.NewTable(e), tokens))
	}
}

func TestPartialHits(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 10, PrefixCache: true, PartialHits: true})
	a, _ := b.allocate(runs(4, 1, 4, 2, 4, 3))
	same, hit := b.allocate(runs(4, 1, 3, 2, 5, 9))
	assert.Equal(t, 4, hit, "what this step writes cannot be copied in it")
	b.free(same)
	b.EndStep()
	r, hit := b.allocate(runs(4, 1, 2, 2, 5, 8))
	assert.Equal(t, 6, hit)
	assert.Equal(t, []Copy{{From: a.IDs(0)[1], To: r.IDs(0)[1], Slots: 2}}, b.Copies())
	b.CountHit(11, hit)
	s := b.Stats()
	assert.Equal(t, [3]uint64{11, 4, 2}, [3]uint64{s.AskedTokens, s.HitTokens, s.PartialTokens})
	b.free(r)
	b.EndStep()

	// With too few blocks to keep the source as well, the rows are computed.
	small := newBook(t, Config{BlockSize: 4, Blocks: 4, PrefixCache: true, PartialHits: true})
	a, _ = small.allocate(runs(4, 1, 4, 2))
	small.EndStep()
	small.free(a)
	_, hit = small.allocate(runs(4, 1, 2, 2, 6, 8))
	assert.Equal(t, 4, hit)
	assert.Empty(t, small.Copies())

	// Never the last token, even when a cached block begins with all that is left.
	_, hit = b.allocate(runs(4, 1, 2, 2))
	assert.Equal(t, 5, hit)
}

func TestStats(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 10, PrefixCache: true})
	a, _ := b.allocate(runs(6, 1))
	b.allocate(runs(6, 1))
	s := b.Stats()
	assert.Equal(t, Stats{Blocks: 9, Free: 6, Cached: 1, Active: 3, SlotsTaken: 12, SlotsUsed: 8}, s)
	b.free(a)
	s = b.Stats()
	assert.Equal(t, Stats{Blocks: 9, Free: 7, Cached: 1, Active: 2, SlotsTaken: 8, SlotsUsed: 6}, s)
}

func TestWrongUse(t *testing.T) {
	for _, c := range []Config{{BlockSize: 0, Blocks: 4}, {BlockSize: 4, Blocks: 1}, {BlockSize: 4, Blocks: 4, Groups: []Group{{Window: -1}}}} {
		_, err := NewManager(c)
		assert.Error(t, err)
	}
	b := newBook(t, Config{BlockSize: 4, Blocks: 4})
	empty := b.NewTable(Extras{})
	assert.ErrorIs(t, b.Append(empty, nil, 1), ErrTable)
	_, err := b.Fork(empty)
	assert.ErrorIs(t, err, ErrTable)
	assert.ErrorIs(t, b.Truncate(empty, 0), ErrTable)
	_, err = b.Allocate(empty, nil, All, 0)
	assert.ErrorIs(t, err, ErrTable)
	a, _ := b.allocate(runs(4, 1))
	_, err = b.Allocate(a, runs(4, 1), All, 0)
	assert.ErrorIs(t, err, ErrTable)
	assert.ErrorIs(t, b.Append(a, nil, 9), ErrNoBlocks)
	b.Free(empty)
	b.check()
}
