package kernel

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// inSumsOfStrips has factors in f16, and sums the products of sixteen columns in it.
func inSumsOfStrips(w, rows []float32, k int) (y []float32) {
	for m := 0; m < len(rows); m += k {
		for n := 0; n < len(w); n += k {
			var sum float32
			for at := 0; at < k; at += 16 {
				var few float32
				for c := at; c < at+16; c++ {
					few = half(few + half(rows[m+c])*half(w[n+c]))
				}
				sum += few
			}
			y = append(y, sum)
		}
	}
	return y
}

// rigOfHalves is a rig whose adapter has f16, and the size of its subgroups.
func rigOfHalves(t testing.TB) (*rig, uint32) {
	r := newRig(t)
	lanes := subgroupSize(r.dev.Info())
	if !r.dev.Info().Features.Has(gpu.FeatureSubgroups|gpu.FeatureF16) || lanes == 0 {
		t.Skip("this adapter has no f16, or no subgroups of a known size")
	}
	return r, lanes
}

// Strips give what the formula does, with all that may be fused with it: where the last rows of x and of W, and chunks of strips, are not
// whole, too.
func TestStrips(t *testing.T) {
	_, sub := rigOfHalves(t)
	lanes, most := min(8, int(sub)), min(32, int(sub))
	adapted := [][]Adapter{{{First: 0, Ranks: 5, Factor: 0.5}}, nil, {{First: 0, Ranks: 5, Factor: 1}, {First: 9, Ranks: 2, Factor: 2}}}
	for _, c := range []struct {
		stripsShape
		linearCase
	}{
		{stripsShape{8, 4, lanes, 64, 0, 8}, linearCase{n: 66, k: 512, m: 11, LinearParams: LinearParams{Norm: true, Gated: SiLU, Bias: true}}},
		{stripsShape{4, 2, 2, 32, 0, 4}, linearCase{n: 66, k: 352, m: 7, LinearParams: LinearParams{Norm: true}, lora: &loraCase{ranks: 44, slots: []int{0, 40}, rows: adapted}}},
		{stripsShape{8, 4, lanes, 64, 0, 8}, linearCase{n: 70, k: 768, m: 8, LinearParams: LinearParams{Add: true, Bias: true, Scale: 0.5}}},
		{stripsShape{4, 2, 2, 32, 0, 4}, linearCase{n: 130, k: 352, m: 7, tokens: 20, LinearParams: LinearParams{Gather: true, Norm: true}}},
		{stripsShape{8, 4, most, 256, 0, 32}, linearCase{n: 129, k: 1056, m: 5, LinearParams: LinearParams{Gather: true, Cap: 4}, tokens: 9}},
		{stripsShape{8, 4, lanes, 128, 2, 32}, linearCase{n: 70, k: 1056, m: 7, LinearParams: LinearParams{Norm: true, Add: true}}},
		{stripsShape{8, 4, lanes, 96, 0, 32}, linearCase{n: 70, k: 1056, m: 8, LinearParams: LinearParams{Norm: true}}}, // more to stage than all can alike
		{stripsShape{8, 4, lanes, 256, 0, 32}, linearCase{n: 130, k: 1056, m: 8, LinearParams: LinearParams{Norm: true, Gated: SiLU}}},
		{stripsShape{4, 2, most, 64, 0, 32}, linearCase{n: 33, k: 2080, m: 6, LinearParams: LinearParams{Norm: true, Add: true}}}, // more lanes than pairs of sums, where a subgroup has them
	} {
		c.typ, c.rounded = quant.Q4_0, inSumsOfStrips
		c.only = stripsWay{c.stripsShape, 0, 0, sub}
		t.Run(c.String(), func(t *testing.T) {
			r := newRig(t)
			got := r.runLinear(c.linearCase)
			r.accurate(got.want, got.plain, got.got)
		})
	}
}

// And with what becomes of heads.
func TestStripsOfHeads(t *testing.T) {
	_, sub := rigOfHalves(t)
	for _, c := range []headCase{
		{headDim: 64, heads: 4, kvHeads: 2, rotary: 64, kv: KVF16, k: 512, positions: []int{77, 4, 5, 8, 9, 1, 2, 3}},
		{headDim: 20, heads: 2, kvHeads: 1, rotary: 16, adjacent: true, kv: KVF32, bias: true, k: 352, positions: []int{6, 5, 4, 7, 500}},
	} {
		c.typ, c.only, c.rounded = quant.Q4_0, stripsWay{stripsShape{8, 4, min(32, int(sub)), 64, 0, 32}, 0, 0, sub}, inSumsOfStrips
		newRig(t).testHeads(c)
	}
}

