package kernel

import (
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
	"quire/engine/reference"
	"quire/engine/step"
)

// gathered gives a step outputs of its tokens out of order, and returns their rows of x.
func gathered(step *StepData, x []float32, k, count int) (rows []float32) {
	for m := range count {
		token := (m*3 + 1) % (count + 2)
		step.Outputs = append(step.Outputs, Output{Token: uint32(token)})
		rows = append(rows, x[token*k:(token+1)*k]...)
	}
	return rows
}

// written reads rows of y, which held 7 everywhere but in its padding, of which only the first count are to be written.
func (r *rig) written(y *gpu.Buffer, count, columns, stride int) (rows []float32) {
	for at, f := range r.read(y) {
		m, k := at/stride, at%stride
		switch {
		case m < count && k < columns:
			rows = append(rows, f)
		case k >= columns:
			require.Zero(r, f, "padding of row %d", m)
		default:
			require.Equal(r, float32(7), f, "row %d is not this step's", m)
		}
	}
	return rows
}

func TestRMSNorm(t *testing.T) {
	for _, c := range []struct {
		k, m   int
		gather bool
		scale  float64
	}{{1, 1, false, 1}, {8, 3, false, 1}, {172, 5, false, 1}, {172, 5, true, 1}, {576, 2, false, 1e-3}, {2048, 1, false, 100}, {4100, 3, true, 1}} {
		for _, variant := range []string{"baseline", "subgroup"} {
			t.Run(fmt.Sprintf("%d/m%d/gather=%t/%s", c.k, c.m, c.gather, variant), func(t *testing.T) {
				r := newRig(t)
				x, w := r.floats((c.m+2)*c.k, c.scale), r.floats(c.k, 1)
				p := RMSNormParams{K: c.k, XStride: RowStride(c.k) + 32, YStride: RowStride(c.k), Eps: eps, Variant: variant}
				step, rows := StepData{Tokens: make([]uint32, c.m)}, x[:c.m*c.k]
				if c.gather {
					p.Gather, p.MWord = true, WordOutputs
					rows = gathered(&step, x, c.k, c.m)
				}
				n, err := NewRMSNorm(r.dev, p)
				if variant == "subgroup" && subgroupSize(r.dev.Info()) == 0 {
					require.ErrorContains(t, err, "subgroup")
					return
				}
				require.NoError(t, err)
				y := r.rows("y", r.same((c.m+1)*c.k, 7), c.k, p.YStride, 0)
				b, err := n.Bind(r.step(step), r.rows("x", x, c.k, p.XStride, 0).All(), r.rows("weight", w, c.k, RowStride(c.k), 0).All(), y.All())
				require.NoError(t, err)
				r.submit(func(rec *gpu.Recorder) { n.Record(rec, b, c.m) })

				got := r.written(y, c.m, c.k, p.YStride)
				r.accurate(reference.RMSNorm(widen(rows), w, eps), reference.RMSNorm(rows, w, eps), got)
			})
		}
	}
}

func TestLayerNorm(t *testing.T) {
	for _, c := range []struct {
		k, m   int
		gather bool
		mean   float32
	}{{1, 1, false, 0}, {8, 3, false, 0}, {172, 5, false, 3}, {173, 5, true, -2}, {576, 2, false, 100}, {2048, 1, false, 0}, {4100, 3, true, 1}} {
		for _, variant := range []string{"baseline", "subgroup"} {
			t.Run(fmt.Sprintf("%d/m%d/gather=%t/%s", c.k, c.m, c.gather, variant), func(t *testing.T) {
				r := newRig(t)
				x, w, bias := r.floats((c.m+2)*c.k, 1), r.floats(c.k, 1), r.floats(c.k, 1)
				for i := range x {
					x[i] += c.mean
				}
				p := LayerNormParams{K: c.k, XStride: RowStride(c.k) + 32, YStride: RowStride(c.k), Eps: eps, Variant: variant}
				step, rows := StepData{Tokens: make([]uint32, c.m)}, x[:c.m*c.k]
				if c.gather {
					p.Gather, p.MWord = true, WordOutputs
					rows = gathered(&step, x, c.k, c.m)
				}
				n, err := NewLayerNorm(r.dev, p)
				if variant == "subgroup" && subgroupSize(r.dev.Info()) == 0 {
					require.ErrorContains(t, err, "subgroup")
					return
				}
				require.NoError(t, err)
				y := r.rows("y", r.same((c.m+1)*c.k, 7), c.k, p.YStride, 0)
				b, err := n.Bind(r.step(step), r.rows("x", x, c.k, p.XStride, 0).All(), r.rows("weight", w, c.k, RowStride(c.k), 0).All(),
					r.rows("bias", bias, c.k, RowStride(c.k), 0).All(), y.All())
				require.NoError(t, err)
				r.submit(func(rec *gpu.Recorder) { n.Record(rec, b, c.m) })

				got := r.written(y, c.m, c.k, p.YStride)
				r.accurate(reference.LayerNorm(widen(rows), w, bias, eps), reference.LayerNorm(rows, w, bias, eps), got)
			})
		}
	}
}

