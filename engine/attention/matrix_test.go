package attention

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
)

// Small tiles, so that short sequences have many: two subgroups of one or two fragments.
var (
	small = matrixTile{name: "small", subgroups: 2, fragments: 1, keys: 16}
	tall  = matrixTile{name: "tall", subgroups: 1, fragments: 2, keys: 32}
)

// mixedBlocks hides some blocks of a mask whole, leaves some plain, and adds to the scores of the others.
func mixedBlocks(head, query, key int) (float32, bool) {
	switch (query/32 + key/32 + head) % 3 {
	case 0:
		return 0, key/32 == 0
	case 1:
		return 0, true
	}
	return float32((query*7+key*3)%5) - 2, (query+key)%4 != 0
}

func TestMatrix(t *testing.T) {
	if runtime.GOOS != "js" {
		onTheFirstHost(t) // wgpu has no subgroup matrices
	}
	tests := []struct {
		name          string
		params        Params
		tile          matrixTile
		subgroup      int
		queries, keys []int
	}{
		{"causal f16", Params{HeadDim: 48, Heads: 4, KVHeads: 2, KVType: kernel.KVF16, LSE: true}, small, 16, []int{70, 1, 17}, []int{70, 40, 90}},
		{"contiguous f32", Params{HeadDim: 16, Heads: 3, KVHeads: 1, Contiguous: true}, tall, 16, []int{40, 33}, []int{70, 33}},
		{"lanes share rows", Params{HeadDim: 27, Heads: 2, KVHeads: 2, QType: kernel.KVF16, KVType: kernel.KVF16, Contiguous: true, LSE: true},
			small, 32, []int{40, 3, 20}, []int{75, 0, 7}},
		{"bidirectional window", Params{HeadDim: 16, Heads: 2, KVHeads: 1, Bidirectional: true, Window: 9, Sinks: 2, Softcap: 2, LSE: true},
			small, 16, []int{60}, []int{75}},
		{"window and sinks", Params{HeadDim: 16, Heads: 2, KVHeads: 1, Window: 11, Sinks: 3, ALiBi: true}, small, 16, []int{60, 90}, []int{90, 90}},
		{"additive mask", Params{HeadDim: 16, Heads: 2, KVHeads: 1, Mask: AdditiveMask, Bidirectional: true, LSE: true}, small, 16, []int{70}, []int{100}},
		{"boolean mask and dropout", Params{HeadDim: 16, Heads: 2, KVHeads: 2, Mask: BooleanMask, Dropout: Dropout{P: 0.3}}, tall, 16, []int{70}, []int{100}},
	}
	for i, c := range tests {
		if i%min(3, caseShare()) != 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			s := newMatrixScene(t, c.params, c.tile, c.subgroup, c.queries, c.keys)
			if c.params.Mask != NoMask {
				for _, seq := range s.sequences {
					seq.mask = func(head, query, key int) (float32, bool) {
						add, visible := mixedBlocks(head, query, key)
						return add * float32(c.params.Mask-BooleanMask), visible
					}
				}
			}
			s.check()
		})
	}
}

// A row's maximum climbs from tile to tile by more than the slack, in some rows only: O follows through workgroup memory.
func TestMatrixFollowsMaximum(t *testing.T) {
	onTheFirstHost(t)
	s := newMatrixScene(t, Params{HeadDim: 32, Heads: 1, KVHeads: 1, Contiguous: true, LSE: true, Scale: 1}, small, 16, []int{100}, []int{100})
	seq := s.sequences[0]
	for i := range seq.q {
		seq.q[i] *= 0.4
	}
	for i := range seq.k {
		seq.k[i] *= 1 + float32(i/32)/20
	}
	s.check()
}

// Scores from −2.5e5 to 1e4 stay right: nothing but the products of Q and K is that large, and those are summed in f32.
func TestMatrixExtremeScores(t *testing.T) {
	onTheFirstHost(t)
	s := newMatrixScene(t, Params{HeadDim: 16, Heads: 1, KVHeads: 1, Contiguous: true, Scale: 1}, small, 16, []int{40}, []int{120})
	seq := s.sequences[0]
	for i := range seq.q {
		seq.q[i] = 1
	}
	for i := range seq.k {
		score := -2.5e5 + 2.6e5*float64(i/16)/80
		if i/16 >= 80 {
			score = 1e4 + float64(i/16%5)*16
		}
		seq.k[i] = float32(score / 16)
	}
	s.check()
}

// Every tile at every head dim that it fits, on adapters that have subgroup matrices; others say that they have none.
func TestMatrixTiles(t *testing.T) {
	dev := gputest.Device(t)
	for _, tile := range matrixTiles {
		for _, dim := range []int{40, 64, 111, 128, 256} {
			t.Run(fmt.Sprintf("%s head dim %d", tile.name, dim), func(t *testing.T) {
				s := newMatrixScene(t, Params{HeadDim: dim, Heads: 6, KVHeads: 2, KVType: kernel.KVF16, LSE: true, Variant: tile.name}, tile,
					int(dev.Info().SubgroupMax), []int{150, 33}, []int{300, 33})
				if want := tile.check(s.params, dev.Info()); want != nil {
					_, err := New(dev, s.params)
					require.EqualError(t, err, want.Error())
					return
				}
				s.emulated = false
				s.hold()
			})
		}
	}
}

