package kernel

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/quant"
)

const eps = 1e-5

func TestLinear(t *testing.T) {
	for _, c := range linearCases() {
		t.Run(c.String(), func(t *testing.T) {
			r := newRig(t)
			if c.Variant == "subgroup" && subgroupSize(r.dev.Info()) == 0 {
				_, err := NewLinear(r.dev, LinearParams{Matrix: r.matrix(quant.F32, 1, 32, make([]byte, 128), 0), XStride: 32, YStride: 32, Variant: "subgroup"})
				require.ErrorContains(t, err, "subgroup")
				return
			}
			got := r.runLinear(c)
			r.accurate(got.want, got.plain, got.got)
		})
	}
}

func TestLinearRefuses(t *testing.T) {
	r := newRig(t)
	m := r.matrix(quant.F32, 3, 32, make([]byte, 3*128), 0)
	for name, p := range map[string]LinearParams{
		"narrow x":     {XStride: 0, YStride: 32},
		"odd stride":   {XStride: 32, YStride: 33},
		"narrow y":     {XStride: 32, YStride: 32, YOffset: 30},
		"half a pair":  {XStride: 32, YStride: 32, Gated: SiLU},
		"no such kind": {XStride: 32, YStride: 32, Variant: "warp"},
	} {
		p.Matrix = m
		_, err := NewLinear(r.dev, p)
		assert.Error(t, err, name)
	}
}

// TestLinearDeterministic: a row's products are the same bits alone and at any place among others.
func TestLinearDeterministic(t *testing.T) {
	r := newRig(t)
	const n, k, m = 66, 160, 70
	raw, _ := r.weights(quant.Q4_0, n, k)
	p := LinearParams{Matrix: r.matrix(quant.Q4_0, n, k, raw, 0), XStride: k, YStride: 96, MWord: WordTokens, Norm: true, Eps: eps, Deterministic: true}
	l, err := NewLinear(r.dev, p)
	require.NoError(t, err)
	norm, normed := r.rows("norm", r.floats(k, 1), k, k, 0).All(), r.rows("normed", r.same(m*k, 0), k, k, 0).All()
	run := func(x []float32) []float32 {
		rows := len(x) / k
		y := r.rows("y", r.same(rows*96, 0), 96, 96, 0)
		b, err := l.Bind(LinearViews{Step: r.step(StepData{Tokens: make([]uint32, rows)}), X: r.rows("x", x, k, k, 0).All(), Y: y.All(), Norm: norm, Normed: normed})
		require.NoError(t, err)
		r.submit(func(rec *gpu.Recorder) { l.Record(rec, b, rows) })
		return r.read(y)
	}
	one, many := r.floats(k, 1), r.floats(m*k, 1)
	alone := run(one)
	require.NotZero(t, alone[0])
	for _, at := range []int{0, 5, 63, 69} {
		copy(many[at*k:], one)
	}
	batch := run(many)
	for _, at := range []int{0, 5, 63, 69} {
		assert.Equal(t, alone, batch[at*96:(at+1)*96], "row %d", at)
	}
}

