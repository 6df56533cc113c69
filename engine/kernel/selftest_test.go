package kernel

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
)

// Right kernels of every type and of all that is fused with a product pass.
func TestSelfTestPasses(t *testing.T) {
	all := os.Getenv("QUIRE_ALL") != ""
	var cases []linearCase
	for _, typ := range runningTypes() {
		c := linearCase{typ: typ, n: 300, k: max(64, 3*typ.BlockWeights()), LinearParams: LinearParams{MaxRows: 1}}
		if all {
			c.MaxRows = 0
		}
		if !all && !gputest.First && len(cases) > 2 {
			break
		}
		cases = append(cases, c)
	}
	for _, p := range []LinearParams{
		{Norm: true, Gated: SiLU, Bias: true}, {Norm: true, Gated: GELU}, {Gather: true, Add: true}, {Norm: true, Gather: true, Scale: 0.5, Cap: 30}, {Activated: GELUErf, Bias: true}, {Norm: true, Deterministic: true},
	} {
		if !gputest.First && !all {
			break
		}
		cases = append(cases, linearCase{typ: quant.Q8_0, n: 66, k: 96, LinearParams: p}, linearCase{typ: quant.F16, n: 6, k: 50, LinearParams: p})
	}
	cases = append(cases, linearCase{typ: quant.Q4_0, n: 40, k: 64, maxBinding: r8(quant.Q4_0, 64), LinearParams: LinearParams{Gated: SiLU, Bias: true, MaxRows: 2}})
	for _, c := range cases {
		t.Run(c.String(), func(t *testing.T) {
			r := newRig(t)
			p := c.LinearParams
			var err error
			p.Matrix, err = NewMatrix(r.dev, "matrix", c.typ, c.n, c.k, c.maxBinding)
			require.NoError(t, err)
			t.Cleanup(p.Matrix.Release)
			p.XStride, p.YStride, p.YOffset, p.MWord, p.Eps = RowStride(c.k), RowStride(c.n+3), 3, WordTokens, eps
			if p.Gather {
				p.MWord = WordOutputs
			}
			l, err := NewLinear(r.dev, p)
			require.NoError(t, err)
			failures, passed := r.selfTestOf(l)
			for _, f := range failures {
				t.Error(f)
			}
			for _, k := range l.Kernels() {
				assert.True(t, passed[k], k.Label())
			}
		})
	}
}

// A kernel that computes wrongly is named, and no other. The baseline has it on every adapter: large ones have another kernel for two rows.
func TestSelfTestNames(t *testing.T) {
	broken = func(label, text string) string {
		if strings.HasPrefix(label, "matvec") && strings.Contains(label, "×2") {
			return strings.Replace(text, "dot(wlow, low[", "dot(whigh, low[", 1)
		}
		return text
	}
	t.Cleanup(func() { broken = nil })
	r := newRig(t)
	m, err := NewMatrix(r.dev, "matrix", quant.Q4_0, 300, 96, 0)
	require.NoError(t, err)
	t.Cleanup(m.Release)
	l, err := NewLinear(r.dev, LinearParams{Matrix: m, XStride: 96, YStride: 320, MWord: WordTokens, MaxRows: 4, Variant: "baseline"})
	require.NoError(t, err)
	failures, passed := r.selfTestOf(l)
	require.Len(t, failures, 1)
	assert.Contains(t, failures[0].Kernel, "matvec 300×96 q4_0 ×2")
	assert.Equal(t, GroupProducts, failures[0].Group)
	assert.Equal(t, SelfTestOutputs, failures[0].Of)
	assert.ErrorContains(t, failures[0], "computes wrongly")
	assert.Len(t, passed, len(l.Kernels())-1)
}

// Kernels whose test could not run have not passed: the next one tests them.
func TestSelfTestCutShort(t *testing.T) {
	r := newRig(t)
	k, err := NewRMSNorm(r.dev, RMSNormParams{K: 64, XStride: 64, YStride: 64, MWord: WordTokens, Eps: eps})
	require.NoError(t, err)
	require.NoError(t, k.Wait(t.Context()))
	passed := map[*gpu.Kernel]bool{}
	ended, end := context.WithCancel(t.Context())
	end()
	for _, ctx := range []context.Context{ended, t.Context()} {
		test, err := NewSelfTest(r.dev, passed)
		require.NoError(t, err)
		defer test.Release()
		require.NoError(t, k.SelfTest(test))
		assert.False(t, test.Needs(k.kernel), "once is enough")
		failures, err := test.Run(ctx)
		assert.Empty(t, failures)
		assert.Equal(t, ctx == ended, err != nil)
		assert.Equal(t, ctx != ended, passed[k.kernel])
	}
}
