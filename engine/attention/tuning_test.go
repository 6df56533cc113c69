package attention

import (
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

func tuned(info gpu.AdapterInfo, tiles ...Best) Tunings {
	t := NewTuning(info)
	t.Tiles = tiles
	return Tunings{t}
}

func TestTunedChoice(t *testing.T) {
	plain := gpu.AdapterInfo{Name: "plain", Type: "discrete", Limits: gpu.Limits{MaxComputeWorkgroupStorageSize: 48 << 10, MaxComputeInvocationsPerWorkgroup: 256}}
	tight, software := plain, plain
	tight.Limits.MaxComputeWorkgroupStorageSize = 16 << 10
	software.Type = "cpu"
	base := Params{HeadDim: 64, Heads: 8, KVHeads: 8, BlockSize: 16, KVType: kernel.KVF16}
	with := func(change func(p *Params)) Params {
		p := base
		change(&p)
		return p
	}
	small := Best{HeadDim: 64, Prefill: "tile32x64", Decode: "split128"}
	large := Best{HeadDim: 128, Prefill: "tile16x16", Decode: "split32"}
	matrix := Best{HeadDim: 64, Prefill: "tile32x64", Matrix: "matrix128x32", Decode: "split128"}
	tests := []struct {
		name                    string
		adapter                 gpu.AdapterInfo
		params                  Params
		best                    []Best
		prefill, decode, matrix string
	}{
		{"measured", plain, base, []Best{small, large}, "tile32x64", "split128", ""},
		{"smaller head dim", plain, with(func(p *Params) { p.HeadDim = 40 }), []Best{small, large}, "tile32x64", "split128", ""},
		{"next head dim", plain, with(func(p *Params) { p.HeadDim = 80 }), []Best{small, large}, "tile16x16", "split32", ""},
		{"larger than measured", plain, with(func(p *Params) { p.HeadDim = 256 }), []Best{small, large}, "wide64x64x256", "split32", ""},
		{"unknown tiles", plain, base, []Best{{HeadDim: 64, Prefill: "tile1x1", Decode: "+"}}, "wide64x64x256", "split64", ""},
		{"tiles of the other kind", plain, base, []Best{{HeadDim: 64, Prefill: "split32", Decode: "tile32x32"}}, "wide64x64x256", "split64", ""},
		{"baseline measured", plain, base, []Best{{HeadDim: 64, Prefill: "baseline", Decode: "baseline"}}, "baseline", "baseline", ""},
		{"tile too large now", tight, base, []Best{{HeadDim: 64, Prefill: "tile64x64x256", Decode: "split32"}}, "tile64x32", "split32", ""},
		{"unknown tiles in software", software, base, []Best{{HeadDim: 64, Prefill: "tile1x1", Decode: "+"}}, "baseline", "baseline", ""},
		{"asked for by name", plain, with(func(p *Params) { p.Variant = "tile64x64" }), []Best{small}, "tile64x64", "baseline", ""},
		{"deterministic", plain, with(func(p *Params) { p.Deterministic = true }), []Best{small}, "baseline", "baseline", ""},
		{"matrix", matrixAdapter, base, []Best{matrix}, "tile32x64", "split128", "matrix128x32"},
		{"matrix slower", matrixAdapter, base, []Best{small}, "tile32x64", "split128", ""},
		{"matrix rounds f32", matrixAdapter, with(func(p *Params) { p.KVType = kernel.KVF32 }), []Best{matrix}, "tile32x64", "split128", ""},
		{"matrix gone", plain, base, []Best{matrix}, "tile32x64", "split128", ""},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			c.params.Tuning = tuned(c.adapter, c.best...).For(c.adapter)
			require.NotNil(t, c.params.Tuning)
			got, err := c.params.choose(c.adapter)
			require.NoError(t, err)
			require.Equal(t, c.prefill, got.prefill.name)
			require.Equal(t, c.decode, got.decode.name)
			if c.matrix == "" {
				require.Nil(t, got.matrix)
			} else {
				require.Equal(t, c.matrix, got.matrix.name)
			}
		})
	}
}

