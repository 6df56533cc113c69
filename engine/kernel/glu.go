package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// Activation is a function of gates.
type Activation string

// The activations. GELU (arXiv 1606.08415) is by tanh, GELUErf by the error function. Clamped is
// gpt-oss's, gate·sigmoid(1.702·gate)·(up + 1) with both bounded, for products by experts.
const (
	SiLU    Activation = "silu"
	GELU    Activation = "gelu"
	GELUErf Activation = "gelu_erf"
	Clamped Activation = "clamped"
)

// library is the activation's choice of a shader's slot; a shader that uses none takes one all the same.
func (a Activation) library() string {
	if a == "" {
		a = SiLU
	}
	return "activation_" + string(a)
}

// GLUParams describe h = activation(g)·u for rows of Width floats; strides are multiples of 32.
type GLUParams struct {
	Width                     int
	GStride, UStride, HStride int
	UOffset                   int // of what is taken of a row of u, a multiple of 4
	MWord                     int
	Activation                Activation
}

// GLU joins gates and ups that come from two matrices (arXiv 2002.05202); a Linear with Gated set does it on the way.
type GLU struct {
	dev     *gpu.Device
	kernel  *gpu.Kernel
	params  GLUParams
	vectors int
}

// NewGLU composes the kernel and starts to compile it.
func NewGLU(dev *gpu.Device, p GLUParams) (*GLU, error) {
	width := RowStride(p.Width)
	for _, stride := range []int{p.GStride, p.UStride, p.HStride} {
		if p.Width < 1 || stride%32 != 0 || stride < width {
			return nil, fmt.Errorf("glu: %w: rows of %d with stride %d", ErrMatrixShape, p.Width, stride)
		}
	}
	vectors := ceilDiv(p.Width, 4)
	if p.UOffset < 0 || p.UOffset%4 != 0 || p.UOffset+4*vectors > p.UStride {
		return nil, fmt.Errorf("glu: %w: rows of %d from %d on with stride %d", ErrMatrixShape, p.Width, p.UOffset, p.UStride)
	}
	m, err := Module(dev, Spec{
		File: "glu", Variant: "baseline",
		Consts: []Const{
			{"VECTORS", vectors}, {"G_STRIDE", p.GStride}, {"U_STRIDE", p.UStride}, {"U_OFFSET", p.UOffset}, {"H_STRIDE", p.HStride}, {"M_WORD", p.MWord},
		},
		Slots:    map[string]string{"activation": p.Activation.library()},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	})
	if err != nil {
		return nil, err
	}
	return &GLU{dev: dev, kernel: dev.Kernel(m), params: p, vectors: vectors}, nil
}

// Wait blocks until the kernel has compiled.
func (s *GLU) Wait(ctx context.Context) error { return s.kernel.Wait(ctx) }

// Bind binds g, u and h; g and u may be views of one buffer, h may not share it.
func (s *GLU) Bind(step, g, u, h gpu.View) (*gpu.BindGroup, error) {
	return s.dev.Bind(s.kernel, step, g, u, h)
}

// Record records m rows, at most 65,535.
func (s *GLU) Record(rec *gpu.Recorder, b *gpu.BindGroup, m int) {
	rec.Dispatch(s.kernel, b, uint32(ceilDiv(s.vectors, 64)), uint32(m), 1)
}
