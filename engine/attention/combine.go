package attention

import (
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// Combine merges two attentions of the same queries over different keys by their log-sum-exps, as if all keys had been
// attended at once.
type Combine struct {
	device *gpu.Device
	kernel *gpu.Kernel
}

// NewCombine starts compiling the kernel for outputs of Params' heads, head dim and output stride.
func NewCombine(d *gpu.Device, p Params) (*Combine, error) {
	if p.HeadDim < 1 || p.Heads < 1 || p.OutStride < p.Heads*p.HeadDim {
		return nil, fmt.Errorf("combine: output stride %d is less than %d heads of %d", p.OutStride, p.Heads, p.HeadDim)
	}
	m, err := kernel.Module(d, kernel.Spec{File: "attention_combine", Variant: "baseline",
		Consts:   []kernel.Const{{Name: "HEAD_DIM", Value: p.HeadDim}, {Name: "HEADS", Value: p.Heads}, {Name: "OUT_STRIDE", Value: p.OutStride}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite, gpu.ReadOnly, gpu.ReadOnly}})
	if err != nil {
		return nil, err
	}
	return &Combine{device: d, kernel: d.Kernel(m)}, nil
}

// Bind binds a step buffer that counts the tokens, the output and log-sum-exp that take the result, and the other ones.
func (c *Combine) Bind(step, out, lse, otherOut, otherLSE gpu.View) (*gpu.BindGroup, error) {
	return c.device.Bind(c.kernel, step, out, lse, otherOut, otherLSE)
}

// Record records the merge of so many tokens, the number that the step buffer holds.
func (c *Combine) Record(rec *gpu.Recorder, b *gpu.BindGroup, tokens int) {
	x, z := kernel.Fold(tokens)
	rec.Dispatch(c.kernel, b, x, 1, z)
}