// A tuning that measured the default's own tile leaves the larger ones of many rows in place.
func TestTuningKeepsLargerTiles(t *testing.T) {
	info := gpu.AdapterInfo{Name: "large", Type: "discrete", Limits: gpu.Limits{MaxComputeWorkgroupStorageSize: 48 << 10, MaxComputeInvocationsPerWorkgroup: 256}}
	for prefill, many := range map[string]string{"": "square128x128", "wide64x64x256": "square128x128", "tile32x64": ""} {
		p := Params{HeadDim: 64, Heads: 8, KVHeads: 8, BlockSize: 16, KVType: kernel.KVF16}
		p.Tuning = tuned(info, Best{HeadDim: 64, Prefill: prefill, Decode: "split128"}).For(info)
		got, err := p.choose(info)
		require.NoError(t, err)
		require.Equal(t, many, got.many.name, "measured %q", prefill)
	}
}

func TestTunings(t *testing.T) {
	one := gpu.AdapterInfo{Name: "one", Backend: "vulkan", Driver: "1.0"}
	two := gpu.AdapterInfo{Name: "two", Backend: "vulkan", Driver: "1.0"}
	all := tuned(one, Best{HeadDim: 64, Prefill: "tile32x32", Decode: "split64", Units: 30}).With(tuned(two)[0])
	got, err := ParseTunings(all.Text())
	require.NoError(t, err)
	require.Equal(t, all.Text(), got.Text())
	require.Equal(t, &all[0], got.For(one))
	require.Equal(t, 30, got.For(one).Units(40))
	require.Zero(t, got.For(one).Units(65))
	require.Zero(t, got.For(gpu.AdapterInfo{Name: "three"}).Units(40))

	updated := one
	updated.Driver = "1.1"
	require.Nil(t, got.For(updated), "another driver")
	foreign := got[0]
	foreign.Kernels = "other"
	require.Nil(t, Tunings{foreign}.For(one), "other kernels")
	require.Len(t, got.With(tuned(updated)[0]), 2, "an adapter has one")
	require.Nil(t, got.Without("one", "vulkan").For(one))
	require.NotNil(t, got.For(one), "the receiver is left as it was")
}

// A quick tuning leaves of a fuller one what it does not measure.
func TestTuningsMerge(t *testing.T) {
	info := gpu.AdapterInfo{Name: "one", Backend: "vulkan", Driver: "1.0"}
	full := tuned(info, Best{HeadDim: 64, Prefill: "tile32x32", Decode: "split64", Units: 30}, Best{HeadDim: 128, Prefill: "tile64x32", Decode: "split32", Units: 40})
	quick := tuned(info, Best{HeadDim: 64, Prefill: "tile16x16", Decode: "split128"})[0]
	want := []Best{{HeadDim: 64, Prefill: "tile16x16", Decode: "split128", Units: 30}, full[0].Tiles[1]}
	require.Equal(t, want, full.With(quick).For(info).Tiles)
	require.Equal(t, want, Tunings{quick}.With(Tuning{}).With(tuned(info, want...)[0]).For(info).Tiles, "newer units are taken")
	require.Equal(t, 30, full[0].Tiles[0].Units, "the receiver is left as it was")
	require.Zero(t, quick.Tiles[0].Units, "and so is the argument")

	between := tuned(info, Best{HeadDim: 96, Prefill: "baseline", Decode: "baseline"})[0]
	got := full.With(between).For(info).Tiles
	require.Equal(t, []int{64, 96, 128}, []int{got[0].HeadDim, got[1].HeadDim, got[2].HeadDim})

	plain := quick
	plain.Plain = true
	require.Equal(t, quick.Tiles, full.With(plain).For(info).Tiles, "what was measured with subgroups")
	older := full[0]
	older.Driver = "0.9"
	require.Equal(t, quick.Tiles, Tunings{older}.With(quick).For(info).Tiles, "another driver's")
}

