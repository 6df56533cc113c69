package kernel

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// Invocations that read several units at once, or whole strips, and share a row over several subgroups.
func TestBatches(t *testing.T) {
	r := newRig(t)
	subgroup := subgroupSize(r.dev.Info())
	if subgroup == 0 {
		t.Skip("the adapter has no subgroups of a known size")
	}
	for i, c := range []struct {
		shape matvecShape
		typ   quant.Type
		gated Activation
	}{
		{matvecShape{lanes: 64, tile: 8, workgroup: 128, batch: 2}, quant.Q4_0, SiLU}, {matvecShape{lanes: 32, tile: 8, workgroup: 256, strips: true}, quant.Q4_0, SiLU},
		{matvecShape{lanes: 128, tile: 4, workgroup: 128, batch: 2}, quant.Q6_K, ""},
		{matvecShape{lanes: int(subgroup), tile: 2, workgroup: 128, batch: 4}, quant.Q4_1, ""}, {matvecShape{lanes: 128, tile: 2, workgroup: 128}, quant.Q4_0, ""},
		{matvecShape{lanes: 64, tile: 8, workgroup: 128, batch: 1}, quant.Q8_0, SiLU}, {matvecShape{lanes: 128, tile: 2, workgroup: 128, batch: 2}, quant.F16, ""},
		{matvecShape{lanes: 128, tile: 2, workgroup: 128, batch: 2}, quant.BF16, ""}, {matvecShape{lanes: 64, tile: 8, workgroup: 128, batch: 1}, quant.Q4_K, SiLU},
		{matvecShape{lanes: 128, tile: 2, workgroup: 128, batch: 2}, quant.Q5_K, ""}, {matvecShape{lanes: 128, tile: 2, workgroup: 128, batch: 2}, quant.IQ4_XS, ""},
		{matvecShape{lanes: 128, tile: 2, workgroup: 128, batch: 2}, quant.MXFP4, ""}, {matvecShape{lanes: 128, tile: 2, workgroup: 128, batch: 2}, quant.Q2_K, ""},
		{matvecShape{lanes: 64, tile: 2, workgroup: 256, strips: true}, quant.Q4_1, SiLU}, {matvecShape{lanes: 32, tile: 4, workgroup: 128, strips: true}, quant.Q4_K, SiLU},
		{matvecShape{lanes: 64, tile: 1, workgroup: 256, strips: true}, quant.Q5_K, ""}, {matvecShape{lanes: 32, tile: 4, workgroup: 128, strips: true}, quant.Q6_K, ""},
		{matvecShape{lanes: 32, tile: 4, workgroup: 256, strips: true}, quant.Q8_0, ""}, {matvecShape{lanes: 32, tile: 2, workgroup: 256, strips: true}, quant.MXFP4, SiLU},
		{matvecShape{lanes: 32, tile: 2, workgroup: 256, strips: true}, quant.IQ4_XS, ""}, {matvecShape{lanes: 32, tile: 1, workgroup: 256, strips: true}, quant.Q2_K, ""},
	} {
		if runtime.GOOS == "js" && os.Getenv("QUIRE_ALL") == "" && i > 1 {
			continue
		}
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			s, typ, gated := c.shape, c.typ, c.gated
			r := &rig{TB: t, dev: r.dev, rng: r.rng}
			c := linearCase{LinearParams: LinearParams{Norm: gated != "", Eps: eps, Add: gated == "", Gated: gated}, typ: typ, n: 70, k: 2048, m: 1}
			width := c.n
			if gated != "" {
				width /= 2
			}
			raw, w := r.weights(c.typ, c.n, c.k)
			x, norm, y0 := r.floats(c.k, 1), r.floats(c.k, 1), r.floats(width, 1)
			p := c.LinearParams
			p.Matrix, p.XStride, p.YStride, p.MWord = r.matrix(c.typ, c.n, c.k, raw, 0), c.k, RowStride(width), WordTokens
			m, err := Module(r.dev, matvecSpecOf(&p, p.Matrix.Pieces[0], 1, subgroup, s))
			require.NoError(t, err)
			k := r.dev.Kernel(m)
			require.NoError(t, k.Wait(context.Background()))
			xs, y := r.rows("x", x, c.k, c.k, 0), r.rows("y", y0, width, p.YStride, 7)
			b, err := r.dev.Bind(k, r.step(StepData{Tokens: make([]uint32, 1)}), p.Matrix.Pieces[0].codes, p.Matrix.Pieces[0].scales, xs.All(), y.All(), xs.All(), r.rows("norm", norm, c.k, c.k, 0).All())
			require.NoError(t, err)
			r.submit(func(rec *gpu.Recorder) { rec.Dispatch(k, b, uint32(s.groups(c.n)), 1, 1) })
			r.accurate(plainLinear[float64](c, w, x, nil, norm, y0, nil), plainLinear[float32](c, w, x, nil, norm, y0, nil), r.read(y)[:width])
		})
	}
}

