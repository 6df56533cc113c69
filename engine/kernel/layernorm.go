package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// LayerNormParams describe y = (x − mean(x)) / sqrt(variance(x) + Eps) · weight + bias for rows of K floats (arXiv 1607.06450).
type LayerNormParams struct {
	K                int
	XStride, YStride int // floats, multiples of 32
	MWord            int
	Eps              float32
	Gather           bool   // row m of x is the token of output m
	Variant          string // "" to let the adapter decide, "baseline" or "subgroup"
}

// LayerNorm normalises rows around their mean.
type LayerNorm struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
	params LayerNormParams
	each   int // rows a workgroup
}

// NewLayerNorm composes the kernel and starts to compile it.
func NewLayerNorm(dev *gpu.Device, p LayerNormParams) (*LayerNorm, error) {
	subgroup, err := normSubgroup(dev.Info(), p.Variant)
	if err != nil {
		return nil, fmt.Errorf("layernorm: %w", err)
	}
	s, each, err := normSpec("layernorm", p.K, p.XStride, p.YStride, p.MWord, p.Eps, p.Gather, subgroup)
	if err != nil {
		return nil, err
	}
	s.Bindings = []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite}
	m, err := Module(dev, s)
	if err != nil {
		return nil, err
	}
	return &LayerNorm{dev: dev, kernel: dev.Kernel(m), params: p, each: each}, nil
}

// Wait blocks until the kernel has compiled.
func (n *LayerNorm) Wait(ctx context.Context) error { return n.kernel.Wait(ctx) }

// Bind binds x [rows][XStride], weight and bias [K] padded to 32 with zeros, y [rows][YStride], in another buffer.
func (n *LayerNorm) Bind(step, x, weight, bias, y gpu.View) (*gpu.BindGroup, error) {
	return n.dev.Bind(n.kernel, step, x, weight, bias, y)
}

// Record records the norm of m rows.
func (n *LayerNorm) Record(rec *gpu.Recorder, b *gpu.BindGroup, m int) {
	x, y := Fold(ceilDiv(m, n.each))
	rec.Dispatch(n.kernel, b, x, y, 1)
}
