package train

import (
	"context"
	"encoding/binary"
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// program is a fixed row of GPU work over buffers of its own. Building it starts the compilation of its kernels, finish
// waits for them, and record writes it to a tape, as often as wanted. The first error sticks.
type program struct {
	dev           *gpu.Device
	buffers       []*gpu.Buffer
	uniforms      map[string]gpu.View
	shared        int         // words of the scratch buffer
	scratchBuffer *gpu.Buffer // from finish on
	binds         []func() error
	steps         []func(*gpu.Recorder)
	err           error
}

func newProgram(dev *gpu.Device) *program {
	return &program{dev: dev, uniforms: map[string]gpu.View{}}
}

func (p *program) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// release frees the buffers.
func (p *program) release() {
	for _, b := range p.buffers {
		b.Release()
	}
	p.buffers = nil
}

// buffer makes a zeroed buffer of 4-byte words.
func (p *program) buffer(label string, words int) gpu.View {
	if p.err != nil {
		return gpu.View{}
	}
	size, limit := 4*uint64(words), p.dev.Limits().MaxStorageBufferBindingSize
	if size > limit {
		p.fail(fmt.Errorf("train: %w", &gpu.MemoryError{Label: label, Asked: size, Held: p.dev.Stats().Bytes, Limit: limit}))
		return gpu.View{}
	}
	b, err := p.dev.NewBuffer("train "+label, size, gpu.Storage)
	if err != nil {
		p.fail(err)
		return gpu.View{}
	}
	p.buffers = append(p.buffers, b)
	return b.All()
}

// uniformBuffer makes a zeroed buffer of words that a kernel takes as its uniform buffer.
func (p *program) uniformBuffer(label string, words int) gpu.View {
	if p.err != nil {
		return gpu.View{}
	}
	b, err := p.dev.NewBuffer("train "+label, 4*uint64(words), gpu.Uniform)
	if err != nil {
		p.fail(err)
		return gpu.View{}
	}
	p.buffers = append(p.buffers, b)
	return b.All()
}

// uniform gives words to a kernel as its uniform buffer; equal ones share one.
func (p *program) uniform(words ...int) gpu.View {
	var data []byte
	for _, w := range words {
		data = binary.LittleEndian.AppendUint32(data, uint32(w))
	}
	for len(data)%16 != 0 {
		data = append(data, 0)
	}
	if view, ok := p.uniforms[string(data)]; ok || p.err != nil {
		return view
	}
	view := p.uniformBuffer("shape", len(data)/4)
	if p.err == nil {
		p.fail(view.Buffer.Upload(0, data))
	}
	p.uniforms[string(data)] = view
	return view
}

// rows gives a number of rows to one of the engine's own kernels, as the first word of a step buffer.
func (p *program) rows(n int) gpu.View {
	key := fmt.Sprint("rows ", n)
	if view, ok := p.uniforms[key]; ok || p.err != nil {
		return view
	}
	view := p.buffer("rows", 4)
	if p.err == nil {
		p.fail(view.Buffer.Upload(0, binary.LittleEndian.AppendUint32(nil, uint32(n))))
	}
	p.uniforms[key] = view
	return view
}

// scratch views words that hold anything before they are written, in a buffer that all work shares.
func (p *program) scratch(words int) gpu.View {
	p.shared = max(p.shared, words)
	return gpu.View{Size: 4 * uint64(words)}
}

// resolve puts a view of scratch in its buffer, once that is made.
func (p *program) resolve(v gpu.View) gpu.View {
	if v.Buffer == nil {
		v.Buffer = p.scratchBuffer
	}
	return v
}

// add appends work: bind, once all kernels have been asked for, then record with every tape.
func (p *program) add(bind func() error, record func(*gpu.Recorder)) {
	if bind != nil {
		p.binds = append(p.binds, bind)
	}
	p.steps = append(p.steps, record)
}

// dispatch appends a kernel's run of x·y·z workgroups.
func (p *program) dispatch(s kernel.Spec, x, y, z uint32, views ...gpu.View) {
	if p.err != nil {
		return
	}
	s.Variant = "baseline"
	m, err := kernel.Module(p.dev, s)
	if err != nil {
		p.fail(err)
		return
	}
	k := p.dev.Kernel(m)
	var group *gpu.BindGroup
	p.add(func() (err error) {
		for i := range views {
			views[i] = p.resolve(views[i])
		}
		group, err = p.dev.Bind(k, views...)
		return err
	}, func(rec *gpu.Recorder) { rec.Dispatch(k, group, x, y, z) })
}

// each appends a kernel's run with an invocation for each of n items, in workgroups of 64.
func (p *program) each(n int, s kernel.Spec, views ...gpu.View) {
	x, y := kernel.Fold((n + 63) / 64)
	p.dispatch(s, x, y, 1, views...)
}

// copy appends a copy of from's bytes to the start of to.
func (p *program) copy(from, to gpu.View) {
	p.add(nil, func(rec *gpu.Recorder) { rec.Copy(from.Buffer, from.Offset, to.Buffer, to.Offset, from.Size) })
}

// clear appends the zeroing of a view.
func (p *program) clear(v gpu.View) {
	p.add(nil, func(rec *gpu.Recorder) { rec.Clear(v.Buffer, v.Offset, v.Size) })
}

// split ends a submission, so that none holds the GPU so long that a driver or a browser gives up on it.
func (p *program) split() { p.add(nil, (*gpu.Recorder).Split) }

// finish waits for the kernels and binds them.
func (p *program) finish(ctx context.Context) error {
	p.scratchBuffer = p.buffer("scratch", p.shared).Buffer
	for _, bind := range p.binds {
		if p.err == nil {
			p.fail(ctx.Err())
		}
		if p.err == nil {
			p.fail(bind())
		}
	}
	p.binds = nil
	return p.err
}

// record writes the work to a tape, up to a number of steps.
func (p *program) record(rec *gpu.Recorder, steps int) {
	for _, step := range p.steps[:steps] {
		step(rec)
	}
}

// matrix is a view of [rows][columns] floats, rows at a stride that is a multiple of 4, zeros between them.
type matrix struct {
	gpu.View
	rows, columns, stride int
}

// matrix makes a zeroed matrix.
func (p *program) matrix(label string, rows, columns int) matrix {
	stride := (columns + 3) / 4 * 4
	return matrix{View: p.buffer(label, rows*stride), rows: rows, columns: columns, stride: stride}
}
