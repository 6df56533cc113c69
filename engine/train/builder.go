package train

import (
	"encoding/binary"
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/program"
)

// builder is the program of a step. Its sizes are fixed: so are workgroup counts, and kernels take their shapes from uniform
// buffers.
type builder struct {
	*program.Program
	uniforms map[string]gpu.View
}

func newBuilder(dev *gpu.Device) *builder {
	return &builder{Program: program.New(dev, "train"), uniforms: map[string]gpu.View{}}
}

// uniform gives words to a kernel as its uniform buffer; equal ones share one.
func (p *builder) uniform(words ...int) gpu.View {
	var data []byte
	for _, w := range words {
		data = binary.LittleEndian.AppendUint32(data, uint32(w))
	}
	for len(data)%16 != 0 {
		data = append(data, 0)
	}
	if view, ok := p.uniforms[string(data)]; ok || p.Err() != nil {
		return view
	}
	view := p.Uniform("shape", len(data)/4)
	if p.Err() == nil {
		p.Fail(view.Buffer.Upload(0, data))
	}
	p.uniforms[string(data)] = view
	return view
}

// rows gives a number of rows to one of the engine's own kernels, as the first word of a step buffer.
func (p *builder) rows(n int) gpu.View {
	key := fmt.Sprint("rows ", n)
	if view, ok := p.uniforms[key]; ok || p.Err() != nil {
		return view
	}
	view := p.Buffer("rows", 4)
	if p.Err() == nil {
		p.Fail(view.Buffer.Upload(0, binary.LittleEndian.AppendUint32(nil, uint32(n))))
	}
	p.uniforms[key] = view
	return view
}

// scratch views words of the buffer that all operations share.
func (p *builder) scratch(words int) gpu.View { return p.Scratch("scratch", words) }

// add appends an operation that is the same in every step.
func (p *builder) add(bind func() error, record func(*gpu.Recorder)) {
	p.Add(bind, func(rec *gpu.Recorder, _ *kernel.StepData) { record(rec) })
}

// dispatch appends a kernel's run of x·y·z workgroups.
func (p *builder) dispatch(s kernel.Spec, x, y, z uint32, views ...gpu.View) {
	if p.Err() != nil {
		return
	}
	s.Variant = "baseline"
	m, err := kernel.Module(p.Device(), s)
	if err != nil {
		p.Fail(err)
		return
	}
	k := p.Device().Kernel(m)
	var group *gpu.BindGroup
	p.add(func() (err error) {
		for i := range views {
			views[i] = p.Resolve(views[i])
		}
		group, err = p.Device().Bind(k, views...)
		return err
	}, func(rec *gpu.Recorder) { rec.Dispatch(k, group, x, y, z) })
}

// each appends a kernel's run with an invocation for each of n items, in workgroups of 64.
func (p *builder) each(n int, s kernel.Spec, views ...gpu.View) {
	x, y := kernel.Fold((n + 63) / 64)
	p.dispatch(s, x, y, 1, views...)
}

// copy appends a copy of from's bytes to the start of to.
func (p *builder) copy(from, to gpu.View) {
	p.add(nil, func(rec *gpu.Recorder) { rec.Copy(from.Buffer, from.Offset, to.Buffer, to.Offset, from.Size) })
}

// clear appends the zeroing of a view.
func (p *builder) clear(v gpu.View) {
	p.add(nil, func(rec *gpu.Recorder) { rec.Clear(v.Buffer, v.Offset, v.Size) })
}

// split ends a submission, so that none holds the GPU so long that a driver or a browser gives up on it.
func (p *builder) split() { p.add(nil, (*gpu.Recorder).Split) }

// matrix is a view of [rows][columns] floats, rows at a stride that is a multiple of 4, zeros between them.
type matrix struct {
	gpu.View
	rows, columns, stride int
}

// matrix makes a zeroed matrix.
func (p *builder) matrix(label string, rows, columns int) matrix {
	stride := (columns + 3) / 4 * 4
	return matrix{View: p.Buffer(label, rows*stride), rows: rows, columns: columns, stride: stride}
}
