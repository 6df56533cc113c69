package paging

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// book is a manager whose books are proved after every call.
type book struct {
	*Manager
	t *testing.T
}

func newBook(t *testing.T, c Config) *book {
	m, err := NewManager(c)
	require.NoError(t, err)
	return &book{m, t}
}

func (b *book) check() { require.NoError(b.t, b.Check()) }

// allocate opens a table for all tokens and gives it with the hit.
func (b *book) allocate(tokens []int32) (*BlockTable, int) {
	b.t.Helper()
	table := b.NewTable(Extras{})
	hit, err := b.Allocate(table, tokens, All, 0)
	require.NoError(b.t, err)
	b.check()
	return table, hit
}

func (b *book) append(t *BlockTable, known []int32, n int) {
	b.t.Helper()
	require.NoError(b.t, b.Append(t, known, n))
	b.check()
}

func (b *book) free(t *BlockTable) {
	b.Free(t)
	b.check()
}

func (b *book) refs(ids ...int32) []int {
	var n []int
	for _, id := range ids {
		n = append(n, b.pool.Refs(id))
	}
	return n
}

func (b *book) cached(ids ...int32) []bool {
	var c []bool
	for _, id := range ids {
		c = append(c, b.pool.Cached(id))
	}
	return c
}

// runs makes tokens from pairs of (how many, which).
func runs(pairs ...int32) []int32 {
	var tokens []int32
	for i := 0; i < len(pairs); i += 2 {
		for range pairs[i] {
			tokens = append(tokens, pairs[i+1])
		}
	}
	return tokens
}