// What a norm adds to keeps its place.
func TestRMSNormAdd(t *testing.T) {
	for _, variant := range []string{"baseline", ""} {
		r := newRig(t)
		const k, m = 172, 5
		x, w, y0 := r.floats(m*k, 1), r.floats(k, 1), r.floats((m+1)*k, 1)
		p := RMSNormParams{K: k, XStride: RowStride(k) + 32, YStride: RowStride(k), Eps: eps, Add: true, Variant: variant}
		n, err := NewRMSNorm(r.dev, p)
		require.NoError(t, err)
		y := r.rows("y", y0, k, p.YStride, 0)
		b, err := n.Bind(r.step(StepData{Tokens: make([]uint32, m)}), r.rows("x", x, k, p.XStride, 0).All(), r.rows("weight", w, k, RowStride(k), 0).All(), y.All())
		require.NoError(t, err)
		r.submit(func(rec *gpu.Recorder) { n.Record(rec, b, m) })
		var got []float32
		for at, f := range r.read(y) {
			if at%p.YStride < k {
				got = append(got, f)
			} else {
				require.Zero(t, f, "padding")
			}
		}
		require.Equal(t, y0[m*k:], got[m*k:], "a row that is not this step's")
		r.accurate(reference.Add(reference.RMSNorm(widen(x), w, eps), y0[:m*k]), reference.Add(reference.RMSNorm(x, w, eps), y0[:m*k]), got[:m*k])
	}
}

func TestGLU(t *testing.T) {
	t.Run("silu", func(t *testing.T) { testGLU(t, SiLU, reference.SwiGLU[float64], reference.SwiGLU[float32]) })
	t.Run("gelu", func(t *testing.T) { testGLU(t, GELU, reference.GeGLU[float64], reference.GeGLU[float32]) })
}

func testGLU(t *testing.T, a Activation, exact func(gate, up []float64) []float64, plain func(gate, up []float32) []float32) {
	r := newRig(t)
	const width, m = 45, 4
	p := GLUParams{Width: width, GStride: 64, UStride: 96, HStride: 64, Activation: a}
	g, u := r.floats(width*m, 3), r.floats(width*m, 1)
	// Where exp would overflow or vanish.
	copy(g, []float32{0, 88, -88, 104, -104, 1e4, -1e4, math.MaxFloat32 / 4, -math.MaxFloat32 / 4, 12, -12, 5.9, -5.9, 11.9, -11.9, 13, -13})
	for i := range 9 {
		u[i] = 1
	}
	s, err := NewGLU(r.dev, p)
	require.NoError(t, err)
	h := r.rows("h", r.same(width*(m+1), 7), width, p.HStride, 0)
	b, err := s.Bind(r.step(StepData{Tokens: make([]uint32, m)}), r.rows("g", g, width, p.GStride, 0).All(), r.rows("u", u, width, p.UStride, 0).All(), h.All())
	require.NoError(t, err)
	r.submit(func(rec *gpu.Recorder) { s.Record(rec, b, m) })
	var got []float32
	for at, f := range r.read(h) {
		if row, i := at/p.HStride, at%p.HStride; row < m && i < width {
			got = append(got, f)
		} else if i < width {
			require.Equal(t, float32(7), f, "row %d is not this step's", row)
		} else {
			require.Zero(t, f, "padding")
		}
	}
	for _, i := range []int{7, 8} { // too large for one tolerance with the rest
		assert.Equal(t, []float32{math.MaxFloat32 / 4, 0}[i-7], got[i])
		g[i], got[i] = 0, 0
	}
	r.accurate(exact(widen(g), widen(u)), plain(g, u), got)
}

