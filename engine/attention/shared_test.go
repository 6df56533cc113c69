package attention

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
)

// Rows that share keys give what they give alone: beside rows that share none, groups of other lengths, and prompts. They are as many as
// fill half of a large GPU's tile: fewer gain nothing there.
func TestShared(t *testing.T) {
	for i, c := range []struct {
		lengths, counts []int
		shared          []sharedRows
		params          Params
	}{
		{append(rising(17, 289, 7), 70, 350), append(rising(17, 1, 0), 30, 1), []sharedRows{{0, 17, 288}}, Params{HeadDim: 64, Heads: 4, KVHeads: 2, KVType: kernel.KVF16}},
		{slices.Concat([]int{40}, rising(6, 257, 3), []int{600}, rising(6, 260, 1)), append([]int{2}, rising(13, 1, 0)...),
			[]sharedRows{{1, 6, 256}, {7, 7, 256}}, Params{HeadDim: 40, Heads: 6, KVHeads: 1, Softcap: 30, KVType: kernel.KVQ8, LSE: true}},
		{rising(33, 300, 1), rising(33, 1, 0), []sharedRows{{0, 33, 288}}, Params{HeadDim: 24, Heads: 3, KVHeads: 3, KVType: kernel.KVF32}},
		{[]int{280, 281, 290, 300, 273, 274}, []int{1, 1, 1, 1, 1, 1}, []sharedRows{{0, 6, 272}},
			Params{HeadDim: 32, Heads: 12, KVHeads: 2, KVType: kernel.KVBF16, Variant: "wide64x64+direct128x2"}},
	} {
		if i%caseShare() != 0 {
			continue
		}
		if c.params.Variant != "" && !everything() {
			continue // large tiles take software adapters long to compile
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			if info := gputest.Device(t).Info(); c.params.Variant != "" && withStrides(c.params).Runs(info) != nil {
				t.Skip(withStrides(c.params).Runs(info))
			}
			c.params.BlockSize, c.params.Shared = 16, true
			s := newScene(t, c.params, 64, c.lengths, c.counts)
			s.shared = c.shared
			if c.params.LSE {
				s.sinks = []float32{0.5, -1, 2, 0, 1, -3}
			}
			s.check(s.run(), 2, 1e-5)
		})
	}
}

// rising are n numbers.
func rising(n, first, by int) []int {
	var out []int
	for i := range n {
		out = append(out, first+i*by)
	}
	return out
}

// Every row's keys are attended once, each by items of one span, and its partial results are its own.
func TestSharedItems(t *testing.T) {
	onTheFirstHost(t)
	p := withStrides(Params{HeadDim: 64, Heads: 8, KVHeads: 4, KVType: kernel.KVF16, Shared: true, SharedLate: true})
	a, err := New(gputest.Device(t), p)
	require.NoError(t, err)
	perToken := p.Heads / p.KVHeads
	rapid.Check(t, func(t *rapid.T) {
		rows, keys := rapid.IntRange(2, 70).Draw(t, "rows"), rapid.IntRange(leastShared, 5000).Draw(t, "keys")
		span, units := 1<<rapid.IntRange(5, 12).Draw(t, "span"), rapid.IntRange(1, 200).Draw(t, "units")
		var d kernel.StepData
		longest := 0
		for i := range rows {
			length := keys + rapid.IntRange(1, 900).Draw(t, "own keys")
			d.Rows = append(d.Rows, kernel.StepRow{First: uint32(i), Count: 1, Start: uint32(length - 1)})
			longest = max(longest, length)
		}
		s, ok := a.Share(rows, keys, longest, span, units)
		require.Equal(t, 2*rows*perToken >= a.sharedTile.rows, ok)
		if !ok {
			return
		}
		a.AppendShared(&d, 0, rows, keys, span, s)
		assert.Equal(t, s.Partials, d.Partials)
		written := map[[2]uint32]int{} // keys by partial result and query row
		for _, i := range d.Shared {
			for flat := i.First; flat < min(i.First+uint32(a.sharedTile.rows), uint32(rows*perToken)); flat++ {
				at := i.To + (flat/uint32(perToken)*uint32(a.decodeTiles())+flat%uint32(perToken)/uint32(a.decodeTile.rows))*d.SharedRows[0].From
				k := [2]uint32{at, flat % uint32(perToken) % uint32(a.decodeTile.rows)}
				assert.Zero(t, written[k])
				written[k] = int(i.KeyEnd - i.KeyBegin)
			}
		}
		for _, i := range d.Decode {
			for r := range uint32(a.decodeTile.rows) {
				k := [2]uint32{i.To, r}
				assert.Zero(t, written[k])
				written[k] = int(i.KeyEnd - i.KeyBegin)
			}
		}
		for _, m := range d.Merges {
			for r := range uint32(min(a.decodeTile.rows, perToken-int(m.Flat))) {
				sum := 0
				for n := range m.Count {
					sum += written[[2]uint32{m.First + n, r}]
				}
				assert.EqualValues(t, d.Rows[m.Row].Start+1, sum)
			}
		}
		assert.Len(t, d.Merges, rows*a.decodeTiles())
	})
}

// What a query sees by its place, or its sequence, is not shared.
func TestSharedRefuses(t *testing.T) {
	onTheFirstHost(t)
	for name, change := range map[string]func(*Params){
		"window": func(p *Params) { p.Window = 500 }, "ALiBi": func(p *Params) { p.ALiBi = true }, "deterministic": func(p *Params) { p.Deterministic = true },
		"both ways": func(p *Params) { p.Bidirectional = true }, "mask": func(p *Params) { p.Mask = BooleanMask }, "dropout": func(p *Params) { p.Dropout.P = 0.5 },
		"not asked for": func(p *Params) { p.Shared = false },
	} {
		p := withStrides(Params{HeadDim: 64, Heads: 8, KVHeads: 2, Shared: true, SharedLate: true})
		change(&p)
		a, err := New(gputest.Device(t), p)
		require.NoError(t, err)
		assert.False(t, a.Shares(), name)
		assert.Nil(t, a.shared, name)
	}
}

// Nor are keys that several query heads share, where decode is as fast as what would read them for all.
func TestSharedPays(t *testing.T) {
	onTheFirstHost(t)
	for _, c := range []struct {
		heads   int
		variant string
		want    bool
	}{{2, "direct128x4", true}, {4, "direct128x4", false}, {3, "direct128x4", true}, {4, "split32", true}} {
		p := withStrides(Params{HeadDim: 32, Heads: c.heads, KVHeads: 1, KVType: kernel.KVF16, Shared: true, SharedLate: true, Variant: c.variant})
		if p.Runs(gputest.Device(t).Info()) != nil {
			continue // no subgroups
		}
		a, err := New(gputest.Device(t), p)
		require.NoError(t, err)
		assert.Equal(t, c.want, a.MayShare(), "%s, %d heads", c.variant, c.heads)
	}
}