func join(parts ...[]int32) []int32 {
	var all []int32
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

var common = runs(16, 0, 16, 1, 16, 2)

func TestPrefixScenario(t *testing.T) {
	b := newBook(t, Config{BlockSize: 16, Blocks: 11, PrefixCache: true})

	r0, hit := b.allocate(join(common, runs(7, 3)))
	assert.Equal(t, 0, hit)
	assert.Equal(t, []int32{1, 2, 3, 4}, r0.IDs(0))
	assert.Equal(t, []bool{true, true, true, false}, b.cached(1, 2, 3, 4))

	r1, hit := b.allocate(join(common, runs(5, 4)))
	assert.Equal(t, 48, hit)
	assert.Equal(t, []int32{1, 2, 3, 5}, r1.IDs(0))
	assert.Equal(t, []int{2, 2, 2}, b.refs(1, 2, 3))
	assert.Equal(t, 5, b.pool.Free())

	b.free(r0)
	b.free(r1)
	assert.Equal(t, []int32{5, 4, 6, 7, 8, 9, 10, 3, 2, 1}, b.pool.FreeIDs())

	r2, hit := b.allocate(join(common, runs(6, 5)))
	assert.Equal(t, 48, hit)
	assert.Equal(t, []int32{1, 2, 3, 5}, r2.IDs(0))
	assert.Equal(t, 6, b.pool.Free())

	b.free(r2)
	r3, hit := b.allocate(runs(160, 99))
	assert.Equal(t, 0, hit)
	assert.Equal(t, []int32{5, 4, 6, 7, 8, 9, 10, 3, 2, 1}, r3.IDs(0))
	assert.Equal(t, 0, b.pool.Free())
}

func TestDecodePublishes(t *testing.T) {
	b := newBook(t, Config{BlockSize: 16, Blocks: 11, PrefixCache: true})
	tokens := join(common, runs(7, 3))
	r0, _ := b.allocate(tokens)
	tokens = join(tokens, runs(4, 8))
	b.append(r0, tokens, 4)
	assert.Equal(t, 4, r0.Len())
	assert.False(t, b.pool.Cached(r0.IDs(0)[3]))
	tokens = join(tokens, runs(19, 9))
	b.append(r0, tokens, 19)
	assert.Equal(t, 5, r0.Len())
	assert.Equal(t, []bool{true, false}, b.cached(r0.IDs(0)[3:]...))
}

func TestReuseClears(t *testing.T) {
	b := newBook(t, Config{BlockSize: 16, Blocks: 2, PrefixCache: true})
	r0, _ := b.allocate(runs(16, 1))
	assert.True(t, b.pool.Cached(1))
	b.free(r0)
	assert.True(t, b.pool.Cached(1))
	r1, _ := b.allocate(runs(15, 2))
	assert.Equal(t, []int32{1}, r1.IDs(0))
	assert.False(t, b.pool.Cached(1))
}

func TestHitsAreKept(t *testing.T) {
	b := newBook(t, Config{BlockSize: 16, Blocks: 3, PrefixCache: true})
	r0, _ := b.allocate(runs(16, 1))
	r1, _ := b.allocate(runs(16, 2))
	b.free(r0)
	b.free(r1)
	r2, hit := b.allocate(runs(16, 1, 16, 2))
	assert.Equal(t, 16, hit)
	assert.Equal(t, []int32{1, 2}, r2.IDs(0))
}

func TestAllOrNothing(t *testing.T) {
	b := newBook(t, Config{BlockSize: 16, Blocks: 11, PrefixCache: true})
	r0, _ := b.allocate(common)
	long := join(common, common)
	r1, hit := b.allocate(long)
	require.Equal(t, 48, hit)
	held := append([]int32(nil), r1.IDs(0)[3:]...)
	b.free(r1)
	b.allocate(runs(32, 7))
	require.Equal(t, 5, b.pool.Free())
	before := b.pool.FreeIDs()

	r3 := b.NewTable(Extras{})
	tokens := join(long, runs(48, 8))
	assert.Equal(t, 96, b.Match(r3, tokens))
	_, err := b.Allocate(r3, tokens, All, 0)
	require.ErrorIs(t, err, ErrNoBlocks)
	b.check()
	assert.Equal(t, []int{1, 1, 1}, b.refs(r0.IDs(0)...))
	assert.Equal(t, []int{0, 0, 0}, b.refs(held...))
	assert.Equal(t, before, b.pool.FreeIDs())
	assert.Zero(t, r3.Len())

	// The watermark counts revived blocks too: 3 revived and 2 new leave nothing above it.
	tokens = join(long, runs(32, 8))
	_, err = b.Allocate(r3, tokens, All, 1)
	require.ErrorIs(t, err, ErrNoBlocks)
	_, err = b.Allocate(r3, tokens, All, 0)
	require.NoError(t, err)
	b.check()
}

func TestResetOfTheCache(t *testing.T) {
	var kinds []EventKind
	b := newBook(t, Config{BlockSize: 16, Blocks: 11, PrefixCache: true, Events: func(e Event) { kinds = append(kinds, e.Kind) }})
	r0, _ := b.allocate(common)
	require.ErrorIs(t, b.Reset(), ErrInUse)
	assert.True(t, b.pool.Cached(1))
	b.free(r0)
	require.NoError(t, b.Reset())
	b.check()
	assert.Equal(t, []bool{false, false, false}, b.cached(1, 2, 3))
	assert.Zero(t, b.Stats().Cached)
	assert.Equal(t, []EventKind{Stored, Stored, Stored, Removed, Removed, Removed, Cleared}, kinds)
}

func TestTwoBlocksOneHash(t *testing.T) {
	x := newIndex(4)
	shared, other, third := Hash{1}, Hash{2}, Hash{3}
	for id, h := range []Hash{shared, other, third, shared} {
		x.insert(h, int32(id))
	}
	for _, e := range []struct {
		evict int32
		hash  Hash
		want  int32
		found bool
	}{{1, other, 0, true}, {0, shared, 3, true}, {2, third, 3, true}, {3, shared, 0, false}} {
		x.remove(e.hash, e.evict)
		id, ok := x.find(&shared)
		assert.Equal(t, e.found, ok, "after evicting %d", e.evict)
		if ok {
			assert.Equal(t, e.want, id)
		}
	}
	assert.Empty(t, x.lists)
}

func TestFreeQueue(t *testing.T) {
	q := NewFreeQueue(5)
	for id := range int32(5) {
		q.Append(id)
	}
	pop := func() int32 {
		id, err := q.Pop()
		require.NoError(t, err)
		return id
	}
	assert.Equal(t, int32(0), pop())
	q.Remove(2)
	assert.False(t, q.Has(2))
	q.Append(2)
	assert.Equal(t, []int32{1, 3, 4, 2}, []int32{pop(), pop(), pop(), pop()})
	_, err := q.Pop()
	assert.ErrorIs(t, err, ErrEmptyQueue)
	assert.Zero(t, q.Len())
}

func TestFreeQueueHead(t *testing.T) {
	q := NewFreeQueue(6)
	q.Append(0)
	q.Prepend(4, 5)
	q.Prepend(1, 2)
	assert.Equal(t, []int32{1, 2, 4, 5, 0}, q.IDs())
	assert.Equal(t, 5, q.Len())
}

func TestHitRate(t *testing.T) {
	r := NewHitRate(5)
	assert.Zero(t, r.Rate())
	for _, o := range []struct {
		requests, asked, hit int
		want                 float64
	}{{1, 20, 9, 0.45}, {4, 80, 16, 0.25}, {1, 10, 2, 0.20}} {
		r.Observe(o.requests, o.asked, o.hit)
		assert.InDelta(t, o.want, r.Rate(), 1e-12)
	}
}

func TestWindowHits(t *testing.T) {
	for _, c := range []struct {
		cached string
		sinks  int
		want   int
	}{
		{"TTFTFFTTFTTT", 0, 12},
		{"TTFTFFTTFFF", 0, 8},
		{"TFFFFFF", 0, 1}, // a prefix shorter than the window needs all of itself
		{"FTFTF", 0, 0},
		{"TTFTFFTTFFF", 2, 8},
		{"TFFTFFTTFFF", 2, 1}, // a sink is missing
		{"", 0, 0},
	} {
		ids := make([]int32, len(c.cached))
		for i := range ids {
			if c.cached[i] == 'T' {
				ids[i] = int32(i + 1)
			}
		}
		assert.Equal(t, c.want, longestServed(ids, c.sinks, func(n int) int { return max(0, n-2) }), c.cached)
	}
}

func TestForkCopiesOnWrite(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 8})
	parent, _ := b.allocate(runs(3, 1))
	b.EndStep()
	child, err := b.Fork(parent)
	require.NoError(t, err)
	b.check()
	assert.Equal(t, parent.IDs(0), child.IDs(0))
	free := b.pool.Free()
	b.append(child, runs(3, 1, 1, 2), 1)
	assert.NotEqual(t, parent.IDs(0), child.IDs(0))
	require.Len(t, b.Copies(), 1)
	assert.Equal(t, Copy{Group: 0, From: parent.IDs(0)[0], To: child.IDs(0)[0], Slots: 3}, b.Copies()[0])
	assert.NotEqual(t, b.Copies()[0].From, b.Copies()[0].To)
	assert.Equal(t, free-1, b.pool.Free())
	b.EndStep()
	assert.Empty(t, b.Copies())
}

