package train

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// swiglu appends h = silu(gate)·up, with the kernel that models run.
func (p *builder) swiglu(gate, up, h matrix) {
	if p.Err() != nil {
		return
	}
	s, err := kernel.NewGLU(p.Device(), kernel.GLUParams{Width: h.columns, GStride: gate.stride, UStride: up.stride, HStride: h.stride, Activation: kernel.SiLU})
	if err != nil {
		p.Fail(err)
		return
	}
	rows := p.rows(h.rows)
	var group *gpu.BindGroup
	p.add(func() (err error) {
		group, err = s.Bind(rows, gate.View, up.View, h.View)
		return err
	}, func(rec *gpu.Recorder) { s.Record(rec, group, h.rows) })
}

// swigluBackward appends the gradients by gate and up, in their place, from dh.
func (p *builder) swigluBackward(gate, up, dh matrix) {
	vectors := dh.rows * dh.stride / 4
	p.each(vectors, kernel.Spec{
		File: "swiglu_backward", Consts: []kernel.Const{{Name: "VECTORS", Value: vectors}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite},
	}, dh.View, gate.View, up.View)
}
