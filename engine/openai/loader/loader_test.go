package loader

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/openai"
)

// fake is a model that does nothing.
type fake struct {
	openai.Engine
	name   string
	memory uint64
	gpu    *gpu
	closed atomic.Bool
}

func (f *fake) Memory() uint64      { return f.memory }
func (f *fake) About() openai.About { return openai.About{Name: f.name, Context: 512} }
func (f *fake) Close() error {
	if f.closed.Swap(true) {
		return errors.New("closed twice")
	}
	f.gpu.give(-int64(f.memory))
	return nil
}

var errFull = errors.New("out of memory")

// gpu is where fakes live.
type gpu struct {
	mu               sync.Mutex
	room, used, most int64
	opened           []string
}

func (g *gpu) give(n int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.room > 0 && g.used+n > g.room {
		return false
	}
	g.used += n
	g.most = max(g.most, g.used)
	return true
}

func (g *gpu) entry(name string, memory uint64) Entry {
	return Entry{Name: name, Need: memory, Open: func(context.Context) (Model, error) {
		if !g.give(int64(memory)) {
			return nil, errFull
		}
		g.mu.Lock()
		g.opened = append(g.opened, name)
		g.mu.Unlock()
		return &fake{name: name, memory: memory, gpu: g}, nil
	}}
}

func (g *gpu) loader(t *testing.T, o Options, sizes ...uint64) *Loader {
	var entries []Entry
	for i, size := range sizes {
		entries = append(entries, g.entry(string(rune('a'+i)), size))
	}
	o.Full = func(err error) bool { return errors.Is(err, errFull) }
	l, err := New(entries, o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		assert.Zero(t, g.used, "all memory is given back")
	})
	return l
}

func take(t *testing.T, l *Loader, name string) (release func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	e, release, err := l.Take(ctx, name)
	require.NoError(t, err)
	if name != "" {
		assert.Equal(t, name, e.About().Name)
	}
	return release
}

func loaded(l *Loader) (names string) {
	for _, m := range l.List(context.Background()) {
		if m.Loaded {
			names += m.ID
		}
	}
	return names
}

func TestLoadsOnDemand(t *testing.T) {
	g := &gpu{}
	l := g.loader(t, Options{}, 10, 20)
	assert.Empty(t, loaded(l))
	take(t, l, "")()
	assert.Equal(t, "a", loaded(l), "no name is the first")
	take(t, l, "b")()
	take(t, l, "b")()
	assert.Equal(t, "ab", loaded(l))
	assert.Equal(t, []string{"a", "b"}, g.opened)
	_, _, err := l.Take(t.Context(), "c")
	var told *openai.Error
	require.ErrorAs(t, err, &told)
	assert.Equal(t, 404, told.Status)
}

func TestOneLoadForAll(t *testing.T) {
	g := &gpu{}
	l := g.loader(t, Options{}, 10)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { take(t, l, "a")() })
	}
	all.Wait()
	assert.Equal(t, []string{"a"}, g.opened)
}

func TestBudget(t *testing.T) {
	g := &gpu{}
	l := g.loader(t, Options{Memory: 30}, 10, 20, 15, 31)
	take(t, l, "a")()
	take(t, l, "b")()
	assert.Equal(t, "ab", loaded(l))
	take(t, l, "a")() // now b is the one that has not been used for longest
	take(t, l, "c")()
	assert.Equal(t, "ac", loaded(l))
	_, _, err := l.Take(t.Context(), "d")
	var told *openai.Error
	require.ErrorAs(t, err, &told)
	assert.Equal(t, 507, told.Status)
	assert.Equal(t, "ac", loaded(l), "what cannot fit makes nobody go")
	assert.LessOrEqual(t, g.most, int64(30))
}

// A model in use does not go; who needs its room waits, and gives up with its context.
func TestWaitsForRoom(t *testing.T) {
	g := &gpu{}
	l := g.loader(t, Options{Memory: 30}, 20, 20)
	release := take(t, l, "a")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err := l.Take(ctx, "b")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, "a", loaded(l))
	time.AfterFunc(20*time.Millisecond, release)
	take(t, l, "b")()
	assert.Equal(t, "b", loaded(l))
}

// What a model needs may be more than was thought.
func TestNeedIsMoreThanThought(t *testing.T) {
	g := &gpu{}
	var entries []Entry
	for _, name := range []string{"a", "b", "c"} {
		e := g.entry(name, 20)
		e.Need = 2
		entries = append(entries, e)
	}
	l, err := New(entries, Options{Memory: 30})
	require.NoError(t, err)
	release := take(t, l, "a")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err = l.Take(ctx, "b")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, "a", loaded(l))
	assert.EqualValues(t, 20, g.used)
	time.AfterFunc(20*time.Millisecond, release)
	take(t, l, "b")()
	assert.Equal(t, "b", loaded(l))
	take(t, l, "c")() // nobody uses b
	assert.Equal(t, "c", loaded(l))
	require.NoError(t, l.Close())
	assert.Zero(t, g.used)
}

// Without a budget the GPU says when it is full.
func TestFullGPU(t *testing.T) {
	g := &gpu{room: 30}
	l := g.loader(t, Options{}, 10, 20, 25, 40)
	for _, name := range []string{"a", "b", "c"} {
		take(t, l, name)()
	}
	assert.Equal(t, "c", loaded(l))
	_, _, err := l.Take(t.Context(), "d")
	require.ErrorIs(t, err, errFull)
	take(t, l, "a")()
}

