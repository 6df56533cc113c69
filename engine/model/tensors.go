package model

import (
	"strings"

	"quire/engine/gguf"
	"quire/engine/quant"
)

// Part is a tensor's place in a fused matrix: its row First + r becomes row r·Stride + Offset, for Rows rows; 0 for all of
// the tensor's.
type Part struct {
	Tensor         *gguf.Tensor
	Offset, Stride int
	First, Rows    int
}

// span is where the part's rows lie in the file.
func (p Part) span() (offset, bytes int64) {
	elements := p.Tensor.Elements()
	if p.Rows == 0 || elements == 0 {
		return p.Tensor.Offset, p.Tensor.Bytes
	}
	row := p.Tensor.Bytes / int64(elements/p.Tensor.Shape[0])
	return p.Tensor.Offset + int64(p.First)*row, int64(p.Rows) * row
}

// Matrix is a weight matrix to be made on the GPU, [Rows][Cols], from one or more tensors of one type.
type Matrix struct {
	Label      string
	Type       quant.Type
	Rows, Cols int
	Experts    int // whose matrices stand one below the other; 0: it is no stack of experts
	Parts      []Part
	blocks     []block      // that it is made of
	inTurn     bool         // their rows come in turn
	Scale      *gguf.Tensor // a number that all weights are multiplied by; nil for none
}

// Vector is a list of F32 weights to be made on the GPU from tensors; where none lies it is 0.
type Vector struct {
	Label  string
	Length int
	Parts  []VectorPart
}

// VectorPart is a tensor's place in a vector.
type VectorPart struct {
	Tensor *gguf.Tensor
	Offset int // in floats
}

// tensor finds a tensor that must be there.
func (b *builder) tensor(name string) *gguf.Tensor {
	t, ok := b.find(name)
	if !ok {
		b.refuse("the file has no tensor %s", name)
		return &gguf.Tensor{Name: name}
	}
	return t
}

// matrix plans a matrix of tensors of one type.
func (b *builder) matrix(label string, rows, cols int, parts ...Part) *Matrix {
	m := &Matrix{Label: b.label(label), Rows: rows, Cols: cols, Parts: parts, blocks: []block{{label, rows, parts}}}
	b.plan.matrices = append(b.plan.matrices, m)
	for _, part := range parts {
		m.Type = part.Tensor.Type
		if !m.Type.Runs() {
			b.refuse("tensor %s has type %s (%s run)", part.Tensor.Name, m.Type, and(typesThatRun()))
		}
		if s := b.scaleOf(part.Tensor); s != nil {
			m.Scale = s
		}
	}
	return m
}

// scaleOf finds a number beside a matrix in NVFP4, by which what it gives is to be multiplied. The inputs' scale, which may be
// there too, is for those who compute in few bits. Experts' scales are left unread, which refuses the file.
func (b *builder) scaleOf(t *gguf.Tensor) *gguf.Tensor {
	name, ok := strings.CutSuffix(t.Name, ".weight")
	if !ok || t.Type != quant.NVFP4 || len(t.Shape) != 2 {
		return nil
	}
	b.find(name + ".input_scale")
	s, ok := b.find(name + ".scale")
	if !ok {
		return nil
	}
	if s.Type != quant.F32 || s.Elements() != 1 {
		b.refuse("tensor %s has type %s and shape %v, want one number in F32", s.Name, s.Type, s.Shape)
	}
	return s
}

// alike says whether tensors may be parts of one matrix.
func (b *builder) alike(x, y *gguf.Tensor) bool {
	return x == y || x.Type == y.Type && b.scaleOf(x) == nil && b.scaleOf(y) == nil
}

// stack plans matrices of the given rows one below the other: as one where their types agree and none is scaled.
func (b *builder) stack(label string, cols int, names []string, rows []int) []*Matrix {
	return b.below(label, cols, b.blocks(cols, names, rows))
}

// blocks are a tensor each.
func (b *builder) blocks(cols int, names []string, rows []int) []block {
	var blocks []block
	for i, name := range names {
		t := b.tensor(b.name(name + ".weight"))
		b.checkRows(t, rows[i], cols)
		blocks = append(blocks, block{name, rows[i], []Part{{Tensor: t, Stride: 1}}})
	}
	return blocks
}

