package gpu

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"quire/engine/sha256"
)

// Binding is how a kernel uses one buffer of group 0.
type Binding uint8

// The binding kinds.
const (
	ReadOnly  Binding = iota // var<storage, read>
	ReadWrite                // var<storage, read_write>
	Constant                 // var<uniform>
)

// Segment says which file a run of a module's lines came from.
type Segment struct {
	File  string
	First int // the segment's first line in the composed text, from 1
	Line  int // the line of File that stands there, from 1
}

// Module is a shader's final text and how it is bound. Label names the kernel and its variant.
type Module struct {
	Label    string
	Text     string
	Segments []Segment
	Bindings []Binding // group 0, binding 0 up
	Needs    Feature
}

// Hash returns the SHA-256 of the module's text, in hex.
func (m *Module) Hash() string {
	sum := sha256.Sum256([]byte(m.Text))
	return hex.EncodeToString(sum[:])
}

// locate turns a line of the composed text into a file and line.
func (m *Module) locate(line int) (string, int) {
	file, at := "module", line
	for _, s := range m.Segments {
		if line >= s.First {
			file, at = s.File, line-s.First+s.Line
		}
	}
	return file, at
}

// Kernel is a compiled shader. It compiles in the background from the moment it is asked for.
type Kernel struct {
	device *Device
	module *Module
	handle int32
	ready  chan struct{}
	err    error
}

// Label returns the kernel's name and variant.
func (k *Kernel) Label() string { return k.module.Label }

// Module returns the module that the kernel was compiled from.
func (k *Kernel) Module() *Module { return k.module }

// Wait blocks until the kernel is compiled; a *ShaderError says where it is wrong.
func (k *Kernel) Wait(ctx context.Context) error {
	select {
	case <-k.ready:
		return k.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Kernel returns the kernel of a module, compiling it in the background the first time it is asked for. Modules with
// equal text share one kernel.
func (d *Device) Kernel(m *Module) *Kernel {
	d.mu.Lock()
	k, ok := d.kernels[m.Text]
	if !ok {
		k = &Kernel{device: d, module: m, ready: make(chan struct{})}
		d.kernels[m.Text] = k
		d.order = append(d.order, k)
	}
	d.mu.Unlock()
	if !ok {
		k.begin()
	}
	return k
}

func (k *Kernel) begin() {
	d, m := k.device, k.module
	if k.handle = d.backend.recallKernel(m); k.handle != 0 {
		d.mu.Lock()
		d.compiled.Reused++
		d.mu.Unlock()
		close(k.ready)
		return
	}
	d.mu.Lock()
	d.compiled.Kernels++
	d.compiles(1)
	d.mu.Unlock()
	if !d.info.Features.Has(m.Needs) {
		k.end(&ShaderError{Kernel: m.Label, File: "header", Message: "the adapter lacks a feature this variant needs"})
		return
	}
	d.backend.createKernel(m, func(handle int32, err error) {
		k.handle = handle
		var ce *compileError
		if errors.As(err, &ce) {
			file, line := m.locate(ce.line)
			err = &ShaderError{Kernel: m.Label, File: file, Line: line, Message: ce.message}
		} else {
			err = d.wrap(err)
		}
		k.end(err)
	})
}

// end says that a kernel has compiled, or why not.
func (k *Kernel) end(err error) {
	k.device.mu.Lock()
	k.device.compiles(-1)
	k.device.mu.Unlock()
	k.err = err
	close(k.ready)
}

// Ready reports whether the kernel has compiled.
func (k *Kernel) Ready() bool {
	select {
	case <-k.ready:
		return k.err == nil
	default:
		return false
	}
}

// Kernels lists the kernels that were asked for since the device was opened, in that order.
func (d *Device) Kernels() []*Kernel {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*Kernel(nil), d.order...)
}

// BindGroup is buffers bound to a kernel's group 0.
type BindGroup struct {
	handle int32
}

// Bind binds views, in order, to a kernel that has compiled. Equal bindings are made once and live until one of their
// buffers is released.
func (d *Device) Bind(k *Kernel, views ...View) (*BindGroup, error) {
	if err := d.Err(); err != nil {
		return nil, err
	}
	if err := k.Wait(context.Background()); err != nil {
		return nil, err
	}
	key := bindKey(k, views)
	d.mu.Lock()
	defer d.mu.Unlock()
	if g, ok := d.binds[key]; ok {
		return g, nil
	}
	for _, v := range views {
		if v.Buffer == nil || v.Buffer.gone.Load() {
			return nil, ErrReleased
		}
	}
	for i, v := range views {
		if v.Size == 0 || v.Offset > v.Buffer.size || v.Size > v.Buffer.size-v.Offset {
			return nil, fmt.Errorf("gpu: binding %d of %s: %d bytes from %d of %q, which has %d", i, k.Label(), v.Size, v.Offset, v.Buffer.label, v.Buffer.size)
		}
	}
	h, err := d.backend.createBindGroup(k.module.Label, k.handle, views)
	if err != nil {
		return nil, d.wrap(err)
	}
	g := &BindGroup{handle: h}
	d.binds[key] = g
	for _, v := range views {
		d.users[v.Buffer] = append(d.users[v.Buffer], key)
	}
	return g, nil
}
