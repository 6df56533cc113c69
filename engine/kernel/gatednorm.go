package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// GatedNormParams describe the norm of a recurrence's answers, group by group, with its gate z: norm(x)·silu(z), or
// norm(x·silu(z)).
type GatedNormParams struct {
	Groups, Width    int
	Weights          int  // Width where all groups share them, or Groups·Width
	GateFirst        bool // the gate comes before the norm
	XStride, ZStride int
	ZOffset          int // the gates' place in a row of z
	Eps              float32
	Variant          string // "" to let the adapter decide, "baseline" or "subgroup"
}

// GatedNorm normalises and gates rows in their place.
type GatedNorm struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
	params GatedNormParams
	each   int // groups a workgroup
}

// NewGatedNorm composes the kernel and starts to compile it.
func NewGatedNorm(dev *gpu.Device, p GatedNormParams) (*GatedNorm, error) {
	width := p.Groups * p.Width
	if p.Groups < 1 || p.Width < 1 || width > p.XStride || p.ZOffset < 0 || p.ZOffset+width > p.ZStride || p.Weights != p.Width && p.Weights != width {
		return nil, fmt.Errorf("gated_norm: %w: %d groups of %d with %d weights", ErrMatrixShape, p.Groups, p.Width, p.Weights)
	}
	subgroup, err := normSubgroup(dev.Info(), p.Variant)
	if err != nil {
		return nil, fmt.Errorf("gated_norm: %w", err)
	}
	const workgroup = 64
	lanes := workgroup
	for lanes > 1 && lanes > p.Width {
		lanes /= 2
	}
	if subgroup != 0 {
		lanes = min(lanes, int(subgroup))
	}
	s := Spec{
		File: "gated_norm", Variant: "baseline",
		Consts: []Const{
			{"GROUPS", p.Groups}, {"WIDTH", p.Width}, {"WEIGHTS", p.Weights}, {"FIRST", p.GateFirst}, {"EPS", p.Eps},
			{"X_STRIDE", p.XStride}, {"Z_STRIDE", p.ZStride}, {"Z_AT", p.ZOffset}, {"LANES", lanes}, {"WORKGROUP", workgroup}, {"SUMS", 1},
		},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite, gpu.ReadOnly, gpu.ReadOnly},
	}
	useReduce(&s, subgroup)
	m, err := Module(dev, s)
	if err != nil {
		return nil, err
	}
	return &GatedNorm{dev: dev, kernel: dev.Kernel(m), params: p, each: workgroup / lanes}, nil
}

// Wait blocks until the kernel has compiled.
func (n *GatedNorm) Wait(ctx context.Context) error { return n.kernel.Wait(ctx) }

// Bind binds x [token][XStride], z [token][ZStride] and the weights.
func (n *GatedNorm) Bind(step, x, z, weight gpu.View) (*gpu.BindGroup, error) {
	return n.dev.Bind(n.kernel, step, x, z, weight)
}

// Record records the step's tokens.
func (n *GatedNorm) Record(rec *gpu.Recorder, b *gpu.BindGroup, tokens int) {
	x, y := Fold(ceilDiv(tokens*n.params.Groups, n.each))
	rec.Dispatch(n.kernel, b, x, y, 1)
}
