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
	"fmt"
	"sync"
	"unsafe"
)

// reading is what a readback holds: mu is locked while it is fetched, mapping is nil while it is free.
type reading struct {
	mu         sync.Mutex
	mapping    *C.Mapping
	submission C.uint64_t
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
	passes, err := checkTape(n, tape, len(data))
	if err != nil {
		return err
	}
	if passes > 0 && !n.adapter.Features.Has(FeatureTimestamps) {
		return errNoTimestamps
	}
	err = n.holdReads(tape)
	defer n.freeReads()
	if err != nil {
		return err
	}
	for len(n.mapped) < len(n.held)+1 {
		n.mapped = append(n.mapped, nil)
	}
	clear(n.mapped)
	index := C.quireReplay(n.session, (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(tape))), C.size_t(len(tape)),
		(*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(data))), unsafe.SliceData(n.buffers.items),
		unsafe.SliceData(n.kernels.items), unsafe.SliceData(n.groups.items), &n.mapped[0], C.uint32_t(passes), f)
	n.passes = passes
	for i, read := range n.held {
		read.mapping, read.submission = n.mapped[i], index
	}
	return nil
}

// holdReads locks the readbacks that a tape maps and proves that all it writes are free: the library ends the process
// where a mapped one is used. freeReads must follow.
func (n *native) holdReads(tape []int32) error {
	n.readMu.Lock()
	defer n.readMu.Unlock()
	for at := 0; at < len(tape); at += 1 + operandCount[tape[at]] {
		var handle int32
		switch tape[at] {
		case opWrite, opClear, opMap:
			handle = tape[at+1]
		case opCopy:
			handle = tape[at+3]
		}
		read := n.reads[handle]
		if read == nil && tape[at] == opMap {
			read = &reading{}
			n.reads[handle] = read
		}
		if read == nil {
			continue
		}
		free := read.mu.TryLock()
		if free && read.mapping == nil && tape[at] == opMap {
			n.held = append(n.held, read)
			continue
		}
		busy := !free || read.mapping != nil
		if free {
			read.mu.Unlock()
		}
		if busy {
			return fmt.Errorf("gpu: readback %d is used again before its result was waited for", handle)
		}
	}
	return nil
}

func (n *native) freeReads() {
	for _, read := range n.held {
		read.mu.Unlock()
	}
	n.held = n.held[:0]
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
	n.readMu.Lock()
	read := n.reads[handle]
	n.readMu.Unlock()
	if read == nil {
		return errNotMapped
	}
	read.mu.Lock()
	defer read.mu.Unlock()
	if read.mapping == nil {
		return errNotMapped
	}
	mapping := read.mapping
	read.mapping = nil
	if err := ctx.Err(); err != nil {
		C.quireAbandon(n.session, buffer, mapping, f)
		return err
	}
	C.quireFetch(n.session, buffer, mapping, &read.submission, unsafe.Pointer(unsafe.SliceData(dst)), C.size_t(len(dst)), f)
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
	if err := n.holdReads([]int32{opClear, handle, 0, 0}); err != nil {
		return err
	}
	C.quireWrite(n.session, buffer, C.uint64_t(offset), unsafe.Pointer(&data[0]), C.size_t(len(data)), f)
	n.pending += len(data)
	if f.kind != 0 || n.pending < uploadsInFlight {
		return nil
	}
	// Written bytes stay in staging memory until the GPU has them: send them on, and wait for those before.
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
