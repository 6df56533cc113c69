package gpu

import (
	"context"
	"sync/atomic"
)

// Buffer is memory on the GPU.
type Buffer struct {
	device *Device
	handle int32
	label  string
	size   uint64
	usage  Usage
	gone   atomic.Bool
}

// Size returns the buffer's size in bytes.
func (b *Buffer) Size() uint64 { return b.size }

// Label returns the buffer's name.
func (b *Buffer) Label() string { return b.label }

// All views the whole buffer.
func (b *Buffer) All() View { return View{Buffer: b, Size: b.size} }

// Slice views size bytes from offset; offset must be a multiple of Limits.MinStorageBufferOffsetAlignment to be bound.
func (b *Buffer) Slice(offset, size uint64) View { return View{Buffer: b, Offset: offset, Size: size} }

// Upload writes data (a multiple of 4 bytes) at offset, in queue order, outside of any tape.
func (b *Buffer) Upload(offset uint64, data []byte) error {
	if err := b.device.Err(); err != nil {
		return err
	}
	b.device.writes.Add(1)
	return b.device.wrap(b.device.backend.upload(b.handle, offset, data))
}

// Release gives the memory back. It is safe to call twice.
func (b *Buffer) Release() {
	if b == nil || !b.gone.CompareAndSwap(false, true) {
		return
	}
	b.device.forget(b)
	b.device.backend.destroyBuffer(b.handle)
}

// View is a range of a buffer, as a kernel is given it.
type View struct {
	Buffer *Buffer
	Offset uint64 // bytes
	Size   uint64 // bytes
}

// Readback is a buffer the host can read. One readback holds one result at a time: Record with Recorder.Read, Submit,
// then Wait, then use it again.
type Readback struct {
	buffer *Buffer
}

// NewReadback makes a readback of size bytes.
func (d *Device) NewReadback(label string, size uint64) (*Readback, error) {
	b, err := d.newBuffer(label, size, CopyTarget|mapRead)
	if err != nil {
		return nil, err
	}
	return &Readback{buffer: b}, nil
}

// Size returns the readback's size in bytes.
func (r *Readback) Size() uint64 { return r.buffer.size }

// Buffer returns the buffer that a tape's copies may target.
func (r *Readback) Buffer() *Buffer { return r.buffer }

// Wait blocks until a submitted tape has filled the readback and copies its first len(dst) bytes out.
func (r *Readback) Wait(ctx context.Context, dst []byte) error {
	d := r.buffer.device
	if err := d.Err(); err != nil {
		return err
	}
	return d.wrap(d.backend.wait(ctx, r.buffer.handle, dst))
}

// Release gives the memory back.
func (r *Readback) Release() {
	if r != nil {
		r.buffer.Release()
	}
}

// Read fetches len(dst) bytes of b from offset: submits a copy, waits for it and for all work before it. For tests,
// loading and rare needs; a step uses a Readback of its own.
func (b *Buffer) Read(ctx context.Context, offset uint64, dst []byte) error {
	size := (uint64(len(dst)) + 3) &^ 3
	back, err := b.device.NewReadback("read "+b.label, size)
	if err != nil {
		return err
	}
	defer back.Release()
	var r Recorder
	r.Read(back, b, offset, size)
	if err := b.device.Submit(&r); err != nil {
		return err
	}
	return back.Wait(ctx, dst)
}
