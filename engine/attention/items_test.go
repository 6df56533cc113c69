package attention

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
)

// Every tile keeps the limits of its adapters: the baseline those that all have.
func TestTilesFit(t *testing.T) {
	onTheFirstHost(t)
	for dim := 1; dim <= MaxHeadDim; dim += 1 + dim/257*16 {
		for heads := 1; heads <= 40; heads++ {
			p := Params{HeadDim: dim, Heads: heads, KVHeads: 1}
			prefill, decode := p.baseline()
			for _, s := range append([]shape{prefill, decode}, tiles...) {
				if s.decode && s.name != "baseline" {
					s = s.rowsFor(p)
				}
				for _, limit := range []int{32 << 10, namedMemory} {
					tile, err := s.tile(dim, limit, false)
					if s.name != "baseline" && err != nil {
						continue
					}
					require.NoError(t, err)
					require.LessOrEqual(t, tile.memory(), limit, "%s head dim %d", s.name, dim)
					require.LessOrEqual(t, tile.threads(), 256)
					require.GreaterOrEqual(t, tile.slabs*tile.slab()*4, dim)
					require.True(t, s.direct || tile.rows%(4*tile.threadsY) == 0)
					require.Zero(t, tile.keys%(tile.slabs*tile.parts()), "%s head dim %d", s.name, dim)
					if s.name == "baseline" {
						require.LessOrEqual(t, tile.memory(), 16384)
					}
				}
			}
		}
	}
}

func TestTileDoesNotFit(t *testing.T) {
	_, err := shape{name: "tile64x64", rows: 64, keys: 64, threadsX: 16, threadsY: 8}.tile(64, 16<<10, false)
	require.ErrorContains(t, err, "tile64x64 does not fit 16384 bytes")
}

func TestItems(t *testing.T) {
	a, err := New(gputest.Device(t), Params{HeadDim: 64, Heads: 6, KVHeads: 2, BlockSize: 16, QStride: 384, OutStride: 384, Scale: 1, Variant: "baseline"})
	require.NoError(t, err)
	assert.Equal(t, []kernel.Item{{Row: 3, First: 32, KeyEnd: 112}, {Row: 3, First: 16, KeyEnd: 111}, {Row: 3, First: 0, KeyEnd: 106}},
		a.appendPrefillItems(nil, 3, 12, 100))
	var list kernel.Items
	a.appendDecodeItems(&list, 2, 1, 70, 40)
	assert.Equal(t, []kernel.Item{{Row: 2, KeyEnd: 64}, {Row: 2, KeyBegin: 64, KeyEnd: 70, To: 1}}, list.Decode)
	assert.Equal(t, []kernel.Merge{{Row: 2, Count: 2}}, list.Merges)
	a.appendDecodeItems(&list, 4, 1, 64, 64)
	assert.Equal(t, kernel.Item{Row: 4, First: itemWhole, KeyEnd: 64}, list.Decode[2])
	assert.Len(t, list.Merges, 1, "one span needs no merge")
	a.appendDecodeItems(&list, 5, 2, 70, 40)
	assert.Equal(t, []kernel.Merge{{Row: 2, Count: 2}, {Row: 5, First: 2, Count: 2}, {Row: 5, First: 4, Count: 2, Flat: 4}}, list.Merges)
	assert.Equal(t, 6, list.Partials)
	assert.Equal(t, 2, a.DecodeItems(1, 70, 40))
	assert.Equal(t, 4, a.DecodeItems(2, 70, 40), "6 rows are two tiles")
	assert.Zero(t, a.DecodeItems(9, 70, 40))
	assert.EqualValues(t, 3*2*4*17*16, a.PartialBytes(3))
}