// TestFigure8 is the paper's figure 8: two samples of one prompt, whose last block is shared.
func TestFigure8(t *testing.T) {
	b := newBook(t, Config{BlockSize: 4, Blocks: 9})
	for b.pool.queue.Len() > 0 {
		_, err := b.pool.queue.Pop()
		require.NoError(t, err)
	}
	for _, id := range []int32{7, 1, 3, 2, 4, 5, 6, 8} {
		b.pool.queue.Append(id)
	}
	a1, _ := b.allocate(runs(7, 1))
	require.Equal(t, []int32{7, 1}, a1.IDs(0))
	b.EndStep()
	a2, err := b.Fork(a1)
	require.NoError(t, err)
	assert.Equal(t, []int{2, 2}, b.refs(7, 1))

	b.append(a1, runs(7, 1, 1, 2), 1)
	assert.Equal(t, []Copy{{From: 1, To: 3, Slots: 3}}, b.Copies())
	assert.Equal(t, []int32{7, 3}, a1.IDs(0))
	assert.Equal(t, []int{2, 1, 1}, b.refs(7, 1, 3))
	b.append(a2, runs(7, 1, 1, 3), 1)
	assert.Len(t, b.Copies(), 1, "the second writes in place")
	assert.Equal(t, []int32{7, 1}, a2.IDs(0))
}

func TestNeverTheWholePrompt(t *testing.T) {
	b := newBook(t, Config{BlockSize: 16, Blocks: 11, PrefixCache: true})
	b.allocate(runs(32, 1))
	r, hit := b.allocate(runs(32, 1))
	assert.Equal(t, 16, hit)
	assert.Equal(t, []int32{1, 3}, r.IDs(0))
	_, hit = b.allocate(runs(33, 1))
	assert.Equal(t, 32, hit)
}