func TestHeadNorm(t *testing.T) {
	for _, c := range []struct {
		heads, kv, dim, m int
		bias              bool
		kind              HeadNormParams
	}{
		{1, 1, 1, 1, false, HeadNormParams{}}, {4, 2, 32, 5, false, HeadNormParams{}}, {4, 2, 32, 5, true, HeadNormParams{}}, {3, 1, 6, 9, true, HeadNormParams{}},
		{2, 2, 80, 3, false, HeadNormParams{}}, {16, 8, 128, 2, true, HeadNormParams{}}, {4, 1, 256, 3, false, HeadNormParams{}},
		{6, 2, 10, 4, true, HeadNormParams{Whole: true}}, {40, 8, 128, 2, false, HeadNormParams{Whole: true}},
		{3, 1, 20, 5, true, HeadNormParams{Stacked: true, Centered: true}}, {2, 2, 128, 3, false, HeadNormParams{Stacked: true, Centered: true}},
		{4, 2, 32, 5, false, HeadNormParams{Values: ValuesNormed}}, {3, 1, 6, 9, true, HeadNormParams{Values: ValuesNormed}},
		{4, 1, 512, 3, false, HeadNormParams{Values: ValuesFromKeys}}, {4, 2, 20, 5, true, HeadNormParams{Values: ValuesFromKeys}}, {4, 0, 32, 5, false, HeadNormParams{}},
	} {
		for _, variant := range []string{"baseline", "subgroup", ""} {
			t.Run(fmt.Sprintf("%d+%dx%d/m%d/bias=%t,%t,%t,v%d/%s", c.heads, c.kv, c.dim, c.m, c.bias, c.kind.Whole, c.kind.Centered, c.kind.Values, variant), func(t *testing.T) {
				r := newRig(t)
				width := (c.heads + 2*c.kv) * c.dim
				p := c.kind
				p.Heads, p.KVHeads, p.HeadDim, p.Stride, p.Eps, p.Bias, p.Variant = c.heads, c.kv, c.dim, RowStride(width)+32, eps, c.bias, variant
				length := 2 * c.dim
				if p.Whole || p.Stacked {
					length = (c.heads + c.kv) * c.dim
				}
				n, err := NewHeadNorm(r.dev, p)
				if variant == "subgroup" && subgroupSize(r.dev.Info()) == 0 {
					require.ErrorContains(t, err, "subgroup")
					return
				}
				require.NoError(t, err)
				x, weights, bias := r.floats(c.m*width, 2), r.floats(length, 1), r.floats(width, 1)
				padded := append(append([]float32(nil), x...), r.same(width, 7)...) // a row that is not this step's
				qkv := r.rows("qkv", padded, width, p.Stride, 7)
				b, err := n.Bind(r.step(StepData{Tokens: make([]uint32, c.m)}), qkv.All(), r.rows("weight", weights, length, length, 0).All(), r.rows("bias", bias, width, width, 0).All())
				require.NoError(t, err)
				r.submit(func(rec *gpu.Recorder) { n.Record(rec, b, c.m) })
				var got []float32
				for at, f := range r.read(qkv) {
					if m, i := at/p.Stride, at%p.Stride; m < c.m && i < width {
						got = append(got, f)
					} else {
						require.Equal(t, float32(7), f, "row %d column %d", m, i)
					}
				}
				if !c.bias {
					bias = make([]float32, width)
				}
				r.accurate(headNorms[float64](p, x, weights, bias), headNorms[float32](p, x, weights, bias), got)
			})
		}
	}
	_, err := NewHeadNorm(newRig(t).dev, HeadNormParams{Heads: 2, KVHeads: 1, HeadDim: 32, Stride: 96})
	require.ErrorIs(t, err, ErrMatrixShape)
}

