package engine

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A request that ends at its deadline says so and leaves nothing behind.
func TestDeadline(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Context: 512, NoPrefixCache: true})
	passed := submit(t, e, Request{Prompt: []int32{5}, IgnoreEnd: true, Deadline: time.Now().Add(-time.Second)}).Result()
	assert.Equal(t, FinishCancelled, passed.Reason)
	require.ErrorIs(t, passed.Err, ErrDeadline)

	s := submit(t, e, Request{Prompt: []int32{5}, IgnoreEnd: true, Deadline: time.Now().Add(20 * time.Millisecond)})
	other := submit(t, e, Request{Prompt: []int32{9, 8}, IgnoreEnd: true, MaxTokens: 5})
	r := s.Result()
	assert.Equal(t, FinishCancelled, r.Reason)
	require.ErrorIs(t, r.Err, ErrDeadline)
	assert.Equal(t, FinishLength, other.Result().Reason)
	assert.Eventually(t, func() bool {
		s := e.Stats()
		return s.Blocks.Active == 0 && s.Blocks.Free == s.Blocks.Total && s.Running+s.Waiting == 0
	}, time.Minute, 5*time.Millisecond)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	stream, err := e.Submit(ctx, Request{Prompt: []int32{5}, IgnoreEnd: true, Deadline: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	r = stream.Result()
	assert.Equal(t, FinishCancelled, r.Reason)
	assert.NoError(t, r.Err, "cancelled, not late")
}

func TestQueueLimit(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Context: 512, MaxSeqs: 1, QueueLimit: 2})
	var waiting []*Stream
	after(e, 1, func() {
		for range 3 {
			waiting = append(waiting, submit(t, e, Request{Prompt: []int32{6}, IgnoreEnd: true, MaxTokens: 2}))
		}
	})
	running := submit(t, e, Request{Prompt: []int32{5}, IgnoreEnd: true})
	for range 2 { // the others come before the second token
		_, ok := running.Next()
		require.True(t, ok)
	}
	r := waiting[2].Result()
	assert.Equal(t, FinishError, r.Reason)
	require.ErrorIs(t, r.Err, ErrQueueFull)
	running.Cancel()
	for _, s := range waiting[:2] {
		assert.Equal(t, FinishLength, s.Result().Reason)
	}
}

// Requests that come together and find room do not wait.
func TestQueueLimitWithRoom(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Context: 64, MaxSeqs: 64, QueueLimit: 2})
	held, release := make(chan struct{}), make(chan struct{})
	go func() { _ = e.loop.Call(func() { close(held); <-release }) }()
	<-held
	var all []*Stream
	for i := range 10 {
		all = append(all, submit(t, e, Request{Prompt: []int32{int32(i + 5)}, IgnoreEnd: true, MaxTokens: 1}))
	}
	close(release)
	for _, s := range all {
		assert.Equal(t, FinishLength, s.Result().Reason)
	}
}

// Events tell what Stats count, and a reader that does not read costs no step.
func TestEventsAndStats(t *testing.T) {
	roomy := openModel(t, "tiny-tales", Options{Deterministic: true, Context: 64, BlockSize: 4, MaxSeqs: 8})
	e := openModel(t, "tiny-tales", Options{
		Deterministic: true, Context: 64, BlockSize: 4, MaxSeqs: 8, Preemption: "swap", KVMemory: kvMemory(roomy, 28),
	})
	events := e.Events()
	results(t, e, pressed())
	require.NoError(t, e.Close())
	s := e.Stats()
	count := map[EventKind]uint64{}
	for event := range events {
		count[event.Kind]++
		switch event.Kind {
		case EventPreempted:
			p := event.Preemption
			require.NotNil(t, p)
			assert.True(t, p.Swapped)
			assert.NotZero(t, event.Sequence)
			assert.Positive(t, min(uint64(p.Tokens), uint64(p.Blocks), p.RecomputeCost, p.SwapCost))
		case EventStored, EventCopied, EventSwappedOut, EventSwappedIn:
			assert.NotZero(t, event.Sequence, event.Kind)
			assert.Positive(t, event.Block, event.Kind)
		}
	}
	assert.Equal(t, s.Preemptions, count[EventPreempted])
	assert.Equal(t, s.Swaps, count[EventPreempted])
	assert.Equal(t, s.SwapOuts, count[EventSwappedOut])
	assert.Equal(t, s.SwapIns, count[EventSwappedIn])
	assert.Equal(t, s.Copies, count[EventCopied])
	assert.Equal(t, uint64(1), count[EventForked])
	assert.NotZero(t, s.SwapIns*s.Copies*s.Evictions)
	assert.Equal(t, s.Blocks.Cached, int(count[EventStored]-count[EventRemoved]))
	assert.Equal(t, 28, s.Blocks.Total)
	assert.Equal(t, s.SlotsTaken, s.SlotsUsed+s.SlotsWasted)
	assert.Equal(t, s.HostBlocks, s.HostFree)
	assert.Greater(t, s.Computed, s.AskedTokens-s.HitTokens)
	assert.NotZero(t, s.BatchTokens)
	assert.Zero(t, s.EventsDropped)
}

func TestEventsNeverWait(t *testing.T) {
	var v events
	e := &Engine{}
	channel := e.Events()
	for range eventRoom + 5 {
		e.events.tell(Event{Kind: EventForked})
	}
	assert.Equal(t, uint64(5), e.events.lost())
	e.events.close()
	n := 0
	for range channel {
		n++
	}
	assert.Equal(t, eventRoom, n)
	e.events.tell(Event{})
	v.tell(Event{})
	assert.Zero(t, v.lost(), "nobody asked")
}

// What a caller does with its buffers after Submit is its own affair.
func TestSubmitKeepsItsOwn(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Context: 128, Deterministic: true})
	want := submit(t, e, Request{Prompt: []int32{5, 6, 7}, MaxTokens: 6, IgnoreEnd: true}).Result()
	require.Len(t, want.IDs, 6)

	held, release := make(chan struct{}), make(chan struct{})
	go func() { _ = e.loop.Call(func() { close(held); <-release }) }()
	<-held
	prompt, stop, beams := []int32{5, 6, 7}, []string{"never said"}, &Beams{Width: 2}
	s := submit(t, e, Request{Prompt: prompt, Stop: stop, MaxTokens: 6, IgnoreEnd: true})
	b := submit(t, e, Request{Prompt: prompt, Beams: beams, MaxTokens: 3, IgnoreEnd: true})
	prompt[0], prompt[1], stop[0], beams.Width = 9, -1, "", 0
	close(release)
	assert.Equal(t, want.IDs, s.Result().IDs)
	assert.Len(t, b.Result().IDs, 3)
}

// Requests find each other's cached blocks only under an equal salt.
func TestSalt(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Context: 128, MaxSeqs: 2, KVMemory: 1 << 20})
	cached := func(salt string) int {
		r := submit(t, e, Request{Prompt: testPrompts(4)[3], MaxTokens: 1, Salt: salt}).Result()
		require.NoError(t, r.Err)
		return r.Figures.CachedTokens
	}
	assert.Equal(t, []int{0, 0, 32, 32}, []int{cached("a"), cached("b"), cached("a"), cached("b")})
}
