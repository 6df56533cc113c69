package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// GateParams describe x *= sigmoid(z) for rows of Width floats.
type GateParams struct {
	Width            int
	XStride, ZStride int
	ZOffset          int // the gates' place in a row of z
}

// Gate gates rows in their place.
type Gate struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
	params GateParams
}

// NewGate composes the kernel and starts to compile it.
func NewGate(dev *gpu.Device, p GateParams) (*Gate, error) {
	if p.Width < 1 || p.Width > p.XStride || p.ZOffset < 0 || p.ZOffset+p.Width > p.ZStride {
		return nil, fmt.Errorf("gate: %w: rows of %d", ErrMatrixShape, p.Width)
	}
	m, err := Module(dev, Spec{
		File: "gate", Variant: "baseline",
		Consts:   []Const{{"WIDTH", p.Width}, {"X_STRIDE", p.XStride}, {"Z_STRIDE", p.ZStride}, {"Z_AT", p.ZOffset}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite, gpu.ReadOnly},
	})
	if err != nil {
		return nil, err
	}
	return &Gate{dev: dev, kernel: dev.Kernel(m), params: p}, nil
}

// Wait blocks until the kernel has compiled.
func (g *Gate) Wait(ctx context.Context) error { return g.kernel.Wait(ctx) }

// Bind binds x [token][XStride] and z [token][ZStride].
func (g *Gate) Bind(step, x, z gpu.View) (*gpu.BindGroup, error) {
	return g.dev.Bind(g.kernel, step, x, z)
}

// Record records the step's tokens.
func (g *Gate) Record(rec *gpu.Recorder, b *gpu.BindGroup, tokens int) {
	rec.Dispatch(g.kernel, b, uint32(ceilDiv(g.params.Width, 64)), uint32(tokens), 1)
}