// Late kernels are made by Complete once there have been rows for them, and taken where they compute rightly. Until then others do their
// work.
func TestLateKernels(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	c := linearCase{typ: quant.Q4_0, n: 58, k: 96, m: 3, LinearParams: LinearParams{Variant: "baseline", MaxRows: 4, Late: true}}
	p := c.LinearParams
	p.Matrix = r.matrix(c.typ, c.n, c.k, make([]byte, c.n*int(c.typ.RowBytes(uint64(c.k)))), 0)
	p.XStride, p.YStride, p.YOffset, p.MWord, p.Eps = RowStride(c.k)+32, RowStride(c.n+3), 3, WordTokens, eps // as runLinear has them
	l, err := NewLinear(r.dev, p)
	require.NoError(t, err)
	require.NoError(t, l.Wait(ctx))
	words := func() gpu.View { return r.buffer("any", make([]byte, 1024)).All() }
	b, err := l.Bind(LinearViews{Step: words(), X: words(), Y: words()})
	require.NoError(t, err)
	compare := func() {
		got := r.runLinear(c)
		for i, want := range got.want {
			require.InDelta(t, want, got.got[i], 1e-3, i)
		}
	}
	complete := func() bool { return l.Complete(ctx, 0) }
	compare()
	assert.False(t, complete(), "nothing has been recorded")
	one := l.ways[0]
	assert.Equal(t, Way{one, 0, false}, l.Way(b, 1))
	assert.Equal(t, Way{one, 0, true}, l.Way(b, 2))
	assert.Equal(t, Way{one, 0, true}, l.Way(b, 4))
	l.Forget()
	assert.False(t, complete(), "nobody asks for two rows again")
	l.Way(b, 2)
	require.True(t, complete())
	require.Contains(t, l.ways[1].kernels[0][0].Label(), "×2")
	l.Take(func(*gpu.Kernel) bool { return true })
	assert.Equal(t, Way{l.ways[1], 1, false}, l.Way(b, 2))
	assert.Equal(t, Way{l.ways[1], 1, true}, l.Way(b, 3), "two at a time")
	require.True(t, l.Complete(ctx, 8), "as many as there may be, though nobody has asked")
	assert.Empty(t, l.ways[3:])
	l.Take(func(*gpu.Kernel) bool { return true })
	assert.False(t, l.Complete(ctx, 4), "they are those of four")
	assert.Equal(t, Way{l.ways[2], 2, false}, l.Way(b, 4))
	compare()
}

// A late way that computes wrongly, or whose kernels do not compile, is given up: it is named once, nobody asks for it again, and the best of
// what else could do its work is made.
func TestLateKernelsAreGivenUp(t *testing.T) {
	ctx := context.Background()
	for name, to := range map[string]string{"computes wrongly": "dot(whigh, low[", "does not compile": "dot(nothing, low["} {
		t.Run(name, func(t *testing.T) {
			wrong := "×2/"
			broken = func(label, text string) string {
				if strings.Contains(label, wrong) {
					return strings.Replace(text, "dot(wlow, low[", to, 1)
				}
				return text
			}
			t.Cleanup(func() { broken = nil })
			r := newRig(t)
			m, err := NewMatrix(r.dev, "matrix", quant.Q4_0, 300, 96, 0)
			require.NoError(t, err)
			t.Cleanup(m.Release)
			l, err := NewLinear(r.dev, LinearParams{Matrix: m, XStride: 96, YStride: 320, MWord: WordTokens, MaxRows: 8, Late: true, Variant: "baseline"})
			require.NoError(t, err)
			require.NoError(t, l.Wait(ctx))
			words := func() gpu.View { return r.buffer("any", make([]byte, 1024)).All() }
			b, err := l.Bind(LinearViews{Step: words(), X: words(), Y: words()})
			require.NoError(t, err)
			passed := map[*gpu.Kernel]bool{}
			complete := func() (struckOut []string) {
				if !l.Complete(ctx, 0) {
					return nil
				}
				test, err := NewSelfTest(r.dev, passed)
				require.NoError(t, err)
				defer test.Release()
				require.NoError(t, l.SelfTest(test))
				failures, err := test.Run(ctx)
				require.NoError(t, err)
				for _, f := range failures {
					struckOut = append(struckOut, f.Kernel)
				}
				l.Take(func(k *gpu.Kernel) bool { return passed[k] })
				return struckOut
			}
			one, four := l.ways[0], l.ways[2]
			want := 0
			if name == "computes wrongly" {
				want = 1
			}
			require.Equal(t, Way{one, 0, true}, l.Way(b, 2))
			assert.Len(t, complete(), want)
			assert.Equal(t, Way{one, 0, true}, l.Way(b, 2), "four at a time would still be better")
			assert.Empty(t, complete(), "it is named once")
			assert.Equal(t, Way{four, 2, false}, l.Way(b, 2))
			assert.False(t, l.Complete(ctx, 0), "it is made once")
			wrong = "×8/"
			require.Equal(t, Way{four, 2, true}, l.Way(b, 8))
			assert.Len(t, complete(), want)
			assert.Equal(t, Way{four, 2, false}, l.Way(b, 8), "nothing better is to come")
			assert.NoError(t, l.Wait(ctx), "nothing of it is waited for")
		})
	}
}
