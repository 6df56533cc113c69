package kernel

import (
	"os"
	"runtime"
	"testing"

	"quire/engine/quant"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Products of rows so wide that one launch's loops would turn more often than Mesa's lavapipe lets them.
func TestWideRows(t *testing.T) {
	cases := []linearCase{
		{typ: quant.F32, n: 20, k: 32768, m: 40, LinearParams: LinearParams{Variant: "baseline", MinRows: 40}},
		{typ: quant.Q8_0, n: 20, k: 32768, m: 40, LinearParams: LinearParams{Variant: "tile128", MinRows: 40, Norm: true}},
		{typ: quant.Q4_0, n: 20, k: 32768, m: 3, LinearParams: LinearParams{Variant: "baseline", MaxRows: 4, Norm: true}},
		{typ: quant.F32, n: 20, k: 32768, m: 40, LinearParams: LinearParams{Deterministic: true}},
		{typ: quant.F16, n: 20, k: 131072, m: 40, LinearParams: LinearParams{Variant: "baseline", MinRows: 40, Bias: true}},
		{typ: quant.Q4_1, n: 20, k: 131072, m: 40, LinearParams: LinearParams{Variant: "tile128", MinRows: 40, Add: true}},
		{typ: quant.Q4_1, n: 20, k: 131072, m: 2, LinearParams: LinearParams{Variant: "baseline", MaxRows: 2, Norm: true}},
		// Smaller ones in parts.
		{typ: quant.Q8_0, n: 70, k: 320, m: 70, LinearParams: LinearParams{Variant: "baseline", MaxTurns: 200, Bias: true}},
		{typ: quant.Q4_0, n: 70, k: 320, m: 70, LinearParams: LinearParams{Variant: "tile128", MaxTurns: 200, Add: true, Bias: true, Norm: true, Gather: true}, tokens: 75},
	}
	for i, c := range cases {
		if runtime.GOOS == "js" && os.Getenv("QUIRE_ALL") == "" && i != 0 && i != 7 {
			continue
		}
		t.Run(c.String(), func(t *testing.T) {
			r := newRig(t)
			got := r.runLinear(c)
			r.accurate(got.want, got.plain, got.got)
		})
	}
}

// A kernel whose loops would turn too often is refused, and says how large it may be.
func TestTooManyTurns(t *testing.T) {
	r := newRig(t)
	m := r.matrix(quant.F32, 4, 320, make([]byte, 4*4*320), 0)
	p := LinearParams{Matrix: m, XStride: 320, YStride: 32, Variant: "baseline", Gated: SiLU, MinRows: 40, MaxTurns: 200}
	_, err := NewLinear(r.dev, p)
	require.ErrorIs(t, err, ErrTurns)
	assert.ErrorContains(t, err, "rows of 320 columns, at most 128 with gates")
	p.MaxTurns = 0
	_, err = NewLinear(r.dev, p)
	require.NoError(t, err)

	s := Spec{File: "column_sum", Most: []Const{{"SUMMED_ROWS", MaxTurns}}}
	_, err = Module(r.dev, s)
	require.ErrorIs(t, err, ErrTurns)
	s.Most = nil
	_, err = Module(r.dev, s)
	require.ErrorContains(t, err, "no most of SUMMED_ROWS", "a launch without a bound")
}