// No sum of the products of 32 codes leaves f16's range: x beyond half of it is that, and what is no number stays none and spoils no other row.
func TestStripsKeepTheirRange(t *testing.T) {
	r, sub := rigOfHalves(t)
	r.keepsRange(stripsWay{stripsShape{8, 2, 2, 32, 0, 4}, 0, 0, sub}, 32752)
}

// Where embeddings are scaled the stream is larger, and so is the range: what the norm makes small is not cut before.
func TestStripsOfLargeStreams(t *testing.T) {
	r, sub := rigOfHalves(t)
	p := LinearParams{Norm: true, Stream: 50.6, only: stripsWay{stripsShape{8, 2, 2, 32, 0, 4}, 0, 0, sub}}
	for m, f := range r.sizes(p, 1, -50, 300, 1e4, 5e4, 8e5, -2e6, 2) {
		assert.InEpsilon(t, []float64{-1, 1, -1, -1, -1, -1, 1, -1}[m], f, 1e-3, "row %d", m)
	}
}

// Five to eight rows of Q4_0's codes go by strips where W is large, and keep to the memory that there is.
func TestStripsByRows(t *testing.T) {
	for _, c := range []struct {
		change           func(*LinearParams)
		n, k, memory     int
		lanes, workgroup int // 0: not by strips
	}{
		{func(*LinearParams) {}, 4096, 4096, 32 << 10, 32, 256},
		{func(*LinearParams) {}, 4096, 4096, 48 << 10, 32, 512},
		{func(*LinearParams) {}, 16384, 2048, 32 << 10, 8, 128},
		{func(p *LinearParams) { p.Norm = true }, 28672, 4096, 32 << 10, 8, 448},
		{func(p *LinearParams) { p.Norm = true }, 28672, 4096, 20 << 10, 8, 256}, // and few invocations
		{func(p *LinearParams) { p.Norm = true }, 6144, 4096, 32 << 10, 32, 384},
		{func(p *LinearParams) { p.Norm = true }, 128256, 4096, 32 << 10, 8, 128},
		{func(*LinearParams) {}, 4096, 4096, 16 << 10, 0, 0},
		{func(*LinearParams) {}, 2048, 8192, 32 << 10, 0, 0},
		{func(p *LinearParams) { p.Matrix.Type = quant.Q4_K }, 4096, 4096, 32 << 10, 0, 0},
		{func(p *LinearParams) { p.Adapters = &LoRAParams{} }, 4096, 4096, 32 << 10, 32, 256},
		{func(p *LinearParams) { p.Deterministic = true }, 4096, 4096, 32 << 10, 0, 0},
		{func(p *LinearParams) { p.Variant = "f32" }, 4096, 4096, 32 << 10, 0, 0},
		{func(p *LinearParams) { p.Variant = "f16" }, 4096, 4096, 32 << 10, 32, 256},
		{func(p *LinearParams) { p.Variant = "f16" }, 2048, 8192, 32 << 10, 32, 256},
		{func(p *LinearParams) { p.Variant = "matrix" }, 4096, 4096, 32 << 10, 0, 0},
	} {
		p := LinearParams{Matrix: &Matrix{Type: quant.Q4_0, Rows: c.n, Cols: c.k}, PartsRoom: 512}
		c.change(&p)
		info := large()
		info.Limits.MaxComputeWorkgroupStorageSize = uint32(c.memory)
		info.Limits.MaxComputeInvocationsPerWorkgroup, info.Limits.MaxComputeWorkgroupSizeX = 1024, 1024
		if c.memory == 20<<10 {
			info.Limits.MaxComputeInvocationsPerWorkgroup = 256
		}
		l := Linear{params: p}
		require.NoError(t, l.choose(info))
		for _, m := range []int{1, 4, 5, 6, 8, 9, 16} {
			w, strips := l.ways[l.way(m)].shape.(stripsWay)
			if m < 5 || m > 8 || c.lanes == 0 {
				assert.False(t, strips, "%d rows of x, %d × %d", m, c.n, c.k)
				continue
			}
			require.True(t, strips, "%d rows of x, %d × %d", m, c.n, c.k)
			assert.Equal(t, []int{c.lanes, c.workgroup}, []int{w.lanes, w.workgroup}, "%d × %d", c.n, c.k)
			assert.Zero(t, w.chunk%w.lanes)
		}
	}
}
