package attention

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
)

// A walk in parts adds in the order of one walk: on software adapters, whose compilers contract nothing, the bits are the same.
func TestWalkInParts(t *testing.T) {
	lengths, counts := []int{300, 40, 1, 161, 0, 290}, []int{33, 40, 1, 5, 0, 3}
	for name, p := range map[string]Params{
		"prefill and decode": {HeadDim: 64, Heads: 4, KVHeads: 2},
		"deterministic":      {HeadDim: 64, Heads: 4, KVHeads: 2, Deterministic: true},
		"window":             {HeadDim: 20, Heads: 2, KVHeads: 1, Window: 130, Variant: "baseline"}, // GPUs' tiles take it in one walk
		"tile":               {HeadDim: 64, Heads: 2, KVHeads: 1, Variant: "tile16x16"},
		"wide":               {HeadDim: 64, Heads: 2, KVHeads: 1, Variant: "wide64x64"},
		"square":             {HeadDim: 64, Heads: 2, KVHeads: 1, Variant: "square64x64"},
	} {
		if caseShare() > 1 && name != "prefill and decode" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			p.KVType, p.BlockSize = kernel.KVF32, 16
			s := newScene(t, p, 64, lengths, counts)
			whole := s.run()
			require.Equal(t, 1, s.launches)
			s = newScene(t, p, 64, lengths, counts)
			s.params.MaxKeys, s.params.MaxTurns = 300, 700
			parts := s.run()
			require.Greater(t, s.launches, 1)
			s.check(parts, 2, 1e-5)
			if s.dev.Info().Type == "cpu" {
				assert.Equal(t, whole, parts)
			}
		})
	}
}

// Keys past the turns that Mesa's lavapipe gives an invocation count as the others do.
func TestManyKeys(t *testing.T) {
	if runtime.GOOS == "js" && !everything() {
		t.Skip("lavapipe's loops are what this is about")
	}
	for name, p := range map[string]Params{
		"prefill and decode": {},
		"deterministic":      {Deterministic: true},
	} {
		if caseShare() > 1 && !p.Deterministic {
			continue
		}
		t.Run(name, func(t *testing.T) {
			p.HeadDim, p.Heads, p.KVHeads, p.KVType, p.BlockSize, p.MaxKeys = 64, 2, 1, kernel.KVF32, 16, 70000
			s := newScene(t, p, 70000, []int{70000, 69990}, []int{20, 1})
			s.check(s.run(), 2, 1e-5)
		})
	}
}

// More keys than one launch walks are refused where nothing says that there will be more.
func TestTooManyKeys(t *testing.T) {
	d := gputest.Device(t)
	p := Params{HeadDim: 8, Heads: 1, KVHeads: 1, BlockSize: 16, QStride: 8, OutStride: 8, Scale: 1, Deterministic: true, MaxTurns: 700}
	a, err := New(d, p)
	require.NoError(t, err)
	n := a.MaxKeys()
	_, err = a.Plan([]Sequence{{Queries: 2, Keys: n, Table: make([]uint32, n/16+1)}}, 0)
	require.NoError(t, err)
	_, err = a.Plan([]Sequence{{Queries: 2, Keys: n + 1, Table: make([]uint32, n/16+1)}}, 0)
	require.ErrorContains(t, err, "set Params.MaxKeys")
	p.MaxTurns = 20
	_, err = New(d, p)
	require.ErrorIs(t, err, kernel.ErrTurns)
}

// Gradients of a backward pass in parts are those of one walk within the rule of accuracy.
func TestBackwardInParts(t *testing.T) {
	for i, c := range []backwardCase{
		{pairs: [][2]int{{113, 203}, {40, 20}, {0, 9}, {200, 200}}, params: Params{HeadDim: 32, Heads: 4, KVHeads: 2, Variant: "baseline"}},
		{pairs: [][2]int{{113, 203}, {90, 20}}, params: Params{HeadDim: 8, Heads: 2, KVHeads: 1, Bidirectional: true, Window: 30, Sinks: 5, Variant: "baseline"}},
	} {
		if i%caseShare() != 0 {
			continue
		}
		s := newBackwardScene(t, c)
		s.params.MaxKeys, s.params.MaxTurns = 203, []int{2000, 900}[i]
		s.forward()
		r := s.bind()
		require.True(t, r.backward.keysWalk.parts && r.backward.queriesWalk.parts)
		r.run()
		s.check()
	}
}

// largeInfo is a large GPU.
func largeInfo() gpu.AdapterInfo {
	info := gpu.AdapterInfo{Type: "discrete", SubgroupMin: 32, SubgroupMax: 32, Features: gpu.FeatureSubgroups}
	info.Limits.MaxComputeWorkgroupStorageSize, info.Limits.MaxComputeInvocationsPerWorkgroup = 49152, 1024
	return info
}

