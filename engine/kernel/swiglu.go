package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// SwiGLUParams describe h = silu(g)·u for rows of Width floats; strides are multiples of 32.
type SwiGLUParams struct {
	Width                     int
	GStride, UStride, HStride int
	MWord                     int
}

// SwiGLU joins gates and ups that come from two matrices; a Linear with SwiGLU set does it on the way.
type SwiGLU struct {
	dev     *gpu.Device
	kernel  *gpu.Kernel
	vectors int
}

// NewSwiGLU composes the kernel and starts to compile it.
func NewSwiGLU(dev *gpu.Device, p SwiGLUParams) (*SwiGLU, error) {
	width := RowStride(p.Width)
	for _, stride := range []int{p.GStride, p.UStride, p.HStride} {
		if p.Width < 1 || stride%32 != 0 || stride < width {
			return nil, fmt.Errorf("swiglu: %w: rows of %d with stride %d", ErrMatrixShape, p.Width, stride)
		}
	}
	vectors := ceilDiv(p.Width, 4)
	m, err := Module(dev, Spec{
		File: "swiglu", Variant: "baseline",
		Consts: []Const{
			{"VECTORS", vectors}, {"G_STRIDE", p.GStride}, {"U_STRIDE", p.UStride}, {"H_STRIDE", p.HStride}, {"M_WORD", p.MWord},
		},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	})
	if err != nil {
		return nil, err
	}
	return &SwiGLU{dev: dev, kernel: dev.Kernel(m), vectors: vectors}, nil
}

// Wait blocks until the kernel has compiled.
func (s *SwiGLU) Wait(ctx context.Context) error { return s.kernel.Wait(ctx) }

// Bind binds g, u and h; g and u may be views of one buffer, h may not share it.
func (s *SwiGLU) Bind(step, g, u, h gpu.View) (*gpu.BindGroup, error) {
	return s.dev.Bind(s.kernel, step, g, u, h)
}

// Record records m rows, at most 65,535.
func (s *SwiGLU) Record(rec *gpu.Recorder, b *gpu.BindGroup, m int) {
	rec.Dispatch(s.kernel, b, uint32(ceilDiv(s.vectors, 64)), uint32(m), 1)
}
