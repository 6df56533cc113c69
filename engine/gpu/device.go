package gpu

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Device is an opened adapter.
type Device struct {
	backend backend
	info    AdapterInfo

	mu      sync.Mutex
	kernels map[string]*Kernel // by text
	order   []*Kernel          // as they were asked for
	binds   map[string]*BindGroup
	users   map[*Buffer][]string // the bind groups a buffer is part of
	buffers map[*Buffer]struct{}
	reading readings
	bytes   uint64

	compiled  Compiled
	compiling int       // kernels
	since     time.Time // when that was last counted

	writes, submits atomic.Uint64

	lostOnce sync.Once
	lost     chan struct{}
	reason   string

	errMu      sync.Mutex
	uncaptured error
}

// Open opens the adapter that the options choose, with all its limits and the features Quire knows.
func Open(ctx context.Context, o Options) (*Device, error) {
	d := &Device{
		kernels: map[string]*Kernel{}, binds: map[string]*BindGroup{}, users: map[*Buffer][]string{},
		buffers: map[*Buffer]struct{}{}, lost: make(chan struct{}),
	}
	b, err := openBackend(ctx, o, events{lost: d.lose, uncaptured: d.capture})
	if err != nil {
		return nil, err
	}
	d.backend, d.info = b, b.info()
	return d, nil
}

// Adapters lists the adapters of this machine, the best first.
func Adapters(ctx context.Context) ([]AdapterInfo, error) { return listAdapters(ctx) }

// Info describes the device's adapter; its Features are those that were granted.
func (d *Device) Info() AdapterInfo { return d.info }

// Limits returns the device's limits.
func (d *Device) Limits() Limits { return d.info.Limits }

// Features returns what was granted.
func (d *Device) Features() Feature { return d.info.Features }

// NewBuffer makes a zeroed buffer of size bytes, rounded up to a multiple of 4. Too little memory is a *MemoryError.
func (d *Device) NewBuffer(label string, size uint64, usage Usage) (*Buffer, error) {
	return d.newBuffer(label, size, usage|CopySource|CopyTarget)
}

func (d *Device) newBuffer(label string, size uint64, usage Usage) (*Buffer, error) {
	if err := d.Err(); err != nil {
		return nil, err
	}
	size = max((size+3)&^3, 16)
	d.mu.Lock()
	held := d.bytes
	d.mu.Unlock()
	if size > d.info.Limits.MaxBufferSize {
		return nil, &MemoryError{Label: label, Asked: size, Held: held, Limit: d.info.Limits.MaxBufferSize}
	}
	h, err := d.backend.createBuffer(label, size, usage)
	if errors.Is(err, ErrOutOfMemory) {
		return nil, &MemoryError{Label: label, Asked: size, Held: held, Limit: d.info.Limits.MaxBufferSize}
	}
	if err != nil {
		return nil, d.wrap(fmt.Errorf("buffer %s of %d bytes: %w", label, size, err))
	}
	return d.hold(h, label, size, usage), nil
}

// hold counts a buffer that was made.
func (d *Device) hold(handle int32, label string, size uint64, usage Usage) *Buffer {
	b := &Buffer{device: d, handle: handle, label: label, size: size, usage: usage}
	d.mu.Lock()
	d.buffers[b] = struct{}{}
	d.bytes += size
	d.mu.Unlock()
	liveBuffers.Add(1)
	return b
}

// forget drops a released buffer and the bind groups it was part of.
func (d *Device) forget(b *Buffer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.buffers[b]; ok {
		delete(d.buffers, b)
		d.bytes -= b.size
		liveBuffers.Add(-1)
	}
	for _, key := range d.users[b] {
		if g, ok := d.binds[key]; ok {
			d.backend.destroyBindGroup(g.handle)
			delete(d.binds, key)
		}
	}
	delete(d.users, b)
}

