package schedule

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/paging"
)

// choices is where a random walk takes its turns from: a generator, or a fuzzer's bytes.
type choices interface{ below(n int) int }

type generated struct{ *rand.Rand }

func (g generated) below(n int) int { return g.IntN(n) }

type given struct{ data []byte }

func (g *given) below(n int) int {
	if len(g.data) < 2 {
		g.data = nil
		return 0
	}
	v := binary.LittleEndian.Uint16(g.data)
	g.data = g.data[2:]
	return int(v) % n
}

// walk adds, forks, cancels, finishes, fails and resets at random, and knows what every sequence must say.
type walk struct {
	*rig
	from   choices
	groups []paging.Group
	lines  map[uint64]*line
	ids    []uint64 // of live sequences and of samples to come
	next   uint64
	ended  int
	held   []*Pin
	loaded int // tokens
}

type line struct {
	tokens []int32
	prompt int
	most   int
}

func newWalk(t testing.TB, from choices, c Config) *walk {
	w := &walk{rig: newRig(t, c), from: from, groups: c.Groups, lines: map[uint64]*line{}}
	if len(w.groups) == 0 {
		w.groups = []paging.Group{{}}
	}
	return w
}

func (w *walk) id() uint64 {
	w.next++
	w.ids = append(w.ids, w.next)
	return w.next
}

func (w *walk) forget(id uint64) {
	delete(w.lines, id)
	w.ids = slices.DeleteFunc(w.ids, func(o uint64) bool { return o == id })
	w.ended++
}

func (w *walk) add() {
	q := Request{
		ID: w.id(), MaxTokens: 1 + w.from.below(16), MinTokens: w.from.below(4), Priority: w.from.below(3),
		Tenant: []string{"", "a", "b"}[w.from.below(3)], AllLogits: w.from.below(10) == 0, Lanes: w.from.below(4), LandEach: w.from.below(4) == 0,
	}
	family := w.from.below(3)
	for i := range 1 + w.from.below(20) {
		q.Prompt = append(q.Prompt, int32(family*10+i*w.from.below(9)/8))
	}
	if w.from.below(4) == 0 {
		for range 1 + w.from.below(3) {
			q.Samples = append(q.Samples, w.id())
		}
	}
	err := w.Add(q)
	if err != nil {
		require.True(w.t, errors.Is(err, ErrContextTooLong) || errors.Is(err, ErrQueueFull), "%v", err)
	}
	for _, id := range append([]uint64{q.ID}, q.Samples...) {
		if err != nil {
			w.forget(id)
			continue
		}
		w.lines[id] = &line{tokens: slices.Clone(q.Prompt), prompt: len(q.Prompt), most: len(q.Prompt) + q.MaxTokens}
	}
}

func (w *walk) land(number uint64) {
	w.machine.landed(number)
	landed, err := w.Land(number, w.results[number])
	require.NoError(w.t, err)
	delete(w.results, number)
	for _, l := range landed {
		at := w.lines[l.Sequence]
		require.NotNil(w.t, at, "sequence %d is gone", l.Sequence)
		require.Equal(w.t, following(w.groups, at.tokens, len(at.tokens)-at.prompt), l.Token, "sequence %d", l.Sequence)
		at.tokens = append(at.tokens, l.Token)
		if l.Reason != Going {
			w.forget(l.Sequence)
			continue
		}
		tokens, ok := w.Tokens(l.Sequence)
		require.True(w.t, ok)
		require.Equal(w.t, at.tokens, tokens)
	}
}

func (w *walk) turn() {
	kind := w.from.below(40)
	var id uint64
	if len(w.ids) > 0 {
		id = w.ids[w.from.below(len(w.ids))]
	}
	switch {
	case kind < 4:
		if len(w.ids) < 40 {
			w.add()
		}
	case kind < 5 && id != 0:
		require.NoError(w.t, w.Cancel(id))
		w.forget(id)
	case kind < 6 && id != 0:
		if err := w.Finish(id); err == nil {
			if _, waits := w.Tokens(id); !waits {
				w.forget(id)
			}
		}
	case kind < 9 && id != 0:
		w.fork(id)
	case kind < 10 && id != 0 && w.from.below(2) == 0:
		n := w.from.below(3)
		if err := w.Truncate(id, n); err == nil {
			at := w.lines[id]
			at.tokens = at.tokens[:len(at.tokens)-n]
		}
	case kind < 11 && w.from.below(4) == 0:
		if len(w.flight) > 0 {
			require.NoError(w.t, w.Fail(w.flight[0].number))
			clear(w.results)
			clear(w.machine.going)
		}
	case kind < 12 && w.from.below(8) == 0:
		require.NoError(w.t, w.Reset())
		clear(w.results)
		w.machine.lose()
		require.Zero(w.t, w.Stats().Cache.Cached)
	case kind < 13:
		w.pin(id)
	case kind < 18 && len(w.flight) > 0:
		w.land(w.flight[0].number)
	default:
		if d := w.rig.next(); d.Kind == Land {
			w.land(d.Step)
		} else if d.Kind == Idle {
			require.Empty(w.t, w.ids, "idle while requests are there")
		}
	}
	require.NoError(w.t, w.Check())
	for id := range w.lines {
		blocks := 0
		for g := range max(1, len(w.groups)) {
			for _, block := range w.Table(id, g) {
				blocks += min(int(block), 1)
			}
		}
		require.Equal(w.t, blocks, w.Blocks(id))
	}
}