// Products are remembered by their matrices, beside tiles: what a tuning did not measure stays.
func TestTunedProducts(t *testing.T) {
	info := gpu.AdapterInfo{Name: "one", Backend: "vulkan", Driver: "1.0"}
	row := func(m kernel.RowMatrix, lanes int) Tuning {
		u := NewTuning(info)
		u.Products = []kernel.TunedRow{{RowMatrix: m, RowShape: kernel.RowShape{Lanes: lanes, Tile: 4, Workgroup: 128}}}
		return u
	}
	down, head := kernel.RowMatrix{Type: "Q4_K", Rows: 2048, Columns: 8192}, kernel.RowMatrix{Type: "Q6_K", Rows: 128256, Columns: 2048}
	plain := tuned(info, Best{HeadDim: 64, Prefill: "baseline", Decode: "baseline"})
	plain[0].Plain = true
	text := plain.With(row(down, 32)).With(row(head, 64)).With(row(down, 128)).Text()
	all, err := ParseTunings(text)
	require.NoError(t, err)
	got := all.For(info)
	require.Equal(t, plain[0].Tiles, got.Tiles)
	require.True(t, got.Plain, "nothing was learned of it")
	require.Len(t, got.Products, 2)
	require.Equal(t, 128, got.Row(down).Lanes)
	require.Equal(t, 64, got.Row(head).Lanes)
	require.Nil(t, got.Row(kernel.RowMatrix{Type: "Q6_K", Rows: 2048, Columns: 8192}))
	require.Equal(t, 64, all.With(tuned(info)[0]).For(info).Row(head).Lanes, "tiles alone")
	quick := row(down, 8)
	quick.Products[0].Quick = true
	require.Equal(t, 128, all.With(quick).For(info).Row(down).Lanes, "a longer run's stays")
	require.Equal(t, 8, Tunings{quick}.With(row(head, 64)).For(info).Row(down).Lanes)
	require.Equal(t, 16, Tunings{quick}.With(row(down, 16)).For(info).Row(down).Lanes)
	again := row(down, 4)
	again.Products[0].Quick = true
	require.Equal(t, 4, Tunings{quick}.With(again).For(info).Row(down).Lanes)
	require.Equal(t, 8, quick.Row(down).Lanes, "the receiver is left as it was")
	var none *Tuning
	require.Nil(t, none.Row(down))
}

// Tiles of several rows' products are remembered by matrix and number of rows, and come back as they were written.
func TestTunedProductTiles(t *testing.T) {
	info := gpu.AdapterInfo{Name: "one", Backend: "vulkan", Driver: "1.0"}
	down := kernel.TileMatrix{RowMatrix: kernel.RowMatrix{Type: "Q4_K", Rows: 2048, Columns: 8192}}
	normed := down
	normed.Norm = true
	tiles := func(all ...kernel.TunedTile) Tuning {
		u := NewTuning(info)
		u.ProductTiles = all
		return u
	}
	older := tiles(kernel.TunedTile{TileMatrix: down, Tokens: 512, Tile: "tile128"}, kernel.TunedTile{TileMatrix: normed, Tokens: 8, Tile: "skinny4x64"})
	older.Products = []kernel.TunedRow{{RowMatrix: down.RowMatrix, RowShape: kernel.RowShape{Lanes: 8, Tile: 4, Workgroup: 128}}}
	text := Tunings{older}.With(tiles(kernel.TunedTile{TileMatrix: down, Tokens: 512, Tile: "tile64"}, kernel.TunedTile{TileMatrix: down, Tokens: 128, Tile: "tile128ahead"})).Text()
	all, err := ParseTunings(text)
	require.NoError(t, err)
	require.Equal(t, text, all.Text())
	got := all.For(info)
	require.Equal(t, kernel.TileNames{"", "", "tile128ahead", "tile64"}, got.TilesOf(down))
	require.Equal(t, kernel.TileNames{"skinny4x64"}, got.TilesOf(normed))
	require.Equal(t, 8, got.Row(down.RowMatrix).Lanes, "what was not measured stays")
	require.Equal(t, "tile128", older.TilesOf(down)[3], "the receiver is left as it was")
	down.Gated = true
	require.Zero(t, got.TilesOf(down))
	var none *Tuning
	require.Zero(t, none.TilesOf(normed))
	strange := tiles(kernel.TunedTile{TileMatrix: down, Tokens: 7, Tile: "tile64"})
	require.Zero(t, strange.TilesOf(down))
}

