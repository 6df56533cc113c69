package attention

import (
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/quant"
)

// maker makes the parts of standard attention and keeps the first error.
type maker struct {
	s   *Standard
	err error
}

func (m *maker) buffer(label string, size int) *gpu.Buffer {
	return m.add(&m.s.buffers, label, uint64(size))
}

// square makes a buffer of [queries][keys] or [keys][queries], whose rows are padded.
func (m *maker) square(label string) *gpu.Buffer {
	return m.add(&m.s.squares, label, m.s.params.scoreBytes())
}

func (m *maker) add(to *[]*gpu.Buffer, label string, size uint64) *gpu.Buffer {
	if m.err != nil {
		return nil
	}
	var b *gpu.Buffer
	if b, m.err = m.s.device.NewBuffer(label, size, gpu.Storage); m.err == nil {
		*to = append(*to, b)
	}
	return b
}

// product makes a matrix of f32 [rows][cols] and what multiplies m rows of x by it into rows of a stride. word is the
// record's word with m.
func (m *maker) product(label string, rows, cols, stride, of, word int) *product {
	if m.err != nil {
		return nil
	}
	matrix, err := kernel.NewMatrix(m.s.device, label, quant.F32, rows, cols, 0)
	if err != nil {
		m.err = err
		return nil
	}
	m.s.planes = append(m.s.planes, matrix)
	if len(matrix.Pieces) != 1 {
		m.err = fmt.Errorf("%s: %d × %d floats do not fit one binding", label, rows, cols)
		return nil
	}
	p := &product{matrix: matrix, rows: of}
	p.linear, m.err = kernel.NewLinear(m.s.device, kernel.LinearParams{
		Matrix: matrix, XStride: kernel.RowStride(cols), YStride: stride, MWord: word, MinRows: of, MaxRows: of, Variant: m.s.params.Variant})
	return p
}

func (m *maker) kernel(file string, consts []kernel.Const, bindings int, most ...kernel.Const) *gpu.Kernel {
	if m.err != nil {
		return nil
	}
	list := make([]gpu.Binding, bindings)
	list[bindings-1] = gpu.ReadWrite
	module, err := kernel.Module(m.s.device, kernel.Spec{File: file, Variant: "baseline", Consts: consts, Bindings: list, Most: most})
	if err != nil {
		m.err = err
		return nil
	}
	k := m.s.device.Kernel(module)
	m.s.kernels = append(m.s.kernels, k)
	return k
}

// gather copies one of a number of heads out of [token][heads][dim]; units lays it out as weights.
func (m *maker) gather(rowsWord, headWord, heads int, units bool) *gpu.Kernel {
	return m.copying(rowsWord, headWord, heads, kernel.RowStride(m.s.params.HeadDim), true, units, false)
}

// scatter copies a head back; add adds it.
func (m *maker) scatter(rowsWord, headWord, heads int, add bool) *gpu.Kernel {
	return m.copying(rowsWord, headWord, heads, m.s.params.HeadDim, false, false, add)
}

func (m *maker) copying(rowsWord, headWord, heads, width int, gather, units, add bool) *gpu.Kernel {
	dim := m.s.params.HeadDim
	return m.kernel("standard_copy", []kernel.Const{
		{Name: "ROWS_WORD", Value: rowsWord}, {Name: "HEAD_WORD", Value: headWord}, {Name: "COLUMNS", Value: dim},
		{Name: "STRIDE", Value: heads * dim}, {Name: "WIDTH", Value: width}, {Name: "PADDED", Value: kernel.RowStride(dim)},
		{Name: "GATHER", Value: gather}, {Name: "UNITS", Value: units}, {Name: "ADD", Value: add},
	}, 3)
}

// transpose turns rows into columns; a stride of 0 is that of padded rows.
func (m *maker) transpose(rowsWord, columnsWord, headWord, stride int, units bool) *gpu.Kernel {
	return m.kernel("standard_transpose", []kernel.Const{
		{Name: "ROWS_WORD", Value: rowsWord}, {Name: "COLUMNS_WORD", Value: columnsWord}, {Name: "HEAD_WORD", Value: headWord},
		{Name: "STRIDE", Value: stride}, {Name: "UNITS", Value: units},
	}, 3)
}

// binder binds and keeps the first error.
type binder struct {
	s   *Standard
	err error
}

func (b *binder) bind(k *gpu.Kernel, views ...gpu.View) *gpu.BindGroup {
	if b.err != nil {
		return nil
	}
	var g *gpu.BindGroup
	g, b.err = b.s.device.Bind(k, views...)
	return g
}

func (b *binder) product(p *product, record gpu.View, x, y *gpu.Buffer) *kernel.LinearBind {
	if b.err != nil {
		return nil
	}
	var l *kernel.LinearBind
	l, b.err = p.linear.Bind(kernel.LinearViews{Step: record, X: x.All(), Y: y.All()})
	return l
}
