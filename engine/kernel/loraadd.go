package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// LoRAAdd adds B·u of LoRA adapters to the rows of a product that is there without it.
type LoRAAdd struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
	params *LoRAParams
	stride int // of the rows
}

// NewLoRAAdd composes the kernel and starts to compile it.
func NewLoRAAdd(dev *gpu.Device, p *LoRAParams, stride int) (*LoRAAdd, error) {
	if stride < p.N {
		return nil, fmt.Errorf("lora: %w: %d rows go to rows of %d", ErrMatrixShape, p.N, stride)
	}
	s := Spec{
		File: "lora_add", Variant: "baseline",
		Consts:   []Const{{"N", p.N}, {"FIRST", 0}, {"Y_STRIDE", stride}, {"M_WORD", p.MWord}},
		Slots:    map[string]string{},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite},
	}
	p.adapt(&s, 0)
	m, err := Module(dev, s)
	if err != nil {
		return nil, err
	}
	return &LoRAAdd{dev: dev, kernel: dev.Kernel(m), params: p, stride: stride}, nil
}

// Wait blocks until the kernel has compiled.
func (l *LoRAAdd) Wait(ctx context.Context) error { return l.kernel.Wait(ctx) }

// Bind binds the rows and the buffer of B, at whose end a LoRA has left u.
func (l *LoRAAdd) Bind(step, y, b gpu.View) (*gpu.BindGroup, error) {
	return l.dev.Bind(l.kernel, step, y, b)
}

// Record records m rows, at most 65,535.
func (l *LoRAAdd) Record(rec *gpu.Recorder, b *gpu.BindGroup, m int) {
	rec.Dispatch(l.kernel, b, uint32(ceilDiv(l.params.N, 64)), uint32(m), 1)
}
