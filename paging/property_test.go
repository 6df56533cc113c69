package paging

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// choices is where a random walk takes its turns from: a generator, a fuzzer's bytes, or what rapid draws.
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

type drawn struct{ *rapid.T }

func (d drawn) below(n int) int { return rapid.IntRange(0, n-1).Draw(d.T, "") }

var layouts = map[string]Config{
	"one group":       {BlockSize: 4, Blocks: 40, PrefixCache: true, HostBlocks: 30},
	"no prefix cache": {BlockSize: 4, Blocks: 30, HostBlocks: 12},
	"partial hits":    {BlockSize: 4, Blocks: 40, PrefixCache: true, PartialHits: true, HostBlocks: 100},
	"beside a window": {BlockSize: 4, Blocks: 60, PrefixCache: true, HostBlocks: 20, Groups: []Group{{}, {Window: 7}}},
	"windows, sinks":  {BlockSize: 4, Blocks: 60, PrefixCache: true, HostBlocks: 60, PartialHits: true, Groups: []Group{{Window: 9, Sinks: 5}, {}, {Window: 2}}},
	"states":          {BlockSize: 4, Blocks: 40, PrefixCache: true, States: 24, HostBlocks: 30, HostStates: 5},
	"few states":      {BlockSize: 4, Blocks: 60, PrefixCache: true, States: 9, Groups: []Group{{}, {Window: 7}}},
	"window alone":    {BlockSize: 4, Blocks: 30, PrefixCache: true, Groups: []Group{{Window: 6}}},
	"blocks of one":   {BlockSize: 1, Blocks: 90, PrefixCache: true, HostBlocks: 50, Groups: []Group{{}, {Window: 3}}},
}

func TestRandomOperations(t *testing.T) {
	for name, c := range layouts {
		t.Run(name, func(t *testing.T) {
			w, err := newWalk(generated{rand.New(rand.NewPCG(1, 2))}, c)
			require.NoError(t, err)
			require.NoError(t, w.run(15_000))
			s := w.m.Stats()
			if c.PrefixCache {
				require.NotZero(t, s.Evictions)
			}
			require.Equal(t, c.PrefixCache, w.loaded > 0)
			require.Equal(t, c.States > 0, s.SnapshotHits > 0)
			require.Equal(t, c.HostBlocks > 0, s.SwapOuts > 0 && s.SwapIns > 0)
			require.Equal(t, c.HostBlocks > 0 && c.PrefixCache, s.SwapsSpared > 0)
			require.Equal(t, c.BlockSize > 1, s.Copies > 0)
		})
	}
}

// TestOperationsUnderAnySettings does the same with pools that nobody thought of.
func TestOperationsUnderAnySettings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := drawn{t}
		c := Config{
			BlockSize: 1 + from.below(6), Blocks: 2 + from.below(60), PrefixCache: from.below(4) > 0, PartialHits: from.below(2) > 0,
			HostBlocks: max(0, from.below(60)-20),
		}
		if from.below(3) == 0 {
			c.States, c.HostStates = 2+from.below(12), from.below(6)
		}
		for range from.below(4) {
			c.Groups = append(c.Groups, Group{Window: from.below(12), Sinks: max(0, from.below(10)-5)})
		}
		w, err := newWalk(from, c)
		require.NoError(t, err)
		t.Repeat(map[string]func(*rapid.T){"operations": func(t *rapid.T) { require.NoError(t, w.run(10)) }})
	})
}

func FuzzOperations(f *testing.F) {
	f.Add([]byte("allocate, append, fork, truncate, free: in any order, and the books must balance"))
	f.Fuzz(func(t *testing.T, data []byte) {
		from := &given{data}
		if len(data) > 4096 {
			return
		}
		names := make([]string, 0, len(layouts))
		for name := range layouts {
			names = append(names, name)
		}
		slices.Sort(names)
		w, err := newWalk(from, layouts[names[from.below(len(names))]])
		require.NoError(t, err)
		for from.data != nil {
			require.NoError(t, w.step())
			require.NoError(t, w.m.Check())
		}
	})
}
