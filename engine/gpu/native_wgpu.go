//go:build !js

package gpu

// #include "native_replay.h"
import "C"

import (
	"context"
	"sync"
	"sync/atomic"
)

// uploadsInFlight bounds the staging memory of uploads: half of what is under way at most.
const uploadsInFlight = 64 << 20

// tapeOperations is a constant only if C and Go number the tape's operations alike.
const tapeOperations = 0 / (1 -
	(opWrite ^ C.tapeWrite | opKernel ^ C.tapeKernel | opBind ^ C.tapeBind | opDispatch ^ C.tapeDispatch | opCopy ^ C.tapeCopy |
		opClear ^ C.tapeClear | opSplit ^ C.tapeSplit | opMap ^ C.tapeMap | opTimed ^ C.tapeTimed))

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
	held     []*reading // the readbacks that the tape at hand maps
	mapped   []*C.Mapping
	passes   int // timed passes of the last tape
	pending  int // bytes uploaded since the last flush
	flushed  C.uint64_t
	flushing bool // flushed is a submission to wait for

	mu      sync.RWMutex
	buffers table[C.DeviceBuffer]
	kernels table[C.Pipeline]
	layouts []C.BindGroupLayout // by kernel handle
	groups  table[C.BindGroup]

	readMu sync.Mutex
	reads  map[int32]*reading   // readbacks that have been mapped, by buffer handle
	stages map[int32]*C.Mapping // stages that are being mapped

	compile chan struct{} // one place for each compiler at work
	work    sync.WaitGroup
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
	if oneAtATime {
		// The next device may abort where a device was released with work in flight. A lost one has none, and says so.
		_ = n.idle(context.Background())
	}
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
		if r.mapping != nil {
			C.quireDropMapping(r.mapping)
		}
	}
	for _, mapping := range n.stages {
		C.quireDropMapping(mapping)
	}
	n.groups.items, n.kernels.items, n.buffers.items, n.reads, n.stages = nil, nil, nil, nil, nil
	C.quireClose(n.session)
	_ = n.end(f) // there is nobody left to tell
}
