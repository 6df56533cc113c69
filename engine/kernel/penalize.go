package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
	"quire/engine/sample"
)

// PenalizeParams specialise Penalize.
type PenalizeParams struct {
	Vocab   int // tokens
	Stride  int // words from one output's logits to the next
	Context int // the most tokens of a sequence
}

// Penalize changes the logits of outputs whose lane has a bias or penalties, before Sample draws from them. What it knows of lanes
// are words of each (Penalized) and a region of one buffer, the history.
type Penalize struct {
	device         *gpu.Device
	params         PenalizeParams
	apply, restore *gpu.Kernel
}

// NewPenalize starts compiling the kernels.
func NewPenalize(d *gpu.Device, p PenalizeParams) (*Penalize, error) {
	if p.Vocab < 1 || p.Stride < p.Vocab || p.Context < 1 {
		return nil, fmt.Errorf("kernel: penalize: vocabulary %d, stride %d, context %d", p.Vocab, p.Stride, p.Context)
	}
	workgroup := 256
	if p.Context <= 1024 {
		workgroup = 64 // more would only wait at barriers
	}
	k := &Penalize{device: d, params: p}
	for _, s := range []struct {
		into    **gpu.Kernel
		shape   string
		restore bool
	}{{&k.apply, "", false}, {&k.restore, "restore", true}} {
		m, err := Module(d, Spec{File: "penalize", Shape: s.shape, Variant: "baseline", Consts: []Const{
			{"WORKGROUP", workgroup}, {"STRIDE", p.Stride}, {"VOCABULARY", p.Vocab}, {"CONTEXT", p.Context}, {"SEQUENCES", sample.MaxBreakerSequences}, {"RESTORE", s.restore},
		}, Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite}})
		if err != nil {
			return nil, err
		}
		*s.into = d.Kernel(m)
	}
	return k, nil
}

// Wait blocks until the kernels are compiled.
func (k *Penalize) Wait(ctx context.Context) error {
	if err := k.apply.Wait(ctx); err != nil {
		return err
	}
	return k.restore.Wait(ctx)
}

// Penalties are buffers bound to the kernels of Penalize.
type Penalties struct {
	kernel         *Penalize
	apply, restore *gpu.BindGroup
}

// Bind binds the step buffer, logits [output][Stride], the lanes' last tokens [lane], the lanes' words [lane][PenaltyWords] and the
// history.
func (k *Penalize) Bind(step, logits, lanes, words, history gpu.View) (*Penalties, error) {
	p := &Penalties{kernel: k}
	var err error
	if p.apply, err = k.device.Bind(k.apply, step, logits, lanes, words, history); err != nil {
		return nil, err
	}
	p.restore, err = k.device.Bind(k.restore, step, logits, lanes, words, history)
	return p, err
}

// record records what changes the logits.
func (p *Penalties) record(rec *gpu.Recorder, outputs int) {
	y, z := Fold(outputs)
	rec.Dispatch(p.kernel.apply, p.apply, 1, y, z)
}

// recordRestore records what puts the raw logits back, of lanes that want them.
func (p *Penalties) recordRestore(rec *gpu.Recorder, outputs int) {
	y, z := Fold(outputs)
	rec.Dispatch(p.kernel.restore, p.restore, 1, y, z)
}