// Submit hands a tape to the GPU and returns at once.
func (d *Device) Submit(r *Recorder) error {
	if err := d.Err(); err != nil {
		return err
	}
	d.submits.Add(1)
	return d.wrap(d.backend.submit(r.tape, r.data))
}

// Idle blocks until everything submitted has finished.
func (d *Device) Idle(ctx context.Context) error {
	if err := d.Err(); err != nil {
		return err
	}
	return d.wrap(d.backend.idle(ctx))
}

// Timing is one dispatch and how long it ran on the GPU.
type Timing struct {
	Kernel      string
	Nanoseconds float64
}

// Timings waits for the last submitted tape, recorded with Profile set, and returns the time of each dispatch in order.
func (d *Device) Timings(ctx context.Context, r *Recorder) ([]Timing, error) {
	ns, err := d.backend.timings(ctx, len(r.labels))
	if err != nil {
		return nil, d.wrap(err)
	}
	out := make([]Timing, len(r.labels))
	for i, label := range r.labels {
		out[i] = Timing{Kernel: label, Nanoseconds: ns[i]}
	}
	return out, nil
}

// Stats counts what a device holds and has done.
type Stats struct {
	Buffers    int
	Bytes      uint64
	BindGroups int
	Kernels    int
	Writes     uint64 // uploads outside of tapes
	Submits    uint64 // tapes
}

// Stats returns the device's counts.
func (d *Device) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Stats{Buffers: len(d.buffers), Bytes: d.bytes, BindGroups: len(d.binds), Kernels: len(d.order),
		Writes: d.writes.Load(), Submits: d.submits.Load()}
}

var liveBuffers atomic.Int64

// LiveBuffers counts the buffers of all devices that have not been released.
func LiveBuffers() int { return int(liveBuffers.Load()) }

// Lost is closed when the device is lost.
func (d *Device) Lost() <-chan struct{} { return d.lost }

// Err returns ErrDeviceLost, wrapped with the reason, once the device is lost, and the first error that no call
// claimed otherwise.
func (d *Device) Err() error {
	select {
	case <-d.lost:
		return fmt.Errorf("%w: %s", ErrDeviceLost, d.reason)
	default:
	}
	d.errMu.Lock()
	defer d.errMu.Unlock()
	return d.uncaptured
}

// Destroy loses the device on purpose, as a driver reset would; tests use it.
func (d *Device) Destroy() {
	d.backend.destroy()
	d.lose("destroyed")
}

// Release drops all that the device holds, and the device, unless the host keeps it: in the tab whoever opens the same one next has
// its kernels.
func (d *Device) Release() {
	d.Settle()
	d.mu.Lock()
	buffers := make([]*Buffer, 0, len(d.buffers))
	for b := range d.buffers {
		buffers = append(buffers, b)
	}
	d.mu.Unlock()
	for _, b := range buffers {
		b.Release()
	}
	d.backend.release()
}

func (d *Device) lose(reason string) {
	d.lostOnce.Do(func() {
		d.reason = reason
		close(d.lost)
	})
}

func (d *Device) capture(message string) {
	d.errMu.Lock()
	defer d.errMu.Unlock()
	if d.uncaptured == nil {
		d.uncaptured = errors.New("gpu: " + message)
	}
}

// wrap turns any error of a lost device into ErrDeviceLost.
func (d *Device) wrap(err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-d.lost:
		return fmt.Errorf("%w: %s", ErrDeviceLost, d.reason)
	default:
		return err
	}
}

func bindKey(k *Kernel, views []View) string {
	key := make([]byte, 0, 4+20*len(views))
	key = binary.LittleEndian.AppendUint32(key, uint32(k.handle))
	for _, v := range views {
		if v.Buffer == nil {
			continue
		}
		key = binary.LittleEndian.AppendUint32(key, uint32(v.Buffer.handle))
		key = binary.LittleEndian.AppendUint64(key, v.Offset)
		key = binary.LittleEndian.AppendUint64(key, v.Size)
	}
	return string(key)
}
