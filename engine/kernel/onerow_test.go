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

// Invocations that read several units at once, and share a row over several subgroups.
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
		{matvecShape{lanes: 64, tile: 8, workgroup: 128, batch: 2}, quant.Q4_0, SiLU}, {matvecShape{lanes: 128, tile: 4, workgroup: 128, batch: 2}, quant.Q6_K, ""},
		{matvecShape{lanes: int(subgroup), tile: 2, workgroup: 128, batch: 4}, quant.Q4_1, ""}, {matvecShape{lanes: 128, tile: 2, workgroup: 128}, quant.Q4_0, ""},
	} {
		if runtime.GOOS == "js" && os.Getenv("QUIRE_ALL") == "" && i > 0 {
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

// All that lanes read at once is there.
func TestOneRowShapes(t *testing.T) {
	for _, cols := range []int{2048, 4096, 8192, 14336} {
		for _, rows := range []int{2048, 3072, 16384, 28672, 128256} {
			p := LinearParams{Matrix: &Matrix{Type: quant.Q4_0, Rows: rows, Cols: cols}}
			for range 2 {
				s, ok := p.oneRowShape()
				require.True(t, ok)
				assert.Zero(t, widestTile%s.tile)
				if s.batch > 0 {
					assert.Zero(t, p.Matrix.strips()*4%(s.lanes*s.batch), "%d columns: %+v", cols, s)
				}
				p.Heads = &HeadTail{}
			}
		}
	}
	_, ok := (&LinearParams{Matrix: &Matrix{Type: quant.Q4_0, Rows: 64, Cols: 96}}).oneRowShape()
	assert.False(t, ok)
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