// headNorms normalises the heads of q and k in rows of q, k and v, one by one.
func headNorms[T reference.Float](p HeadNormParams, x, weights, bias []float32) (out []T) {
	width, normed, queries := (p.Heads+2*p.KVHeads)*p.HeadDim, (p.Heads+p.KVHeads)*p.HeadDim, p.Heads*p.HeadDim
	for at := 0; at < len(x); {
		place, length := at%width, p.HeadDim
		if p.Whole && place == 0 {
			length = queries
		} else if p.Whole {
			length = p.KVHeads * p.HeadDim
		}
		w := place // of the head's weights
		if !p.Whole && !p.Stacked {
			w = place / queries * p.HeadDim
		}
		var row []T
		from, ones := 0, make([]float32, length)
		if p.Values == ValuesFromKeys && place >= normed {
			from = p.KVHeads * p.HeadDim
		}
		for i := range length {
			row = append(row, T(x[at-from+i])+T(bias[place-from+i]))
			ones[i] = 1
		}
		switch {
		case place >= normed && p.Values != ValuesAsTheyAre:
			row = reference.RMSNorm(row, ones, T(p.Eps))
		case place >= normed:
		case p.Centered:
			row = reference.LayerNorm(row, weights[w:w+length], make([]float32, length), T(p.Eps))
		default:
			row = reference.RMSNorm(row, weights[w:w+length], T(p.Eps))
		}
		out, at = append(out, row...), at+length
	}
	return out
}

func TestEmbed(t *testing.T) {
	for i, typ := range runningTypes() {
		vocabulary, k := 150, max(64, typ.BlockWeights())
		if typ == quant.F32 || typ == quant.F16 {
			k = 40
		}
		width := RowStride(k)
		stride := width + 32
		for _, split := range []uint64{0, bindingOf(typ, k, 80)} {
			if split > 0 && i%4 > 0 && !gputest.First && os.Getenv("QUIRE_ALL") == "" {
				continue // each piece has kernels of its own
			}
			t.Run(fmt.Sprintf("%s/%d", typ, split), func(t *testing.T) {
				r := newRig(t)
				raw, w := r.weights(typ, vocabulary, k)
				m := r.matrix(typ, vocabulary, k, raw, split)
				e, err := NewEmbed(r.dev, EmbedParams{Matrix: m, XStride: stride, Scale: 3})
				require.NoError(t, err)
				if split != 0 {
					require.Greater(t, len(m.Pieces), 1)
				}
				lane := step.LaneToken
				step := StepData{
					Tokens: []uint32{0, uint32(lane), 149, 70, uint32(lane), 5000, 63, 64},
					Rows:   []StepRow{{First: 0, Count: 4, Lane: 2}, {First: 4, Count: 4, Lane: 0}},
				}
				want := []int{0, 33, 149, 70, 128, 149, 63, 64}
				lanes := r.rows("lanes", []float32{math.Float32frombits(128), math.Float32frombits(9), math.Float32frombits(33)}, 3, 3, 0)
				x := r.rows("x", r.same(stride*9, 7), stride, stride, 0)
				binds, err := e.Bind(r.step(step), lanes.All(), x.All())
				require.NoError(t, err)
				r.submit(func(rec *gpu.Recorder) { e.Record(rec, binds, len(step.Tokens)) })
				got := r.read(x)
				for i, token := range want {
					for j := range width {
						f := float32(0)
						if j < k {
							f = w[token*k+j] * 3
						}
						require.InDelta(t, f, got[i*stride+j], 2e-6*math.Abs(float64(f))+1e-6, "token %d column %d", i, j)
					}
					require.Equal(t, float32(7), got[i*stride+width], "past the width")
				}
				require.Equal(t, float32(7), got[8*stride], "past the tokens")

				p, err := NewEmbed(r.dev, EmbedParams{Matrix: m, XStride: stride, Positions: true})
				require.NoError(t, err)
				step.Positions = []uint32{149, 0, 1, 2, 3, 70, 64, 63}
				binds, err = p.Bind(r.step(step), lanes.All(), x.All())
				require.NoError(t, err)
				r.submit(func(rec *gpu.Recorder) { p.Record(rec, binds, len(step.Tokens)) })
				for i, f := range r.read(x) {
					if token, column := i/stride, i%stride; token < len(want) && column < k {
						added := w[int(step.Positions[token])*k+column]
						require.InDelta(t, got[i]+added, f, 1e-5*math.Abs(float64(f))+1e-6, "token %d column %d", token, column)
					}
				}
			})
		}
	}
}