func TestChooseSplit(t *testing.T) {
	assert.Equal(t, 4096, ChooseSplit([]int{100}, 8, 1, 128), "a software GPU needs no split")
	assert.Equal(t, 64, ChooseSplit([]int{2048}, 8, 132, 128))
	assert.Equal(t, 256, ChooseSplit([]int{2048, 2048, 2048, 2048}, 8, 32, 128))
	assert.Equal(t, 4096, ChooseSplit(nil, 8, 132, 128))
	assert.Equal(t, 4096, ChooseSplit([]int{128, 10}, 8, 132, 128), "short ones need no merge")
	assert.Equal(t, 4096, ChooseSplit([]int{256, 10}, 8, 132, 256))
	assert.Equal(t, 64, ChooseSplit([]int{129, 10}, 8, 132, 128))
	assert.Equal(t, 1024, ChooseSplit([]int{131072}, 1, 132, 128), "a merge of 128 spans at most")
	assert.Equal(t, 1025, ChooseSplit(slices.Repeat([]int{8200}, 8), 8, 64, 128), "8 spans each, of about one length")
	assert.Equal(t, 1656, ChooseSplit(slices.Repeat([]int{8190}, 12), 8, 64, 128), "5 spans each, as 6 do not all run at once")
	assert.Equal(t, 226, ChooseSplit(append(slices.Repeat([]int{100}, 63), 8150), 8, 64, 128), "short ones leave a long one its spans")
}

// A fast tile takes twice as many keys before a merge pays.
func TestUnsplit(t *testing.T) {
	onTheFirstHost(t)
	for variant, want := range map[string]int{"": 128, "split32": 128, "direct128x2": 256, "direct128x4": 512} {
		p := withStrides(Params{HeadDim: 32, Heads: 4, KVHeads: 1, KVType: kernel.KVF16, Variant: variant})
		if info := gputest.Device(t).Info(); p.Runs(info) != nil || variant == "" && info.Type != "cpu" {
			continue
		}
		a, err := New(gputest.Device(t), p)
		require.NoError(t, err)
		assert.Equal(t, want, a.Unsplit(), variant)
	}
}

func TestRefuses(t *testing.T) {
	good := Params{HeadDim: 64, Heads: 6, KVHeads: 2, BlockSize: 16, QStride: 384, OutStride: 384, Scale: 1}
	for want, change := range map[string]func(*Params){
		"at most":  func(p *Params) { p.HeadDim = MaxHeadDim + 1 },
		"KV heads": func(p *Params) { p.Heads = 5 },
		"block":    func(p *Params) { p.BlockSize = 0 },
		"q stride": func(p *Params) { p.QOffset = 1 },
		"output":   func(p *Params) { p.OutStride = 383 },
		"window":   func(p *Params) { p.Window = -1 },
		"softcap":  func(p *Params) { p.Softcap = -1 },
		"variant":  func(p *Params) { p.Variant = "none" },
		"KV group": func(p *Params) { p.Group = -1 },
		"sinks":    func(p *Params) { p.Sinks = -1 },
		"queries":  func(p *Params) { p.QType = kernel.KVQ8 },
		"mask":     func(p *Params) { p.Mask = AdditiveMask + 1 },
		"dropout":  func(p *Params) { p.Dropout.P = 1 },
	} {
		p := good
		change(&p)
		_, err := New(gputest.Device(t), p)
		require.ErrorContains(t, err, want)
	}
}

// A window leaves a step's items as they are; other heads do not.
func TestSameItems(t *testing.T) {
	onTheFirstHost(t)
	for _, deterministic := range []bool{false, true} {
		p := Params{HeadDim: 32, Heads: 4, KVHeads: 2, BlockSize: 16, KVType: kernel.KVF16, QStride: 256, OutStride: 128, Scale: 1, MaxKeys: 70000,
			Deterministic: deterministic}
		d := gputest.Device(t)
		attend := func(change func(*Params)) *Attention {
			changed := p
			change(&changed)
			a, err := New(d, changed)
			require.NoError(t, err)
			t.Cleanup(a.Release)
			return a
		}
		full := attend(func(*Params) {})
		assert.True(t, full.SameItems(attend(func(p *Params) { p.Window, p.Group = 512, 3 })))
		assert.False(t, full.SameItems(attend(func(p *Params) { p.KVHeads = 4 })))
		assert.False(t, full.SameItems(attend(func(p *Params) { p.Bidirectional = true })))
	}
}