var matrixAdapter = gpu.AdapterInfo{
	Name: "test", Type: "discrete", Features: gpu.FeatureF16 | gpu.FeatureSubgroups | gpu.FeatureSubgroupMatrix, SubgroupMin: 32, SubgroupMax: 32,
	Limits:   gpu.Limits{MaxComputeWorkgroupStorageSize: 48 << 10, MaxComputeInvocationsPerWorkgroup: 1024},
	Matrices: []gpu.MatrixConfig{{Factor: "f16", Sum: "f16", M: 16, N: 16, K: 16}, {Factor: "f16", Sum: "f32", M: 16, N: 16, K: 16}},
}

func TestMatrixChoice(t *testing.T) {
	with := func(change func(a *gpu.AdapterInfo)) gpu.AdapterInfo {
		a := matrixAdapter
		change(&a)
		return a
	}
	params := func(dim int, kv kernel.KVType, variant string) Params {
		return Params{HeadDim: dim, Heads: 8, KVHeads: 8, BlockSize: 16, KVType: kv, Variant: variant}
	}
	tests := []struct {
		name    string
		adapter gpu.AdapterInfo
		params  Params
		want    string // of the tile; empty: another variant
		err     string
	}{
		{"f16 keys, not tuned", matrixAdapter, params(64, kernel.KVF16, ""), "", ""},
		{"f16 keys", matrixAdapter, params(64, kernel.KVF16, "matrix"), "matrix64x32", ""},
		{"f32 keys are rounded only when asked", matrixAdapter, params(64, kernel.KVF32, ""), "", ""},
		{"asked", matrixAdapter, params(128, kernel.KVF32, "matrix"), "matrix128x32x8", ""},
		{"large head dim", matrixAdapter, params(256, kernel.KVF16, "matrix"), "matrix64x32", ""},
		{"a tile", matrixAdapter, params(64, kernel.KVQ8, "matrix64x64"), "matrix64x64", ""},
		{"what fits", with(func(a *gpu.AdapterInfo) { a.Limits.MaxComputeWorkgroupStorageSize = 36 << 10 }), params(128, kernel.KVF16, "matrix"), "matrix64x32", ""},
		{"too large a tile", matrixAdapter, params(128, kernel.KVF16, "matrix64x64"), "", "bytes of workgroup memory at head dim 128"},
		{"no such tile", matrixAdapter, params(64, kernel.KVF16, "matrix1x1"), "", `no variant "matrix1x1"`},
		{"no feature", with(func(a *gpu.AdapterInfo) { a.Features = gpu.FeatureF16 | gpu.FeatureSubgroups }), params(64, kernel.KVF16, "matrix"), "", "no subgroup matrices"},
		{"no feature, unasked", with(func(a *gpu.AdapterInfo) { a.Features = 0 }), params(64, kernel.KVF16, ""), "", ""},
		{"other sizes", with(func(a *gpu.AdapterInfo) { a.Matrices = a.Matrices[:1] }), params(64, kernel.KVF16, "matrix"), "", "no subgroup matrices"},
		{"subgroups of two sizes", with(func(a *gpu.AdapterInfo) { a.SubgroupMax = 64 }), params(64, kernel.KVF16, "matrix"), "", "subgroups of 32 to 64"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.params.choose(c.adapter)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			if c.want == "" {
				require.Nil(t, got.matrix)
				return
			}
			require.NotNil(t, got.matrix)
			require.Equal(t, c.want, got.matrix.name)
		})
	}
	deterministic := params(64, kernel.KVF16, "")
	deterministic.Deterministic = true
	got, err := deterministic.choose(matrixAdapter)
	require.NoError(t, err)
	require.Nil(t, got.matrix)
}

// An NVIDIA driver wants fragments at multiples of 16 bytes, and lays arrays out one after another: an odd one moves those behind it.
func TestMatrixArraysAreWhole(t *testing.T) {
	for _, tile := range append([]matrixTile{small, tall}, matrixTiles...) {
		for _, kv := range []kernel.KVType{kernel.KVF16, kernel.KVQ8} {
			p := Params{HeadDim: 64, Heads: 2, KVHeads: 1, BlockSize: 16, KVType: kv, LSE: true}
			m, err := kernel.Module(gputest.Device(t), p.matrixSpec(tile, 32, false))
			require.NoError(t, err)
			arrays, total := gputest.WorkgroupArrays(t, m.Text), 0
			for name, bytes := range arrays {
				require.Zero(t, bytes%16, "%s of %s has %d bytes", name, tile.name, bytes)
				total += bytes
			}
			require.Contains(t, arrays, "moved")
			require.Equal(t, tile.memory(p.HeadDim), total, "what %s is said to take", tile.name)
		}
	}
}
