package kernel

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// smallTile is a tile of 32 × 32, which software adapters compile sooner than those that GPUs take.
var smallTile = halvesTile{down: 1, across: 1, tx: 8, ty: 8}

// Tiles of halves give what the formula does, with all that may be fused with it: where the last rows of x and of W, and the last part of K,
// are not whole, too.
func TestHalvesTile(t *testing.T) {
	rigOfHalves(t)
	adapters := [][]Adapter{nil, {{First: 0, Ranks: 5, Factor: 0.5}}, {{First: 5, Ranks: 4, Factor: -1}}}
	for _, c := range []struct {
		halvesTile
		parts int
		linearCase
	}{
		{smallTile, 1, linearCase{n: 66, k: 512, m: 67, LinearParams: LinearParams{Norm: true, Gated: SiLU, Bias: true}}},
		{smallTile, 1, linearCase{n: 45, k: 352, m: 5, tokens: 20, LinearParams: LinearParams{Gather: true, Cap: 4}}},
		{smallTile, 1, linearCase{n: 45, k: 320, m: 40, LinearParams: LinearParams{Norm: true}, lora: &loraCase{ranks: 12, slots: []int{0, 21, 30}, rows: adapters}}},
		{smallTile, 3, linearCase{n: 70, k: 352, m: 37, LinearParams: LinearParams{Add: true, Bias: true, Scale: 0.5}}},
		{smallTile, 4, linearCase{n: 66, k: 64, m: 33, LinearParams: LinearParams{Norm: true, Gated: GELU}}}, // half of the parts are of nothing
		{halvesTile{down: 2, across: 2, tx: 8, ty: 4}, 2, linearCase{n: 130, k: 96, m: 34, LinearParams: LinearParams{}}},
	} {
		c.typ, c.rounded, c.only = quant.Q4_0, inSumsOfStrips, c.halvesTile
		if c.parts > 1 {
			c.only, c.PartsRoom = splitWay{c.halvesTile, c.parts}, c.m
		}
		t.Run(c.String(), func(t *testing.T) {
			r := newRig(t)
			got := r.runLinear(c.linearCase)
			r.accurate(got.want, got.plain, got.got)
		})
	}
}

// No sum of 16 codes leaves f16's range: x beyond half of it is that, and what is no number stays none and spoils no other row.
func TestHalvesTileKeepsItsRange(t *testing.T) {
	r, _ := rigOfHalves(t)
	const rows, n, k = 8, 4, 64
	block := make([]byte, 18) // of codes that stand for -8
	block[1] = 0x3C           // times 1
	x := make([]float32, rows*k)
	for m, f := range []float32{32752, -32752, 1e6, -3e38, 1, 1.0 / 1024, float32(math.NaN()), float32(math.Inf(1))} {
		copy(x[m*k:], r.same(k, f))
	}
	l, err := NewLinear(r.dev, LinearParams{Matrix: r.matrix(quant.Q4_0, n, k, bytes.Repeat(block, n*k/32), 0), XStride: k, YStride: 32, MWord: WordTokens, only: smallTile})
	require.NoError(t, err)
	require.NoError(t, l.Wait(t.Context()))
	y := r.rows("y", r.same(rows*n, 0), n, 32, 0)
	b, err := l.Bind(LinearViews{Step: r.step(StepData{Tokens: make([]uint32, rows)}), X: r.rows("x", x, k, k, 0).All(), Y: y.All()})
	require.NoError(t, err)
	r.submit(func(rec *gpu.Recorder) { l.Record(rec, b, rows) })
	got := r.read(y)
	for m, want := range []float64{-32752, 32752, -32752, 32752, -1, -1.0 / 1024} {
		for _, f := range got[32*m : 32*m+n] {
			assert.InEpsilon(t, want*8*k, f, 1e-3, "row %d", m)
		}
	}
	for m := 6; m < rows; m++ {
		for _, f := range got[32*m : 32*m+n] {
			assert.True(t, math.IsNaN(float64(f)) || math.IsInf(float64(f), 0), "row %d: %g", m, f)
		}
	}
}

// 65 to 384 rows of Q4_0's codes go by tiles of halves: in parts where W has few rows, and elsewhere up to 128 and where a taller tile would
// be half empty.
func TestHalvesTileByRows(t *testing.T) {
	in := func(all ...int) []int { return all }
	most := []int{65, 128, 160, 192, 256, 320, 384}
	for name, c := range map[string]struct {
		change func(*LinearParams, *gpu.AdapterInfo)
		n, k   int
		parts  int
		rows   []int // that are multiplied so
	}{
		"o":         {func(*LinearParams, *gpu.AdapterInfo) {}, 2048, 2048, 8, most},
		"down":      {func(*LinearParams, *gpu.AdapterInfo) {}, 2048, 8192, 8, most},
		"qkv":       {func(p *LinearParams, _ *gpu.AdapterInfo) { p.Norm = true }, 3072, 2048, 5, most},
		"short":     {func(*LinearParams, *gpu.AdapterInfo) {}, 2048, 768, 3, most},
		"gate, up":  {func(p *LinearParams, _ *gpu.AdapterInfo) { p.Norm, p.Gated = true, SiLU }, 16384, 2048, 1, in(65, 128, 160, 192, 320)},
		"more":      {func(p *LinearParams, _ *gpu.AdapterInfo) { p.Norm, p.Gated = true, SiLU }, 28672, 4096, 1, in(160, 192, 320)},
		"room":      {func(p *LinearParams, _ *gpu.AdapterInfo) { p.PartsRoom = 200 }, 2048, 2048, 8, in(65, 128, 160, 192)},
		"head":      {func(*LinearParams, *gpu.AdapterInfo) {}, 128256, 2048, 0, nil},
		"type":      {func(p *LinearParams, _ *gpu.AdapterInfo) { p.Matrix.Type = quant.Q4_K }, 2048, 2048, 0, nil},
		"alike":     {func(p *LinearParams, _ *gpu.AdapterInfo) { p.Deterministic = true }, 2048, 2048, 0, nil},
		"f32":       {func(p *LinearParams, _ *gpu.AdapterInfo) { p.Variant = "f32" }, 2048, 2048, 0, nil},
		"tab":       {func(_ *LinearParams, info *gpu.AdapterInfo) { info.Backend = "webgpu" }, 2048, 2048, 8, most},
		"no f16":    {func(_ *LinearParams, info *gpu.AdapterInfo) { info.Features &^= gpu.FeatureF16 }, 2048, 2048, 0, nil},
		"small GPU": {func(_ *LinearParams, info *gpu.AdapterInfo) { info.Type = "integrated" }, 2048, 2048, 0, nil},
	} {
		p, info := LinearParams{Matrix: &Matrix{Type: quant.Q4_0, Rows: c.n, Cols: c.k}, PartsRoom: 512}, large()
		info.Matrices = nil
		c.change(&p, &info)
		l := Linear{params: p}
		require.NoError(t, l.choose(info))
		var got []int
		for _, m := range []int{1, 8, 32, 33, 64, 65, 128, 160, 192, 256, 320, 384, 385, 512, 2048} {
			s, parts := l.ways[l.way(m)].shape, 1
			if split, ok := s.(splitWay); ok {
				s, parts = split.shape, split.parts
			}
			switch s.(type) {
			case halvesTile, oddTile:
				assert.Equal(t, c.parts, parts, name)
				got = append(got, m)
			}
		}
		assert.Equal(t, c.rows, got, name)
	}
}