// block is rows of a matrix that parts of one tensor make up.
type block struct {
	label string
	rows  int
	parts []Part
}

// below plans blocks one below the other: as one matrix where their types agree and none is scaled.
func (b *builder) below(label string, cols int, blocks []block) []*Matrix {
	var parts []Part
	total, alike := 0, true
	for _, block := range blocks {
		for _, part := range block.parts {
			part.Offset += total
			parts = append(parts, part)
			alike = alike && b.alike(part.Tensor, parts[0].Tensor)
		}
		total += block.rows
	}
	if alike {
		m := b.matrix(label, total, cols, parts...)
		m.blocks = blocks
		return []*Matrix{m}
	}
	var apart []*Matrix
	for _, block := range blocks {
		apart = append(apart, b.matrix(block.label, block.rows, cols, block.parts...))
	}
	return apart
}

// interleave plans two matrices of as many rows as one, row by row in turn, where their types agree and neither is scaled.
func (b *builder) interleave(label string, cols int, names [2]string, rows int) []*Matrix {
	first, second := b.tensor(b.name(names[0]+".weight")), b.tensor(b.name(names[1]+".weight"))
	b.checkRows(first, rows, cols)
	b.checkRows(second, rows, cols)
	if !b.alike(first, second) {
		return []*Matrix{b.matrix(names[0], rows, cols, Part{Tensor: first, Stride: 1}), b.matrix(names[1], rows, cols, Part{Tensor: second, Stride: 1})}
	}
	gates, ups := Part{Tensor: first, Stride: 2}, Part{Tensor: second, Offset: 1, Stride: 2}
	m := b.matrix(label, 2*rows, cols, gates, ups)
	m.blocks, m.inTurn = []block{{names[0], rows, []Part{gates}}, {names[1], rows, []Part{ups}}}, true
	return []*Matrix{m}
}

// gatesAndUps plans a tensor of gates, and after them as many ups, as one matrix of both in turn.
func (b *builder) gatesAndUps(name string, cols, rows int) *Matrix {
	t := b.tensor(b.name(name + ".weight"))
	b.checkRows(t, 2*rows, cols)
	return b.matrix("gate and up", 2*rows, cols, Part{Tensor: t, Rows: rows, Stride: 2}, Part{Tensor: t, First: rows, Rows: rows, Offset: 1, Stride: 2})
}

// checkRows refuses a tensor of another shape than a matrix of rows and columns; one row may be a list.
func (b *builder) checkRows(t *gguf.Tensor, rows, cols int) {
	if rows == 1 && len(t.Shape) == 1 && t.Shape[0] == uint64(cols) {
		return
	}
	if len(t.Shape) != 2 || t.Shape[0] != uint64(cols) || t.Shape[1] != uint64(rows) {
		b.refuse("tensor %s has shape %v, want [%d %d]", t.Name, t.Shape, cols, rows)
	}
}

// vector plans a single tensor.
func (b *builder) vector(length int, name string) *Vector {
	v := b.newVector(name, length)
	b.part(v, b.tensor(name), 0, length)
	return v
}

func (b *builder) newVector(label string, length int) *Vector {
	v := &Vector{Label: label, Length: length}
	b.plan.vectors = append(b.plan.vectors, v)
	return v
}

func (b *builder) part(v *Vector, t *gguf.Tensor, offset, length int) {
	switch {
	case b.err != nil:
	case t.Type != quant.F32:
		b.refuse("tensor %s has type %s, want F32", t.Name, t.Type)
	case t.Elements() != uint64(length):
		b.refuse("tensor %s has %d elements, want %d", t.Name, t.Elements(), length)
	}
	v.Parts = append(v.Parts, VectorPart{Tensor: t, Offset: offset})
}

// biases plans what is added to rows that lie one after the other, of which any may have none; nil where none has one.
func (b *builder) biases(label string, names []string, rows []int) *Vector {
	var bias *Vector
	offset, length := 0, 0
	for _, n := range rows {
		length += n
	}
	for i, name := range names {
		if t, ok := b.find(b.name(name + ".bias")); ok {
			if bias == nil {
				bias = b.newVector(b.label(label), length)
			}
			b.part(bias, t, offset, rows[i])
		}
		offset += rows[i]
	}
	return bias
}
