package engine

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"quire/engine/gpu/gputest"
)

// Requests leave nothing behind in Go's memory, whatever becomes of them.
func TestRequestsLeaveNothing(t *testing.T) {
	if runtime.GOOS == "js" || !gputest.First {
		t.Skip("what a request leaves depends on no host")
	}
	e := openModel(t, "tiny-tales", Options{Context: 128, KVMemory: 1 << 20})
	run := func(n int) {
		for i := range n {
			few := Request{Prompt: []int32{5, int32(i % 7)}, IgnoreEnd: true, MaxTokens: 2}
			all := []*Stream{submit(t, e, few)}
			few.N = 2
			all = append(all, submit(t, e, few))
			few.N, few.MaxTokens = 1, 100
			cancelled := submit(t, e, few)
			cancelled.Cancel()
			for _, s := range append(all, cancelled) {
				s.Result()
			}
		}
	}
	objects := func() (uint64, int) {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapObjects, runtime.NumGoroutine()
	}
	const n = 100
	run(n)
	before, goroutines := objects()
	var each []int
	for range 4 { // what each request leaves comes in every round, what comes once in one of them
		run(n)
		after, more := objects()
		t.Logf("%d objects, then %d", before, after)
		if more > goroutines { // one that is about to end is none that stays
			assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+1 }, 10*time.Second, 10*time.Millisecond, "the check itself is one more")
		}
		each = append(each, int(after)-int(before))
		before = after
	}
	slices.Sort(each)
	assert.Less(t, each[1], n/2, "objects: one round may let go of others")
}
