//go:build !js

package gpu

/*
#include "native_replay.h"
#cgo noescape quireReplay
#cgo nocallback quireReplay
#cgo noescape quireWait
#cgo nocallback quireWait
#cgo noescape quireFetch
#cgo nocallback quireFetch
#cgo noescape quireWrite
#cgo nocallback quireWrite
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"
)

// uploadsInFlight bounds the staging memory of uploads that no tape follows.
const uploadsInFlight = 64 << 20

// native is a device of wgpu-native. Its locks, in the order they are taken: life is held for reading by every call
// into the device and for writing by what ends it; turn orders what goes to the queue; mu guards the tables.
type native struct {
	adapter AdapterInfo
	events  events
	session *C.Session
	period  float64

	life   sync.RWMutex
	gone   atomic.Bool // destroyed, lost or released: no call may reach the device
	closed bool        // released

	turn     sync.Mutex
	maps     []int32
	mapped   []*C.Mapping
	passes   int // timed passes of the last tape
	pending  int // bytes uploaded since the last submission
	flushed  C.uint64_t
	flushing bool // flushed is a submission to wait for

	mu      sync.RWMutex
	buffers table[C.DeviceBuffer]
	kernels table[C.Pipeline]
	layouts []C.BindGroupLayout // by kernel handle
	groups  table[C.BindGroup]

	readMu sync.Mutex
	reads  map[int32]reading // mapped readbacks by buffer handle

	compile chan struct{} // one place for each compiler at work
	work    sync.WaitGroup
}

// reading is a readback that was mapped by a submission.
type reading struct {
	mapping    *C.Mapping
	submission C.uint64_t
}

// library is held by every call into a library that deadlocks with itself.
var library sync.Mutex

var failures = sync.Pool{New: func() any { return new(C.Failure) }}

// enter opens a call into the living device. leave must follow, unless it fails.
func (n *native) enter() (*C.Failure, error) {
	n.life.RLock()
	if n.closed {
		n.life.RUnlock()
		return nil, ErrReleased
	}
	if n.gone.Load() {
		n.life.RUnlock()
		return nil, ErrDeviceLost
	}
	return n.begin(), nil
}

// leave ends a call and returns what went wrong in it.
func (n *native) leave(f *C.Failure) error {
	defer n.life.RUnlock()
	return n.end(f)
}

func (n *native) begin() *C.Failure {
	if oneAtATime {
		library.Lock()
	}
	f := failures.Get().(*C.Failure)
	f.kind, f.lost = 0, 0
	return f
}

func (n *native) end(f *C.Failure) error {
	if oneAtATime {
		library.Unlock()
	}
	err := n.outcome(f)
	failures.Put(f)
	return err
}

func (n *native) outcome(failure *C.Failure) error {
	if failure.lost != 0 {
		n.gone.Store(true)
		n.events.lost(C.GoString(C.quireLostReason(n.session)))
		return ErrDeviceLost
	}
	if failure.kind == 0 {
		return nil
	}
	text := C.GoString(&failure.text[0])
	if failure.kind == C.errorUnclaimed {
		n.events.uncaptured(text)
		return nil
	}
	return &nativeError{text, failure.kind == C.errorOutOfMemory || saysOutOfMemory(text)}
}

func (n *native) info() AdapterInfo { return n.adapter }

func (n *native) hasBuffer(h int32) bool { return n.buffers.has(h) }
func (n *native) hasKernel(h int32) bool { return n.kernels.has(h) }
func (n *native) hasGroup(h int32) bool  { return n.groups.has(h) }

func (n *native) createBuffer(_ string, size uint64, usage Usage) (int32, error) {
	var flags C.Flags
	for _, u := range []struct {
		ours  Usage
		flags C.Flags
	}{{Storage, C.bufferStorage}, {Uniform, C.bufferUniform}, {CopySource, C.bufferCopySource}, {CopyTarget, C.bufferCopyTarget}, {mapRead, C.bufferMapRead}} {
		if usage&u.ours != 0 {
			flags |= u.flags
		}
	}
	if usage&mapRead != 0 {
		flags &^= C.bufferCopySource
	}
	f, err := n.enter()
	if err != nil {
		return 0, err
	}
	buffer := C.quireBuffer(n.session, C.uint64_t(size), C.uint64_t(flags), f)
	if err := n.leave(f); err != nil {
		return 0, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.buffers.add(buffer), nil
}

func (n *native) destroyBuffer(handle int32) {
	n.life.RLock()
	defer n.life.RUnlock()
	n.mu.Lock()
	buffer, ok := n.buffers.remove(handle)
	n.mu.Unlock()
	if !ok {
		return
	}
	read, reads := n.takeReading(handle)
	f := n.begin()
	C.quireDropBuffer(n.session, buffer, f)
	if reads {
		C.quireDropMapping(read.mapping)
	}
	if err := n.end(f); err != nil && !errors.Is(err, ErrDeviceLost) {
		n.events.uncaptured(err.Error())
	}
}

func (n *native) takeReading(handle int32) (reading, bool) {
	n.readMu.Lock()
	defer n.readMu.Unlock()
	read, ok := n.reads[handle]
	delete(n.reads, handle)
	return read, ok
}

func (n *native) createKernel(m *Module, done func(int32, error)) {
	n.work.Add(1)
	go func() {
		defer n.work.Done()
		n.compile <- struct{}{}
		handle, err := n.compileKernel(m)
		<-n.compile
		done(handle, err)
	}()
}

func (n *native) compileKernel(m *Module) (int32, error) {
	kinds := make([]C.uint32_t, len(m.Bindings)+1)
	for i, b := range m.Bindings {
		kinds[i] = [...]C.uint32_t{ReadOnly: C.bindReadOnly, ReadWrite: C.bindStorage, Constant: C.bindUniform}[b]
	}
	f, err := n.enter()
	if err != nil {
		return 0, err
	}
	text := []byte(m.Text + "\n\x00")
	var layout C.BindGroupLayout
	pipeline := C.quirePipeline(n.session, (*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text)-1), &kinds[0],
		C.size_t(len(m.Bindings)), &layout, f)
	err = n.leave(f)
	var said *nativeError
	if errors.As(err, &said) && !errors.Is(err, ErrOutOfMemory) {
		return 0, parseShaderError(said.text)
	}
	if err != nil {
		return 0, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	handle := n.kernels.add(pipeline)
	for len(n.layouts) <= int(handle) {
		n.layouts = append(n.layouts, nil)
	}
	n.layouts[handle] = layout
	return handle, nil
}

func (n *native) createBindGroup(label string, kernel int32, views []View) (int32, error) {
	buffers := make([]C.DeviceBuffer, len(views)+1)
	ranges := make([]C.uint64_t, 2*len(views)+2)
	f, err := n.enter()
	if err != nil {
		return 0, err
	}
	group, err := n.bind(f, kernel, views, buffers, ranges)
	if failed := n.leave(f); failed != nil {
		err = failed
	}
	if err != nil {
		return 0, fmt.Errorf("binding %s: %w", label, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.groups.add(group), nil
}

func (n *native) bind(f *C.Failure, kernel int32, views []View, buffers []C.DeviceBuffer, ranges []C.uint64_t) (C.BindGroup, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if _, err := n.kernels.get(kernel); err != nil {
		return nil, err
	}
	for i, v := range views {
		b, err := n.buffers.get(v.Buffer.handle)
		if err != nil {
			return nil, fmt.Errorf("binding %d: %w", i, err)
		}
		buffers[i], ranges[2*i], ranges[2*i+1] = b, C.uint64_t(v.Offset), C.uint64_t(v.Size)
	}
	return C.quireBindGroup(n.session, n.layouts[kernel], &buffers[0], &ranges[0], C.size_t(len(views)), f), nil
}

func (n *native) destroyBindGroup(handle int32) {
	n.life.RLock()
	defer n.life.RUnlock()
	n.mu.Lock()
	group, ok := n.groups.remove(handle)
	n.mu.Unlock()
	if ok {
		f := n.begin()
		C.wgpuBindGroupRelease(group)
		_ = n.end(f) // a release says nothing
	}
}

func (n *native) submit(tape []int32, data []byte) error {
	f, err := n.enter()
	if err != nil {
		return err
	}
	broken := n.replay(f, tape, data)
	if err := n.leave(f); err != nil {
		return err
	}
	return broken
}

func (n *native) replay(f *C.Failure, tape []int32, data []byte) error {
	n.turn.Lock()
	defer n.turn.Unlock()
	n.mu.RLock()
	defer n.mu.RUnlock()
	passes, maps, err := checkTape(n, tape, len(data), n.maps[:0])
	n.maps = maps
	if err != nil {
		return err
	}
	if passes > 0 && !n.adapter.Features.Has(FeatureTimestamps) {
		return errNoTimestamps
	}
	n.readMu.Lock()
	defer n.readMu.Unlock()
	for _, handle := range maps {
		if _, busy := n.reads[handle]; busy {
			return fmt.Errorf("gpu: readback %d is used again before its result was waited for", handle)
		}
	}
	for len(n.mapped) < len(maps)+1 {
		n.mapped = append(n.mapped, nil)
	}
	clear(n.mapped)
	index := C.quireReplay(n.session, (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(tape))), C.size_t(len(tape)),
		(*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(data))), unsafe.SliceData(n.buffers.items),
		unsafe.SliceData(n.kernels.items), unsafe.SliceData(n.groups.items), &n.mapped[0], C.uint32_t(passes), f)
	n.pending, n.passes = 0, passes
	for i, handle := range maps {
		if n.mapped[i] != nil {
			n.reads[handle] = reading{n.mapped[i], index}
		}
	}
	return nil
}

func (n *native) wait(ctx context.Context, handle int32, dst []byte) error {
	f, err := n.enter()
	if err != nil {
		return err
	}
	stopped := n.fetch(ctx, f, handle, dst)
	if err := n.leave(f); err != nil {
		return err
	}
	return stopped
}

func (n *native) fetch(ctx context.Context, f *C.Failure, handle int32, dst []byte) error {
	n.mu.RLock()
	buffer, err := n.buffers.get(handle)
	n.mu.RUnlock()
	if err != nil {
		return err
	}
	read, ok := n.takeReading(handle)
	if !ok {
		return fmt.Errorf("gpu: nothing submitted maps readback %d", handle)
	}
	if err := ctx.Err(); err != nil {
		C.quireAbandon(n.session, buffer, read.mapping, f)
		return err
	}
	C.quireFetch(n.session, buffer, read.mapping, &read.submission, unsafe.Pointer(unsafe.SliceData(dst)), C.size_t(len(dst)), f)
	return nil
}

func (n *native) upload(handle int32, offset uint64, data []byte) error {
	f, err := n.enter()
	if err != nil {
		return err
	}
	missing := n.write(f, handle, offset, data)
	if err := n.leave(f); err != nil {
		return err
	}
	return missing
}

func (n *native) write(f *C.Failure, handle int32, offset uint64, data []byte) error {
	n.mu.RLock()
	buffer, err := n.buffers.get(handle)
	n.mu.RUnlock()
	if err != nil || len(data) == 0 {
		return err
	}
	n.turn.Lock()
	defer n.turn.Unlock()
	C.quireWrite(n.session, buffer, C.uint64_t(offset), unsafe.Pointer(&data[0]), C.size_t(len(data)), f)
	n.pending += len(data)
	if f.kind != 0 || n.pending < uploadsInFlight {
		return nil
	}
	// Written bytes wait in staging memory for a submission: send them on, and wait for those before.
	before, waiting := n.flushed, n.flushing
	n.flushed, n.flushing, n.pending = C.quireFlush(n.session, f), true, 0
	if f.kind == 0 && waiting {
		C.quireWait(n.session, &before, f)
	}
	return nil
}

func (n *native) idle(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := n.enter()
	if err != nil {
		return err
	}
	n.turn.Lock()
	C.quireFlush(n.session, f)
	n.pending = 0
	n.turn.Unlock()
	if f.kind == 0 {
		C.quireWait(n.session, nil, f)
	}
	return n.leave(f)
}

func (n *native) timings(ctx context.Context, passes int) ([]float64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := n.enter()
	if err != nil {
		return nil, err
	}
	n.turn.Lock()
	ticks := make([]C.uint64_t, 2*passes+1)
	known := n.passes >= passes
	if known && passes > 0 {
		C.quireTimings(n.session, &ticks[0], C.uint32_t(passes), f)
	}
	n.turn.Unlock()
	if err := n.leave(f); err != nil {
		return nil, err
	}
	if !known {
		return nil, fmt.Errorf("gpu: the last tape timed %d dispatches, not %d", n.passes, passes)
	}
	out := make([]float64, passes)
	for i := range out {
		if begin, end := ticks[2*i], ticks[2*i+1]; end > begin {
			out[i] = float64(end-begin) * n.period
		}
	}
	return out, nil
}

func (n *native) destroy() {
	n.life.Lock()
	defer n.life.Unlock()
	if !n.gone.Swap(true) {
		f := n.begin()
		C.quireDestroy(n.session)
		_ = n.end(f) // the device is lost on purpose
	}
}

func (n *native) release() {
	n.life.Lock()
	n.gone.Store(true)
	n.life.Unlock()
	n.work.Wait()
	n.life.Lock()
	defer n.life.Unlock()
	if n.closed {
		return
	}
	n.closed = true
	f := n.begin()
	for _, g := range n.groups.items {
		if g != nil {
			C.wgpuBindGroupRelease(g)
		}
	}
	for i, k := range n.kernels.items {
		if k != nil {
			C.wgpuComputePipelineRelease(k)
			C.wgpuBindGroupLayoutRelease(n.layouts[i])
		}
	}
	for _, b := range n.buffers.items {
		if b != nil {
			C.wgpuBufferRelease(b)
		}
	}
	for _, r := range n.reads {
		C.quireDropMapping(r.mapping)
	}
	n.groups.items, n.kernels.items, n.buffers.items, n.reads = nil, nil, nil, nil
	C.quireClose(n.session)
	_ = n.end(f) // there is nobody left to tell
}
