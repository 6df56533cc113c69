package attention

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
)

// A key whose logit is the largest by far, hidden by the mask, the window or its place behind the query, leaves no trace.
func TestHiddenKeyDoesNotLeak(t *testing.T) {
	for name, c := range map[string]struct {
		params Params
		key    int
	}{
		"mask":   {Params{Mask: BooleanMask}, 20},
		"window": {Params{Window: 8}, 20},
		"causal": {Params{}, 69}, // only the last query sees it, and its row gives that key's V
	} {
		if caseShare() > 1 && name != "mask" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			p := c.params
			p.HeadDim, p.Heads, p.KVHeads, p.Contiguous = 32, 2, 1, true
			l := newLaunch(t, launchCase{params: p, pairs: [][2]int{{40, 70}, {3, 70}}, span: 32})
			for _, s := range l.sequences {
				if p.Mask != NoMask {
					s.mask = func(_, _, key int) (float32, bool) { return 0, key != c.key }
				}
				for i := range s.q {
					s.q[i] = float32(math.Abs(float64(s.q[i])))
				}
				for e := range p.HeadDim {
					s.k[c.key*p.HeadDim+e], s.v[c.key*p.HeadDim+e] = 1e4, 1e6
				}
				if name == "causal" {
					s.rows = s.rows[:len(s.rows)-1]
				}
			}
			l.run()
			l.check()
		})
	}
}

// A softmax that is nearly one-hot comes out right at any size of its logits, in every way of staging.
func TestExtremeLogits(t *testing.T) {
	for _, variant := range []string{"baseline", "tile32x32", "f16"} {
		if caseShare() > 1 && variant == "baseline" { // TestExtremeScores has it
			continue
		}
		t.Run(variant, func(t *testing.T) {
			if variant == "f16" && !gputest.Device(t).Features().Has(gpu.FeatureF16) {
				return
			}
			p := Params{HeadDim: 64, Heads: 4, KVHeads: 2, Scale: 1, Contiguous: true, Variant: variant}
			l := newLaunch(t, launchCase{params: p, pairs: [][2]int{{1, 200}, {20, 200}}, span: 64})
			for _, s := range l.sequences {
				for i := range s.q {
					s.q[i] = 1
				}
				for i := range s.k {
					// Scores climb from -2.5e5 to 1e4 with the key; f16 holds the steps of the last ones exactly.
					key := i / (2 * 64)
					s.k[i] = float32(-4000 + 27*min(key, 150))
					if key >= 150 {
						s.k[i] = 156.25 - float32(key%5)/8
					}
				}
			}
			l.run()
			l.check()
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	dev := gputest.Device(t)
	p := withStrides(Params{HeadDim: 64, Heads: 8, KVHeads: 2, Mask: BooleanMask, Variant: "baseline"})
	a, err := New(dev, p)
	require.NoError(t, err)
	all := func(int, int, int) (float32, bool) { return 1, true }
	mask := func(kind MaskKind, heads, queries, keys int) Mask {
		m, err := NewMask(kind, heads, queries, keys, all)
		require.NoError(t, err)
		return m
	}
	two := []uint32{1, 2}
	for want, s := range map[string]Sequence{
		"do not fit its 2 blocks": {Queries: 1, Keys: 33, Table: two},
		"not be negative":         {Queries: -1, Keys: 3, Table: two},
		"must not be negative":    {Queries: 1, Keys: -3, Table: two},
		"too long":                {Queries: math.MaxInt32, Keys: 3, Table: two},
		"not of the kind":         {Queries: 1, Keys: 3, Table: two, Mask: mask(AdditiveMask, 1, 1, 3)},
		"1 heads and 2 × 1":       {Queries: 1, Keys: 3, Table: two, Mask: mask(BooleanMask, 1, 33, 3)},
		"3 heads":                 {Queries: 1, Keys: 3, Table: two, Mask: mask(BooleanMask, 3, 1, 3)},
	} {
		_, err := a.Plan([]Sequence{{Queries: 1, Keys: 32, Table: two}, s}, 0)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "sequence 1")
	}
	d, err := a.Plan([]Sequence{{}, {Queries: 3}, {Queries: 9, Keys: 9, Table: two}}, 0)
	require.NoError(t, err, "empty sequences are none of an error")
	require.Equal(t, []kernel.Item{{Row: 1, First: itemWhole}, {Row: 1, First: 4 | itemWhole}, {Row: 1, First: 8 | itemWhole}}, d.Decode)
	require.Len(t, d.Prefill, 3)
}

// Contexts to 131,072 tokens become spans that cover them once each, and few enough to merge.
func TestLongSpans(t *testing.T) {
	a, err := New(gputest.Device(t), withStrides(Params{HeadDim: 64, Heads: 32, KVHeads: 8, Contiguous: true}))
	require.NoError(t, err)
	for _, keys := range []int{1, 4096, 16384, 131072, 131071} {
		for _, queries := range []int{1, 8} {
			d, err := a.Plan([]Sequence{{Queries: queries, Keys: keys}}, 0)
			require.NoError(t, err)
			require.Empty(t, d.Prefill)
			require.LessOrEqual(t, len(d.Decode), queries*4/a.decodeTile.rows*maxSpans)
			covered := map[uint32]uint32{}
			for _, item := range d.Decode {
				first := item.First &^ itemWhole
				require.Equal(t, covered[first], item.KeyBegin)
				covered[first] = item.KeyEnd
			}
			require.Len(t, covered, queries*4/a.decodeTile.rows)
			for _, end := range covered {
				require.EqualValues(t, keys, end)
			}
		}
	}
}

// One long context at a small head dim: many spans, merged.
func TestLongContext(t *testing.T) {
	c := launchCase{pairs: [][2]int{{1, 20000}, {3, 9001}}, span: 128, params: Params{HeadDim: 8, Heads: 2, KVHeads: 1, KVType: kernel.KVF16}}
	l := newLaunch(t, c)
	l.run()
	l.check()
}