// TestRepackInterleaves reads the planes back through Embed: rows of several tensors, in pieces, at strides.
func TestRepackInterleaves(t *testing.T) {
	for _, typ := range runningTypes() {
		const rows = 11 // of one tensor
		k := max(32, typ.BlockWeights())
		for _, split := range []uint64{0, r8(typ, k)} {
			t.Run(fmt.Sprintf("%s/%d", typ, split), func(t *testing.T) {
				r := newRig(t)
				gate, gw := r.weights(typ, rows, k)
				up, uw := r.weights(typ, rows, k)
				m, err := NewMatrix(r.dev, "gate and up", typ, 2*rows, k, split)
				require.NoError(t, err)
				t.Cleanup(m.Release)
				if split != 0 {
					require.Len(t, m.Pieces, 3)
				}
				half := len(gate) / rows * 5
				r.repack(m, up, rows, RowMap{First: 1, Stride: 2})
				r.repack(m, gate[half:], rows-5, RowMap{First: 10, Stride: 2})
				r.repack(m, gate[:half], 5, RowMap{Stride: 2})

				e, err := NewEmbed(r.dev, EmbedParams{Matrix: m, XStride: k})
				require.NoError(t, err)
				step := StepData{}
				for i := range uint32(2 * rows) {
					step.Tokens = append(step.Tokens, i)
				}
				x := r.rows("x", r.same(2*rows*k, 7), k, k, 0)
				binds, err := e.Bind(r.step(step), r.buffer("lanes", make([]byte, 4)).All(), x.All())
				require.NoError(t, err)
				r.submit(func(rec *gpu.Recorder) { e.Record(rec, binds, 2*rows) })
				got := r.read(x)
				for i := range rows {
					for j := range k {
						require.InDelta(t, gw[i*k+j], got[2*i*k+j], 1e-6, "gate %d", i)
						require.InDelta(t, uw[i*k+j], got[(2*i+1)*k+j], 1e-6, "up %d", i)
					}
				}
			})
		}
	}
}

func TestRepackRefuses(t *testing.T) {
	r := newRig(t)
	p, err := NewRepacker(r.dev)
	require.NoError(t, err)
	t.Cleanup(p.Release)
	m, err := NewMatrix(r.dev, "m", quant.Q4_0, 4, 64, 0)
	require.NoError(t, err)
	t.Cleanup(m.Release)
	staging := r.buffer("staging", make([]byte, 4*36)).All()
	require.NoError(t, p.Run(m, staging, 0, 4, RowMap{Stride: 1}))
	require.NoError(t, p.Run(m, staging, 0, 0, RowMap{Stride: 1}))
	for name, err := range map[string]error{
		"past staging":  p.Run(m, staging, 4, 4, RowMap{Stride: 1}),
		"past the rows": p.Run(m, staging, 0, 4, RowMap{First: 1, Stride: 1}),
		"stride 0":      p.Run(m, staging, 0, 4, RowMap{}),
		"below":         p.Run(m, staging, 0, 4, RowMap{First: -1, Stride: 1}),
	} {
		assert.Error(t, err, name)
	}
	_, err = NewMatrix(r.dev, "m", quant.Q8_K, 4, 256, 0)
	assert.ErrorIs(t, err, quant.ErrUnsupportedType)
	_, err = NewMatrix(r.dev, "m", quant.Q4_0, 4, 63, 0)
	assert.ErrorIs(t, err, ErrMatrixShape)
	_, err = NewMatrix(r.dev, "m", quant.F32, 4, 64, 512)
	assert.ErrorIs(t, err, ErrMatrixShape)
}