// A tile that no tuning gives refuses the text, by its name.
func TestParseUnknownTiles(t *testing.T) {
	for tile, want := range map[string]string{
		`"tokens": 512, "tile": "tile96"`:   `GPU, products of Q4_K of 64 × 256: tile "tile96" for 512 tokens is not known`,
		`"tokens": 8, "tile": "skinny8x32"`: `tile "skinny8x32" for 8 tokens is not known`,
		`"tokens": 32`:                      `tile "" for 32 tokens is not known`,
		`"tokens": 7, "tile": "tile64"`:     "7 tokens, which no tile is measured with",
	} {
		_, err := ParseTunings([]byte(`{"quire_tuning": 2, "adapters": [{"adapter": "GPU", "productTiles": [{"type": "Q4_K", "rows": 64, "columns": 256, ` + tile + `}]}]}`))
		require.ErrorIs(t, err, ErrTunings)
		require.ErrorContains(t, err, want)
	}
}

func TestParseTunings(t *testing.T) {
	for name, text := range map[string]string{
		"empty":            "",
		"no JSON":          "tiles",
		"another kind":     `{"model": "x"}`,
		"another version":  `{"quire_tuning": 1, "adapters": []}`,
		"cut":              `{"quire_tuning": 2, "adapters": [`,
		"another type":     `{"quire_tuning": 2, "adapters": 7}`,
		"a head dim of 0":  `{"quire_tuning": 2, "adapters": [{"tiles": [{"headDim": 0}]}]}`,
		"equal head dims":  `{"quire_tuning": 2, "adapters": [{"tiles": [{"headDim": 64}, {"headDim": 64}]}]}`,
		"falling head dim": `{"quire_tuning": 2, "adapters": [{"tiles": [{"headDim": 128}, {"headDim": 64}]}]}`,
		"units below zero": `{"quire_tuning": 2, "adapters": [{"tiles": [{"headDim": 64, "units": -1}]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseTunings([]byte(text))
			require.ErrorIs(t, err, ErrTunings)
		})
	}
}

// A tile is measured as it is used.
func TestAsChosen(t *testing.T) {
	lanes := gpu.AdapterInfo{Type: "discrete", Features: gpu.FeatureSubgroups, SubgroupMin: 32}
	software := lanes
	software.Type = "cpu"
	for _, c := range []struct {
		tile    string
		adapter gpu.AdapterInfo
		plain   bool // subgroups were found wrong
		want    string
	}{
		{"tile32x32", lanes, false, "tile32x32+subgroup"},
		{"tile32x32", lanes, true, "tile32x32"},
		{"tile32x32", software, false, "tile32x32"},
		{"tile32x32", gpu.AdapterInfo{Type: "discrete"}, false, "tile32x32"},
		{"matrix64x32", matrixAdapter, false, "matrix64x32"},
	} {
		p := Params{HeadDim: 64, Heads: 8, KVHeads: 8, BlockSize: 16, Tuning: &tuned(c.adapter, Best{HeadDim: 64, Prefill: "tile32x32", Decode: "split64"})[0]}
		p.Tuning.Plain = c.plain
		require.Equal(t, c.want, p.Tuning.AsChosen(c.tile, c.adapter))
		got, err := p.choose(c.adapter)
		require.NoError(t, err)
		require.Equal(t, p.Tuning.AsChosen("tile32x32", c.adapter) != "tile32x32", got.subgroup)
		p.Tuning.Tiles = nil
		got, err = p.choose(c.adapter)
		require.NoError(t, err)
		require.Equal(t, p.Tuning.AsChosen("tile32x32", c.adapter) != "tile32x32", got.subgroup, "at other head dims too")
	}
	p := withStrides(Params{HeadDim: 64, Heads: 8, KVHeads: 8, Tuning: &Tuning{Plain: true, Tiles: []Best{{HeadDim: 64, Prefill: "tile32x32", Decode: "direct128x4"}}}})
	got, err := p.choose(lanes)
	require.NoError(t, err)
	require.False(t, got.decode.direct, "what needs subgroups that are wrong is not taken")
	var none *Tuning
	require.Equal(t, "tile32x32+subgroup", none.AsChosen("tile32x32", lanes))
}

// UnitsFor is ChooseSplit's inverse.
func TestUnitsFor(t *testing.T) {
	for _, span := range []int{64, 128, 512, 2048} {
		require.Equal(t, span, ChooseSplit([]int{8192}, 8, UnitsFor(span, 8192, 8), 128))
	}
	require.Equal(t, 1, UnitsFor(4096, 512, 1))
}