// pin holds what is cached of a sequence, brings a text back that was saved, or lets one go.
func (w *walk) pin(id uint64) {
	if len(w.held) > 3 {
		i := w.from.below(len(w.held))
		w.Unpin(w.held[i])
		w.held = slices.Delete(w.held, i, i+1)
		return
	}
	at := w.lines[id]
	if at == nil {
		return
	}
	tokens := slices.Clone(at.tokens)
	if w.from.below(2) == 0 {
		p, err := w.Pin(tokens, "", "")
		require.NoError(w.t, err)
		w.held = append(w.held, p)
		return
	}
	for range w.from.below(8) {
		tokens = append(tokens, int32(w.from.below(3)))
	}
	p, err := w.Load(tokens, "", "")
	require.NoError(w.t, err)
	require.LessOrEqual(w.t, p.Tokens(), len(tokens))
	w.held = append(w.held, p)
	link := firstLink
	for i, token := range tokens[:p.Tokens()] {
		link = mix(link, token)
		for g := range w.groups {
			if i >= p.Fresh() {
				w.machine.slots[w.machine.at(p.Blocks(g), int32(i))] = slot{token, int32(i), link}
				w.loaded++
			}
		}
	}
}

func (w *walk) fork(id uint64) {
	child, last := w.id(), int32(w.from.below(vocabulary+1))-1
	err := w.Fork(id, child, last)
	if err != nil {
		require.True(w.t, errors.Is(err, ErrInFlight) || errors.Is(err, ErrNoLane) || errors.Is(err, ErrRequest) ||
			errors.Is(err, ErrUnknown), "%v", err)
		w.forget(child)
		return
	}
	parent := w.lines[id]
	tokens := slices.Clone(parent.tokens)
	if last >= 0 {
		tokens[len(tokens)-1] = last
	}
	w.lines[child] = &line{tokens: tokens, prompt: parent.prompt, most: parent.most}
}

func layouts() map[string]Config {
	window := []paging.Group{{}, {Window: 6}}
	return map[string]Config{
		"swap": {
			BlockSize: 4, Blocks: 22, PrefixCache: true, TokenBudget: 16, MaxSeqs: 8, Depth: 3, HostBlocks: 40, Preemption: Swap,
		},
		"swap, little room": {
			BlockSize: 4, Blocks: 22, TokenBudget: 64, MaxSeqs: 8, Depth: 2, HostBlocks: 9, Preemption: Swap, Watermark: 1,
		},
		"swap or recompute": {
			BlockSize: 4, Blocks: 42, PrefixCache: true, PartialHits: true, Groups: window, TokenBudget: 12, MaxSeqs: 8,
			Depth: 2, HostBlocks: 30, TokenCost: 4, BlockCost: 9,
		},
		"one at a time":  {BlockSize: 4, Blocks: 12, PrefixCache: true, TokenBudget: 8, MaxSeqs: 4, LongPrompt: 5},
		"run ahead":      {BlockSize: 4, Blocks: 40, PrefixCache: true, TokenBudget: 16, MaxSeqs: 6, Depth: 3, QueueLimit: 20},
		"tight":          {BlockSize: 4, Blocks: 22, PrefixCache: true, TokenBudget: 64, MaxSeqs: 8, Depth: 2, Watermark: 2},
		"no cache":       {BlockSize: 4, Blocks: 22, TokenBudget: 32, MaxSeqs: 8, Depth: 4},
		"partial hits":   {BlockSize: 4, Blocks: 24, PrefixCache: true, PartialHits: true, TokenBudget: 64, MaxSeqs: 8, Depth: 2},
		"window":         {BlockSize: 4, Blocks: 60, PrefixCache: true, Groups: window, TokenBudget: 12, MaxSeqs: 6, Depth: 2},
		"whole prompts":  {BlockSize: 4, Blocks: 22, PrefixCache: true, NoChunking: true, TokenBudget: 48, MaxModelLen: 48, MaxSeqs: 6},
		"window, copies": {BlockSize: 4, Blocks: 70, PrefixCache: true, PartialHits: true, Groups: []paging.Group{{Window: 9, Sinks: 2}, {}}, TokenBudget: 9, Depth: 3},
	}
}

func TestRandomWalk(t *testing.T) {
	for name, c := range layouts() {
		t.Run(name, func(t *testing.T) {
			w := newWalk(t, generated{rand.New(rand.NewPCG(3, 4))}, c)
			for i := range 12_500 {
				w.turn()
				if t.Failed() {
					t.Fatalf("turn %d", i)
				}
			}
			s := w.Stats()
			t.Log(fmt.Sprintf("%d ended, %+v", w.ended, s))
			require.Greater(t, w.ended, 50)
			require.Equal(t, c.PrefixCache, w.loaded > 0)
			require.Equal(t, c.HostBlocks > 0, s.Swaps > 0 && s.Cache.SwapIns > 0, "swaps")
			if c.Preemption == Cheaper || c.HostBlocks < 10 {
				require.Less(t, s.Swaps, max(s.Preemptions, 1), "recomputes")
			}
			for range 10_000 {
				if d := w.rig.next(); d.Kind == Land {
					w.land(d.Step)
				} else if d.Kind == Idle {
					require.Empty(t, w.ids)
					return
				}
			}
			require.Fail(t, "it never ends")
		})
	}
}

func FuzzSchedule(f *testing.F) {
	f.Add([]byte("any order of requests, forks, failures and landings gives every sequence its own text"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		from := &given{data}
		all := layouts()
		names := make([]string, 0, len(all))
		for name := range all {
			names = append(names, name)
		}
		slices.Sort(names)
		w := newWalk(t, from, all[names[from.below(len(names))]])
		for from.data != nil {
			w.turn()
		}
	})
}