// Where those in use leave no room, others may be asked for later.
func TestFullGPUInUse(t *testing.T) {
	g := &gpu{room: 30}
	l := g.loader(t, Options{}, 20, 20)
	release := take(t, l, "a")
	_, _, err := l.Take(t.Context(), "b")
	var told *openai.Error
	require.ErrorAs(t, err, &told)
	assert.Equal(t, 503, told.Status)
	assert.Contains(t, told.Answer().Header, [2]string{"Retry-After", "1"})
	release()
	take(t, l, "b")()
	assert.Equal(t, "b", loaded(l))
}

func TestAge(t *testing.T) {
	g := &gpu{}
	l := g.loader(t, Options{Keep: 30 * time.Millisecond}, 10, 10)
	release := take(t, l, "a")
	time.Sleep(60 * time.Millisecond)
	assert.Equal(t, "a", loaded(l), "in use")
	release()
	require.Eventually(t, func() bool { return loaded(l) == "" }, time.Minute, 5*time.Millisecond)
	l.Keep("a", -1)
	take(t, l, "a")()
	time.Sleep(60 * time.Millisecond)
	assert.Equal(t, "a", loaded(l), "kept")
	l.Keep("a", 0)
	require.Eventually(t, func() bool { return loaded(l) == "" }, time.Minute, 5*time.Millisecond)
	l.Keep("a", 0)
	take(t, l, "a")() // loaded for one use
	require.Eventually(t, func() bool { return loaded(l) == "" }, time.Minute, 5*time.Millisecond)
}

// What was said of how long a model stays holds until it goes.
func TestKeepEndsWithTheModel(t *testing.T) {
	l := (&gpu{}).loader(t, Options{}, 10)
	take(t, l, "a")()
	l.Keep("a", 0)
	require.Eventually(t, func() bool { return loaded(l) == "" }, time.Minute, time.Millisecond)
	take(t, l, "a")()
	time.Sleep(20 * time.Millisecond)
	assert.Equal(t, "a", loaded(l))
}

// A model that is never out of use makes room all the same, in its turn; who gives up holds up nobody.
func TestModelInUseMakesRoom(t *testing.T) {
	l := (&gpu{}).loader(t, Options{Memory: 30, Patience: 20 * time.Millisecond}, 20, 20)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var served [2]atomic.Int64
	for i := range 8 {
		all.Go(func() {
			name := string(rune('a' + i%2))
			for ctx.Err() == nil {
				release := take(t, l, name)
				time.Sleep(time.Duration(1+i) * time.Millisecond)
				release()
				served[i%2].Add(1)
			}
		})
	}
	enough := func() bool { return served[0].Load() > 20 && served[1].Load() > 20 }
	assert.Eventually(t, enough, time.Minute, time.Millisecond)
	stop()
	all.Wait()

	release := take(t, l, "a")
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err := l.Take(short, "b")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	take(t, l, "a")() // nobody waits for room any more
	release()
}

func TestFailedLoad(t *testing.T) {
	tries := 0
	l, err := New([]Entry{{Name: "a", Open: func(context.Context) (Model, error) {
		tries++
		if tries == 1 {
			return nil, errors.New("no such file")
		}
		return &fake{name: "a", gpu: &gpu{}}, nil
	}}}, Options{})
	require.NoError(t, err)
	_, _, err = l.Take(t.Context(), "a")
	require.ErrorContains(t, err, "no such file")
	take(t, l, "a")() // it is tried again
	require.NoError(t, l.Close())
	_, _, err = l.Take(t.Context(), "a")
	require.ErrorIs(t, err, errClosed)
}

// That a load ends because all models go is no failure.
func TestCloseWhileLoading(t *testing.T) {
	var told atomic.Int64
	loading := make(chan bool)
	l, err := New([]Entry{{Name: "a", Open: func(ctx context.Context) (Model, error) {
		close(loading)
		<-ctx.Done()
		return nil, ctx.Err()
	}}}, Options{Tell: func(string, string, error) { told.Add(1) }})
	require.NoError(t, err)
	go l.Load(t.Context(), "a")
	<-loading
	require.NoError(t, l.Close())
	assert.Zero(t, told.Load())
}

func TestNames(t *testing.T) {
	g := &gpu{}
	_, err := New([]Entry{g.entry("a", 1), g.entry("a", 2)}, Options{})
	require.ErrorContains(t, err, `two models have the name "a"`)
}

// Whatever comes at once, the budget holds, and what is used is open.
func TestMany(t *testing.T) {
	g := &gpu{}
	l := g.loader(t, Options{Memory: 40, Keep: time.Millisecond, Patience: 3 * time.Millisecond}, 10, 15, 20, 25, 40)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range 100 {
				name := string(rune('a' + random.IntN(5)))
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(20))*time.Millisecond)
				e, release, err := l.Take(ctx, name)
				cancel()
				if err != nil {
					if !errors.Is(err, context.DeadlineExceeded) {
						assert.NoError(t, err)
					}
					continue
				}
				time.Sleep(time.Duration(random.IntN(300)) * time.Microsecond)
				assert.False(t, e.(*fake).closed.Load(), fmt.Sprintf("%s was closed while it was used", name))
				release()
			}
		})
	}
	all.Wait()
	assert.LessOrEqual(t, g.most, int64(40))
}
