// Package program builds rows of GPU work: operations ask for buffers and kernels, bind them once, and record themselves on
// every tape. Inference and training share it.
package program

import (
	"context"
	"fmt"
	"sync"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// Program is a row of GPU work over buffers of its own. Building it starts the compilation of its kernels, Finish waits for
// them and binds, and Record writes the work to a tape, as often as wanted. The first error sticks: what is asked for
// behind it gives zero values.
type Program struct {
	device  *gpu.Device
	name    string
	buffers []*gpu.Buffer
	scratch []*scratch
	waits   []Waiter
	binds   []func() error
	steps   []Record
	err     error
}

// Record writes an operation to a tape. step is what the tape computes; a program whose sizes are fixed is given none.
type Record func(rec *gpu.Recorder, step *kernel.StepData)

// Waiter is anything whose kernels compile in the background.
type Waiter interface{ Wait(context.Context) error }

// scratch is a buffer that operations share, as large as the largest use.
type scratch struct {
	label    string
	words    int
	standIn  *gpu.Buffer // in views until the buffer is made
	resolved *gpu.Buffer
}

// New makes an empty program. Its name, unless it is empty, stands before its errors and its buffers' labels.
func New(d *gpu.Device, name string) *Program { return &Program{device: d, name: name} }

// Device is what the program runs on.
func (p *Program) Device() *gpu.Device { return p.device }

// Fail keeps the first error that is not nil.
func (p *Program) Fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// Err is the first error.
func (p *Program) Err() error { return p.err }

// Release frees the buffers.
func (p *Program) Release() {
	for _, b := range p.buffers {
		b.Release()
	}
	p.buffers = nil
}

// Buffer makes a zeroed storage buffer of 4-byte words.
func (p *Program) Buffer(label string, words int) gpu.View { return p.make(label, words, gpu.Storage) }

// Uniform makes a zeroed buffer of words that a kernel takes as its uniform buffer.
func (p *Program) Uniform(label string, words int) gpu.View { return p.make(label, words, gpu.Uniform) }

// Want is a buffer that is to be made.
type Want struct {
	Label string
	Words int
}

// Buffers makes zeroed storage buffers at once, so that a tab waits for the browser's GPU process once. Where it fails it gives zero
// values.
func (p *Program) Buffers(wants []Want) []gpu.View {
	views := make([]gpu.View, len(wants))
	if p.err != nil {
		return views
	}
	made, failed := make([]*gpu.Buffer, len(wants)), make([]error, len(wants))
	var making sync.WaitGroup
	for i, w := range wants {
		making.Go(func() { made[i], failed[i] = p.create(w.Label, w.Words, gpu.Storage) })
	}
	making.Wait()
	for i, b := range made {
		if p.Fail(failed[i]); b != nil {
			p.buffers = append(p.buffers, b)
			views[i] = b.All()
		}
	}
	return views
}

func (p *Program) make(label string, words int, usage gpu.Usage) gpu.View {
	if p.err != nil {
		return gpu.View{}
	}
	b, err := p.create(label, words, usage)
	if err != nil {
		p.Fail(err)
		return gpu.View{}
	}
	p.buffers = append(p.buffers, b)
	return b.All()
}

func (p *Program) create(label string, words int, usage gpu.Usage) (b *gpu.Buffer, err error) {
	if p.name != "" {
		label = p.name + " " + label
	}
	size, limit := 4*uint64(words), p.device.Limits().MaxStorageBufferBindingSize
	if size > limit {
		err = &gpu.MemoryError{Label: label, Asked: size, Held: p.device.Stats().Bytes, Limit: limit}
	} else {
		b, err = p.device.NewBuffer(label, size, usage)
	}
	if err != nil && p.name != "" {
		err = fmt.Errorf("%s: %w", p.name, err)
	}
	return b, err
}

// Scratch views words that hold anything before they are written, in the buffer that all uses of the label share. The
// buffer is made by Allocate: Resolve gives the view that may be bound.
func (p *Program) Scratch(label string, words int) gpu.View {
	var s *scratch
	for _, known := range p.scratch {
		if known.label == label {
			s = known
		}
	}
	if s == nil {
		s = &scratch{label: label, standIn: &gpu.Buffer{}}
		p.scratch = append(p.scratch, s)
	}
	s.words = max(s.words, words)
	return gpu.View{Buffer: s.standIn, Size: 4 * uint64(words)}
}

// Resolve puts a view of scratch in its buffer; others stay as they are.
func (p *Program) Resolve(v gpu.View) gpu.View {
	for _, s := range p.scratch {
		if v.Buffer == s.standIn && s.resolved != nil {
			v.Buffer = s.resolved
		}
	}
	return v
}

// Await has Finish wait for kernels.
func (p *Program) Await(k ...Waiter) { p.waits = append(p.waits, k...) }

// Add appends an operation: bind, once all kernels have been asked for, then record with every tape.
func (p *Program) Add(bind func() error, record Record) {
	if bind != nil {
		p.binds = append(p.binds, bind)
	}
	if record != nil {
		p.steps = append(p.steps, record)
	}
}

// Len is how many operations record themselves.
func (p *Program) Len() int { return len(p.steps) }

// Allocate makes the scratch, once all has been asked for. Finish does it where nobody did before.
func (p *Program) Allocate() error {
	var wants []Want
	var lacking []*scratch
	for _, s := range p.scratch {
		if s.resolved == nil {
			wants, lacking = append(wants, Want{s.label, s.words}), append(lacking, s)
		}
	}
	for i, v := range p.Buffers(wants) {
		lacking[i].resolved = v.Buffer
	}
	return p.err
}

// Finish waits for the kernels, tells progress of each, and binds.
func (p *Program) Finish(ctx context.Context, progress func(done, total int64)) error {
	for i, k := range p.waits {
		if p.err != nil {
			break
		}
		p.Fail(k.Wait(ctx))
		if progress != nil && p.err == nil {
			progress(int64(i+1), int64(len(p.waits)))
		}
	}
	p.Fail(p.Allocate())
	for _, bind := range p.binds {
		if p.err == nil {
			p.Fail(ctx.Err())
		}
		if p.err == nil {
			p.Fail(bind())
		}
	}
	p.waits, p.binds = nil, nil
	return p.err
}

// Record writes the operations [from, to) to a tape.
func (p *Program) Record(rec *gpu.Recorder, step *kernel.StepData, from, to int) {
	for _, record := range p.steps[from:to] {
		record(rec, step)
	}
}
