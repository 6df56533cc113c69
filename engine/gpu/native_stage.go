//go:build !js

package gpu

// #include "native_replay.h"
import "C"

import (
	"errors"
	"unsafe"
)

var errNoStage = errors.New("gpu: a stage has no memory")

func (n *native) createStage(size uint64) (int32, []byte, error) {
	f, err := n.enter()
	if err != nil {
		return 0, nil, err
	}
	var memory unsafe.Pointer
	buffer := C.quireStage(n.session, C.uint64_t(size), &memory, f)
	if err := n.leave(f); err != nil {
		return 0, nil, err
	}
	if buffer == nil {
		return 0, nil, errNoStage
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.buffers.add(buffer), unsafe.Slice((*byte)(memory), size), nil
}

func (n *native) unmapStage(handle int32) error {
	return n.staged(handle, func(buffer C.DeviceBuffer, f *C.Failure) { C.quireUnmapStage(n.session, buffer, f) })
}

func (n *native) mapStage(handle int32, size uint64) error {
	return n.staged(handle, func(buffer C.DeviceBuffer, f *C.Failure) {
		if mapping := C.quireMapStage(n.session, buffer, C.size_t(size), f); mapping != nil {
			n.readMu.Lock()
			n.stages[handle] = mapping
			n.readMu.Unlock()
		}
	})
}

func (n *native) stageMemory(handle int32, size uint64) (memory []byte, err error) {
	err = n.staged(handle, func(buffer C.DeviceBuffer, f *C.Failure) {
		n.readMu.Lock()
		mapping := n.stages[handle]
		n.readMu.Unlock()
		if mapping == nil {
			return
		}
		if at := C.quireStageMemory(n.session, buffer, mapping, f); at != nil {
			memory = unsafe.Slice((*byte)(at), size)
			n.readMu.Lock()
			delete(n.stages, handle)
			n.readMu.Unlock()
			C.quireDropMapping(mapping)
		}
	})
	return memory, err
}

// staged calls into the living device with a stage's buffer.
func (n *native) staged(handle int32, call func(C.DeviceBuffer, *C.Failure)) error {
	f, err := n.enter()
	if err != nil {
		return err
	}
	n.mu.RLock()
	buffer, missing := n.buffers.get(handle)
	n.mu.RUnlock()
	if missing == nil {
		call(buffer, f)
	}
	if err := n.leave(f); err != nil {
		return err
	}
	return missing
}
