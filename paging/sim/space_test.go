package sim

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFirstFit(t *testing.T) {
	f := NewFirstFit(10)
	take := func(n, at int) Run {
		t.Helper()
		r, ok := f.Take(n)
		require.True(t, ok)
		require.Equal(t, Run{at, n}, r)
		return r
	}
	a, b, c := take(3, 0), take(2, 3), take(4, 5)
	_, ok := f.Take(2)
	assert.False(t, ok, "one slot is left")
	f.Give(a)
	assert.Equal(t, 4, f.Free())
	_, ok = f.Take(4)
	assert.False(t, ok, "four slots are free, in two holes")
	f.Give(c)
	assert.Equal(t, []Run{{0, 3}, {5, 5}}, f.holes)
	take(4, 5)
	take(1, 0)
	f.Give(b)
	assert.Equal(t, []Run{{1, 4}, {9, 1}}, f.holes)
	_, ok = f.Take(0)
	assert.False(t, ok)
}

func TestBuddy(t *testing.T) {
	b := NewBuddy(16)
	take := func(n int, want Run) Run {
		t.Helper()
		r, ok := b.Take(n)
		require.True(t, ok)
		require.Equal(t, want, r)
		return r
	}
	one := take(3, Run{0, 4})
	two := take(1, Run{4, 1})
	three := take(5, Run{8, 8})
	assert.Equal(t, 3, b.Free())
	_, ok := b.Take(3)
	assert.False(t, ok, "three slots are free, in holes of one and two")
	b.Give(two)
	take(4, Run{4, 4})
	b.Give(three)
	b.Give(one)
	_, ok = b.Take(9)
	assert.False(t, ok)
	b.Give(Run{4, 4})
	take(16, Run{0, 16})
}

func TestBuddyOfNoPowerOfTwo(t *testing.T) {
	b := NewBuddy(7)
	runs := map[int]bool{}
	for _, n := range []int{4, 2, 1} {
		r, ok := b.Take(n)
		require.True(t, ok)
		runs[r.At] = true
		defer b.Give(r)
	}
	assert.Equal(t, map[int]bool{0: true, 4: true, 6: true}, runs)
	_, ok := NewBuddy(7).Take(5)
	assert.False(t, ok)
	_, ok = NewBuddy(0).Take(1)
	assert.False(t, ok)
}

// world is a space beside what is known to be given out.
type world struct {
	space Space
	slots int
	owner []int // [slot] 1 + index of the run, or 0
	runs  []Run
	buddy bool
}

func newWorld(slots int, buddy bool) *world {
	w := &world{slots: slots, owner: make([]int, slots), buddy: buddy, space: NewFirstFit(slots)}
	if buddy {
		w.space = NewBuddy(slots)
	}
	return w
}

func (w *world) take(n int) error {
	r, ok := w.space.Take(n)
	if !ok {
		if hole := w.hole(n); hole >= 0 {
			return fmt.Errorf("no run of %d, but slot %d begins one", n, hole)
		}
		return nil
	}
	if r.Size < n || r.At < 0 || r.At+r.Size > w.slots || !w.buddy && r.Size != n {
		return fmt.Errorf("run %v for %d of %d slots", r, n, w.slots)
	}
	if w.buddy && (bits.OnesCount(uint(r.Size)) != 1 || r.Size >= 2*n || r.At%r.Size != 0) {
		return fmt.Errorf("run %v for %d is no buddy", r, n)
	}
	w.runs = append(w.runs, r)
	for at := r.At; at < r.At+r.Size; at++ {
		if w.owner[at] != 0 {
			return fmt.Errorf("slot %d of run %v is in run %v", at, r, w.runs[w.owner[at]-1])
		}
		w.owner[at] = len(w.runs)
	}
	return w.count()
}

// hole finds a place where a run for n could stand: for the buddy system aligned, and within one power of two of the space.
func (w *world) hole(n int) int {
	size, step := n, 1
	if w.buddy {
		size = 1 << bits.Len(uint(n-1))
		step = size
	}
	for at := 0; at+size <= w.slots; at += step {
		free := true
		for i := at; i < at+size; i++ {
			free = free && w.owner[i] == 0
		}
		if free {
			return at
		}
	}
	return -1
}

func (w *world) give(i int) error {
	r := w.runs[i]
	w.space.Give(r)
	for at := r.At; at < r.At+r.Size; at++ {
		w.owner[at] = 0
	}
	last := len(w.runs) - 1
	if i != last {
		w.runs[i] = w.runs[last]
		for at := w.runs[i].At; at < w.runs[i].At+w.runs[i].Size; at++ {
			w.owner[at] = i + 1
		}
	}
	w.runs = w.runs[:last]
	return w.count()
}

func (w *world) count() error {
	free := 0
	for _, o := range w.owner {
		if o == 0 {
			free++
		}
	}
	if free != w.space.Free() {
		return fmt.Errorf("%d slots are free, not %d", free, w.space.Free())
	}
	return nil
}

// end gives everything back: the space must be as it was.
func (w *world) end() error {
	for len(w.runs) > 0 {
		if err := w.give(len(w.runs) / 2); err != nil {
			return err
		}
	}
	for rest := w.slots; rest > 0; {
		n := rest
		if w.buddy {
			n = 1 << (bits.Len(uint(rest)) - 1)
		}
		if r, ok := w.space.Take(n); !ok || r.Size != n {
			return fmt.Errorf("the empty space has no run of %d", n)
		}
		rest -= n
	}
	return nil
}

func TestSpacesAtRandom(t *testing.T) {
	for seed := range uint64(40) {
		draw := rand.New(rand.NewPCG(seed, 0))
		slots := 1 + draw.IntN(200)
		w := newWorld(slots, seed%2 == 0)
		for range 400 {
			var err error
			if len(w.runs) > 0 && draw.IntN(2) == 0 {
				err = w.give(draw.IntN(len(w.runs)))
			} else {
				err = w.take(1 + draw.IntN(1+slots/3))
			}
			require.NoError(t, err, "seed %d", seed)
		}
		require.NoError(t, w.end(), "seed %d", seed)
	}
}

func FuzzSpaces(f *testing.F) {
	f.Add(uint8(16), true, []byte{3, 1, 5, 0x80, 0x81, 4})
	f.Add(uint8(10), false, []byte{3, 2, 4, 0x80, 4, 0x81, 4})
	f.Fuzz(func(t *testing.T, slots uint8, buddy bool, ops []byte) {
		w := newWorld(int(slots), buddy)
		for _, op := range ops[:min(len(ops), 1000)] {
			var err error
			if i := int(op & 0x7f); op < 0x80 {
				err = w.take(i + 1)
			} else if len(w.runs) > 0 {
				err = w.give(i % len(w.runs))
			}
			require.NoError(t, err)
		}
		require.NoError(t, w.end())
	})
}
