package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// GateRowsParams describe x[t] *= sigmoid(g[t]) for rows of Width floats; strides are multiples of 32.
type GateRowsParams struct {
	Width            int
	GStride, XStride int
	MWord            int
}

// GateRows multiplies each row by a gate of its own.
type GateRows struct {
	dev     *gpu.Device
	kernel  *gpu.Kernel
	params  GateRowsParams
	vectors int
}

// NewGateRows composes the kernel and starts to compile it.
func NewGateRows(dev *gpu.Device, p GateRowsParams) (*GateRows, error) {
	if p.Width < 1 || p.XStride%32 != 0 || p.XStride < RowStride(p.Width) || p.GStride < 1 {
		return nil, fmt.Errorf("gate rows: %w: rows of %d with stride %d", ErrMatrixShape, p.Width, p.XStride)
	}
	vectors := ceilDiv(p.Width, 4)
	m, err := Module(dev, Spec{
		File: "gate_rows", Variant: "baseline",
		Consts:   []Const{{"VECTORS", vectors}, {"G_STRIDE", p.GStride}, {"X_STRIDE", p.XStride}, {"M_WORD", p.MWord}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	})
	if err != nil {
		return nil, err
	}
	return &GateRows{dev: dev, kernel: dev.Kernel(m), params: p, vectors: vectors}, nil
}

// Wait blocks until the kernel has compiled.
func (s *GateRows) Wait(ctx context.Context) error { return s.kernel.Wait(ctx) }

// Bind binds gates and rows, which may not share a buffer.
func (s *GateRows) Bind(step, g, x gpu.View) (*gpu.BindGroup, error) {
	return s.dev.Bind(s.kernel, step, g, x)
}

// Record records m rows.
func (s *GateRows) Record(rec *gpu.Recorder, b *gpu.BindGroup, m int) {
	x, y := Fold(ceilDiv(m*s.vectors, 64))
	rec.Dispatch(s.kernel, b, x, y, 1)
}
