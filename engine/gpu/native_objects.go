//go:build !js

package gpu

// #include "native_replay.h"
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

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
	n.readMu.Lock()
	read := n.reads[handle]
	stage := n.stages[handle]
	delete(n.reads, handle)
	delete(n.stages, handle)
	n.readMu.Unlock()
	f := n.begin()
	if read != nil {
		read.mu.Lock() // a fetch under way ends first
		defer read.mu.Unlock()
	}
	C.quireDropBuffer(n.session, buffer, f)
	if stage != nil {
		C.quireDropMapping(stage)
	}
	if read != nil && read.mapping != nil {
		C.quireDropMapping(read.mapping)
		read.mapping = nil
	}
	if err := n.end(f); err != nil && !errors.Is(err, ErrDeviceLost) {
		n.events.uncaptured(err.Error())
	}
}

// recallKernel knows none: a program that closes a model wants its GPU back, and drivers keep what they have compiled.
func (n *native) recallKernel(*Module) int32 { return 0 }

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