// walkOf is a tile's kernel and its walk, of one launch.
func (p Params) walkOf(t *testing.T, s shape, c choice, info gpu.AdapterInfo) (kernel.Spec, walk) {
	tile, err := s.tile(p.HeadDim, memoryLimit(info), false)
	require.NoError(t, err)
	spec := p.spec(tile, c, info)
	switch {
	case s.wide:
		spec = p.wideSpec(tile, c, info, 1)
	case s.square:
		spec = p.squareSpec(tile, c, info)
	case s.direct:
		spec = p.directSpec(tile, 1)
	}
	if !s.direct {
		spec.Slots["walk"] = "walk_whole"
	}
	w, err := p.whole(&spec, tile.keys)
	require.NoError(t, err)
	return spec, w
}

// Every kernel's launch takes the tiles of which no turns are counted.
func TestSureTiles(t *testing.T) {
	for _, c := range []Params{{HeadDim: 8}, {HeadDim: 64, Window: 50, Sinks: 5, Softcap: 50, ALiBi: true}, {HeadDim: 111, KVType: kernel.KVQ8}, {HeadDim: 256, KVType: kernel.KVF16}, {HeadDim: 512}} {
		p, info := withStrides(c), largeInfo()
		p.Heads, p.KVHeads = 4, 2
		prefill, decode := Tiles(info, p)
		for _, name := range append(prefill, decode...) {
			p.Variant = name
			c, err := p.choose(info)
			require.NoError(t, err)
			for _, s := range []shape{c.prefill, c.decode} {
				spec, w := p.walkOf(t, s, c, info)
				require.Positive(t, p.sure(&spec))
				require.GreaterOrEqual(t, w.tiles, p.sure(&spec), "%s of head dim %d", s.name, p.HeadDim)
			}
		}
	}
}

// What a large GPU chooses has no more turns than every adapter takes, whatever hides keys.
func TestLargeChoicesFit(t *testing.T) {
	onTheFirstHost(t)
	for name, p := range map[string]Params{
		"nothing":          {HeadDim: 64, Heads: 4, KVHeads: 2},
		"dropout":          {HeadDim: 64, Heads: 4, KVHeads: 4, Dropout: Dropout{P: 0.25}},
		"all":              {HeadDim: 59, Heads: 4, KVHeads: 4, Window: 30, Sinks: 5, ALiBi: true, Softcap: 2, Mask: AdditiveMask, Dropout: Dropout{P: 0.25}},
		"mask, many heads": {HeadDim: 40, Heads: 24, KVHeads: 1, Mask: BooleanMask},
		"small head":       {HeadDim: 8, Heads: 8, KVHeads: 1, Mask: BooleanMask, Dropout: Dropout{P: 0.25}},
		"large head":       {HeadDim: 256, Heads: 8, KVHeads: 1, Dropout: Dropout{P: 0.25}},
		"square":           {HeadDim: 128, Heads: 2, KVHeads: 2, Dropout: Dropout{P: 0.25}},
		"named":            {HeadDim: 32, Heads: 2, KVHeads: 2, Dropout: Dropout{P: 0.25}, Variant: "square128x128+direct256x4"},
	} {
		for _, keys := range []int{0, 12000, 20000} {
			t.Run(fmt.Sprintf("%s %d", name, keys), func(t *testing.T) {
				p, info := withStrides(p), largeInfo()
				p.MaxKeys = keys
				c, err := p.choose(info)
				require.NoError(t, err)
				fits := func(spec kernel.Spec, tiles int) {
					turns, err := spec.Turns()
					require.NoError(t, err)
					require.LessOrEqual(t, turns, kernel.MaxTurns, "%s %s", spec.File, spec.Variant)
					require.Positive(t, tiles)
				}
				for _, s := range []shape{c.prefill, c.decode} {
					spec, w := p.walkOf(t, s, c, info)
					fits(spec, w.tiles)
				}
				_, spec, tiles, err := p.manySpec(c, info)
				require.NoError(t, err)
				require.Equal(t, p.Variant == "" && p.HeadDim > 32 && p.HeadDim <= 64, tiles > 0)
				if tiles > 0 {
					fits(spec, tiles)
				}
			})
		}
	}
	p := withStrides(Params{HeadDim: 64, Heads: 4, KVHeads: 2, Mask: BooleanMask, MaxTurns: 150})
	c, err := p.choose(largeInfo())
	require.NoError(t, err)
	_, _, tiles, err := p.manySpec(c, largeInfo())
	require.NoError(t, err)
	require.Zero(t, tiles, "the smaller tiles take all")
}
