package attention

import (
	"context"
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// Sinks gives attention a logit a head that joins the softmax and has no value (arXiv 2309.17453, 2508.10925): it changes what
// any of the kernels gave, by the log-sum-exps that they kept.
type Sinks struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
	params Params
}

// NewSinks composes the kernel for attention of these parameters, which keeps its LSE, and starts to compile it.
func NewSinks(dev *gpu.Device, p Params) (*Sinks, error) {
	if !p.LSE {
		return nil, fmt.Errorf("attention: sinks go by the log-sum-exps: set LSE")
	}
	m, err := kernel.Module(dev, kernel.Spec{
		File: "sinks", Variant: "baseline",
		Consts:   []kernel.Const{{Name: "HEADS", Value: p.Heads}, {Name: "HEAD_DIM", Value: p.HeadDim}, {Name: "STRIDE", Value: p.OutStride}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	})
	if err != nil {
		return nil, err
	}
	return &Sinks{dev: dev, kernel: dev.Kernel(m), params: p}, nil
}

// Wait blocks until the kernel has compiled.
func (s *Sinks) Wait(ctx context.Context) error { return s.kernel.Wait(ctx) }

// Bind binds the log-sum-exps, the logits ([Heads]) and what attention gives.
func (s *Sinks) Bind(step, lse, sinks, out gpu.View) (*gpu.BindGroup, error) {
	return s.dev.Bind(s.kernel, step, lse, sinks, out)
}

// Record records the change of all tokens' rows, behind attention.
func (s *Sinks) Record(rec *gpu.Recorder, b *gpu.BindGroup, tokens int) {
	x, y := kernel.Fold((tokens*s.params.Heads*s.params.HeadDim + 63) / 64)
	rec.Dispatch(s.kernel, b, x, y, 1)
}
