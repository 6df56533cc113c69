package train

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// manyTiles is how many workgroups keep a large GPU busy: below it tiles are smaller and long sums are split.
const manyTiles = 256

// splitSpan is the least of a sum that is worth a workgroup of its own, mostSpan the most that one sums.
const (
	splitSpan = 256
	mostSpan  = 32768
)

// project appends y = x·wᵀ, or y += it: x is [m][k], w [n][k], y [m][n].
func (p *builder) project(x, w, y matrix, add bool) {
	p.product(x, w, y, productShape{m: x.rows, n: w.rows, k: x.columns, add: add})
}

// projectInput appends the gradient by x of y = x·wᵀ: dx = dy·w, or dx += it.
func (p *builder) projectInput(dy, w, dx matrix, add bool) {
	p.product(dy, w, dx, productShape{m: dy.rows, n: w.columns, k: dy.columns, add: add, bColumns: true})
}

// projectWeight appends the gradient by w of y = x·wᵀ: dw = dyᵀ·x.
func (p *builder) projectWeight(dy, x, dw matrix) {
	s := productShape{m: dy.columns, n: x.columns, k: dy.rows, aColumns: true, bColumns: true}
	splits := s.splits()
	if splits == 1 {
		p.product(dy, x, dw, s)
		return
	}
	s.span = (s.k/splits + 31) / 32 * 32
	splits = (s.k + s.span - 1) / s.span
	parts := matrix{View: p.scratch(splits * s.m * dw.stride), rows: splits, columns: s.m * dw.stride, stride: dw.stride}
	p.product(dy, x, parts, s)
	p.columnSum(parts.View, splits, s.m*dw.stride, dw.View)
}

// productShape is c[m][n] = Σ_k a(m, k)·b(n, k).
type productShape struct {
	m, n, k            int
	span               int // k's a split; 0: all
	add                bool
	aColumns, bColumns bool // stored with k's as rows
}

func tiles(m, n, side int) int { return ((m + side - 1) / side) * ((n + side - 1) / side) }

// splits is into how many spans the sum is cut.
func (s productShape) splits() int {
	return max((s.k+mostSpan-1)/mostSpan, min(s.k/splitSpan, (manyTiles+tiles(s.m, s.n, 64)-1)/tiles(s.m, s.n, 64)))
}

func (p *builder) product(a, b, c matrix, s productShape) {
	quads := 1
	if tiles(s.m, s.n, 128) >= manyTiles {
		quads = 2
	}
	splits, add := 1, 0
	if s.span > 0 {
		splits = (s.k + s.span - 1) / s.span
	} else {
		s.span = (s.k + 31) / 32 * 32
	}
	if s.add {
		add = 1
	}
	shape := p.uniform(s.m, s.n, s.k, a.stride, b.stride, c.stride, s.span, add)
	side := 64 * quads
	p.dispatch(kernel.Spec{
		File:     "product",
		Consts:   []kernel.Const{{Name: "A_COLUMNS", Value: s.aColumns}, {Name: "B_COLUMNS", Value: s.bColumns}, {Name: "QUADS", Value: quads}, {Name: "DEPTH", Value: 32 / quads}},
		Bindings: []gpu.Binding{gpu.Constant, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
		Most:     []kernel.Const{{Name: "SPAN", Value: s.span}},
	}, uint32((s.n+side-1)/side), uint32((s.m+side-1)/side), uint32(splits), shape, a.View, b.View, c.View)
}

// columnSum appends y[i] = Σ_r x[r][i] for x of [rows][columns], columns a multiple of 4.
func (p *builder) columnSum(x gpu.View, rows, columns int, y gpu.View) {
	p.each(columns/4, kernel.Spec{File: "column_sum", Bindings: []gpu.Binding{gpu.Constant, gpu.ReadOnly, gpu.ReadWrite},
		Most: []kernel.Const{{Name: "SUMMED_ROWS", Value: rows}}},
		p.uniform(rows, columns/4), x, y)
}