// Shapes fit their matrices: all that lanes read at once is there, and rows of heads come in fours.
func TestOneRowShapes(t *testing.T) {
	for _, typ := range runningTypes() {
		for _, cols := range []int{96, 1536, 2048, 4096, 8192, 14336} {
			for _, rows := range []int{1024, 2048, 3072, 12288, 16384, 28672, 128256} {
				for _, p := range []LinearParams{{}, {Heads: &HeadTail{}}, {Gated: SiLU}} {
					p.Matrix = &Matrix{Type: typ, Rows: rows, Cols: cols}
					s, ok := p.oneRowShape()
					if cols < 2048 {
						require.False(t, ok)
					}
					if ok {
						assert.True(t, p.fits(s, gpu.Limits{MaxComputeInvocationsPerWorkgroup: 256}), "%s, %d × %d: %+v", typ, rows, cols, s)
					}
				}
			}
		}
	}
	for _, c := range []struct {
		typ        quant.Type
		rows, cols int
		heads      bool
		want       matvecShape
	}{
		{quant.F16, 3072, 2048, true, matvecShape{lanes: 128, tile: 4, workgroup: 128, batch: 2}},
		{quant.Q8_0, 3072, 2048, true, matvecShape{lanes: 128, tile: 4, workgroup: 128, batch: 1}},
		{quant.Q4_0, 6144, 4096, true, matvecShape{lanes: 128, tile: 4, workgroup: 128, batch: 4}},
		{quant.Q4_0, 2048, 2048, false, matvecShape{lanes: 32, tile: 1, workgroup: 256, strips: true}},
		{quant.Q6_K, 2048, 8192, false, matvecShape{lanes: 64, tile: 1, workgroup: 256, strips: true}},
		{quant.Q8_0, 2048, 2048, false, matvecShape{lanes: 128, tile: 2, workgroup: 128, batch: 2}},
		{quant.Q8_0, 16384, 2048, false, matvecShape{lanes: 64, tile: 8, workgroup: 128, batch: 1}},
		{quant.Q4_K, 28672, 4096, false, matvecShape{lanes: 32, tile: 4, workgroup: 256, strips: true}},
		{quant.Q4_0, 128256, 2048, false, matvecShape{lanes: 32, tile: 8, workgroup: 128, strips: true}},
		{quant.Q6_K, 128256, 2048, false, matvecShape{lanes: 32, tile: 4, workgroup: 128, strips: true}},
		{quant.F16, 128256, 2048, false, matvecShape{lanes: 64, tile: 4, workgroup: 128, batch: 1}},
		{quant.F16, 4096, 14336, false, matvecShape{lanes: 128, tile: 4, workgroup: 128, batch: 1}},
	} {
		p := LinearParams{Matrix: &Matrix{Type: c.typ, Rows: c.rows, Cols: c.cols}, large: true}
		if c.heads {
			p.Heads = &HeadTail{}
		}
		assert.Equal(t, c.want, p.matvecShape(1, largeSubgroup), "%s of %d × %d", c.typ, c.rows, c.cols)
		assert.NotEqual(t, c.want, p.matvecShape(1, 8), "on small subgroups")
	}
}

// A tile of eight rows takes one adapter's part for all of them only where none begins inside it.
func TestSlotsBeginWhereTilesDo(t *testing.T) {
	for _, c := range []struct {
		at, second int
		even       bool
	}{{0, 16, true}, {16, 24, true}, {0, 12, false}, {4, 8, false}} {
		s := Spec{Slots: map[string]string{}}
		(&LoRAParams{Slots: []int{0, c.second}}).adapt(&s, c.at)
		assert.Contains(t, s.Consts, Const{"EVEN_SLOTS", c.even}, "%+v", c)
	}
}
