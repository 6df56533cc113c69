//go:build !js

package kernel

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/quant"
)

func (r *rig) rowProducts(n, k int) (all []RowProduct) {
	step, x, y := r.step(StepData{Tokens: make([]uint32, 64)}), r.buffer("x", make([]byte, 4*k)).All(), r.buffer("y", make([]byte, 4*n)).All()
	for range 2 {
		raw, _ := r.weights(quant.Q4_K, n, k)
		l, err := NewLinear(r.dev, LinearParams{Matrix: r.matrix(quant.Q4_K, n, k, raw, 0), XStride: k, YStride: n, MWord: WordTokens})
		require.NoError(r, err)
		all = append(all, RowProduct{l, LinearViews{Step: step, X: x, Y: y}})
	}
	return all
}

// Each shape is measured over all weights; one that gives other results is told and not chosen, however fast it is.
func TestRowTuning(t *testing.T) {
	r := newRig(t)
	products := r.rowProducts(64, 256)
	m, ok := products[0].RowMatrix()
	require.True(t, ok)
	require.Equal(t, RowMatrix{Type: "Q4_K", Rows: 64, Columns: 256}, m)
	broken = func(label, text string) string {
		if strings.Contains(text, "const TILE: u32 = 1u;") {
			return strings.Replace(text, "y[at] = value;", "y[at] = 2.0 * value;", 1)
		}
		return text
	}
	defer func() { broken = nil }()
	tuning, err := NewRowTuning(products, 4)
	require.NoError(t, err)
	tried, err := tuning.Run(context.Background())
	require.NoError(t, err)
	require.Len(t, tried, 4)
	own := products[0].params.matvecShape(1, subgroupSize(r.dev.Info()))
	assert.Equal(t, own.exported(), tried[0].RowShape)
	best := 0
	for _, s := range tried {
		assert.Equal(t, m, s.RowMatrix)
		assert.Equal(t, s.Tile == 1, strings.HasPrefix(s.Skipped, "results differ"), "%+v", s)
		assert.Equal(t, s.Skipped == "", s.Seconds > 0, "%+v", s)
		if s.Best {
			best++
			assert.Empty(t, s.Skipped)
		}
	}
	assert.Equal(t, 1, best)
}

// A remembered shape is taken where it fits the product, and the product gives the same; named variants and deterministic mode do without.
func TestTunedRow(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		row    RowShape
		change func(p *LinearParams)
		taken  bool
	}{
		{RowShape{Lanes: 8, Tile: 4, Workgroup: 128, Batch: 2}, nil, true},
		{RowShape{Lanes: 64, Tile: 1, Workgroup: 128}, nil, true},
		{RowShape{Lanes: 8, Tile: 2, Workgroup: 256, Strips: true}, nil, true},
		{RowShape{Lanes: 8, Tile: 2, Workgroup: 256, Strips: true, Batch: 2}, nil, false},
		{RowShape{Lanes: 32, Tile: 2, Workgroup: 256, Strips: true}, nil, false},
		{RowShape{Lanes: 8, Tile: 1, Workgroup: 128}, func(p *LinearParams) { p.Gated = SiLU }, false},
		{RowShape{Lanes: 8, Tile: 4, Workgroup: 128, Batch: 3}, nil, false},
		{RowShape{Lanes: 6, Tile: 4, Workgroup: 128}, nil, false},
		{RowShape{Lanes: 8, Tile: 4, Workgroup: 128, Batch: 2}, func(p *LinearParams) { p.Variant = "f32" }, false},
		{RowShape{Lanes: 8, Tile: 4, Workgroup: 128, Batch: 2}, func(p *LinearParams) { p.Deterministic = true }, false},
	} {
		lc := linearCase{LinearParams: LinearParams{Row: &c.row}, typ: quant.Q4_K, n: 70, k: 512, m: 1}
		if c.change != nil {
			c.change(&lc.LinearParams)
		}
		m, err := NewMatrix(r.dev, "matrix", lc.typ, lc.n, lc.k, 0)
		require.NoError(t, err)
		t.Cleanup(m.Release)
		l, err := NewLinear(r.dev, LinearParams{Matrix: m, XStride: 512, YStride: 96, Row: &c.row, Gated: lc.Gated, Variant: lc.Variant, Deterministic: lc.Deterministic})
		require.NoError(t, err)
		assert.Equal(t, c.taken, l.params.Row != nil, "%+v", c.row)
		if c.taken {
			got := r.runLinear(lc)
			r.accurate(got.want, got.plain, got.got)
		}
	}
}
