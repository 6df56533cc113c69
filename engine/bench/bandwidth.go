// Package bench measures what an adapter can do: its memory bandwidth, and prefill and decode of a model, which may be
// one with random weights made on the spot. It runs on every host.
package bench

import (
	"context"
	"errors"
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

const (
	workgroup    = 256
	readVectors  = 32 // vec4s an invocation
	groupBytes   = workgroup * readVectors * 16
	gpuBytes     = 1 << 30  // beyond any cache
	cpuBytes     = 64 << 20 // software adapters are slow enough
	leastSeconds = 0.25
)

// reader is the kernel that reads a buffer, with its buffers.
type reader struct {
	device *gpu.Device
	kernel *gpu.Kernel
	bind   *gpu.BindGroup
	data   *gpu.Buffer
	sums   *gpu.Buffer
	groups uint32
}

// newReader makes a reader of about size bytes, fewer where a limit or the memory says so.
func newReader(d *gpu.Device, size uint64) (*reader, error) {
	l := d.Limits()
	size = min(size, l.MaxStorageBufferBindingSize, l.MaxBufferSize, kernel.MaxWorkgroups*groupBytes)
	r := &reader{device: d}
	for {
		r.groups = uint32(max(size/groupBytes, 1))
		var err error
		if r.data, err = d.NewBuffer("bandwidth data", uint64(r.groups)*groupBytes, gpu.Storage); err == nil {
			break
		}
		if size /= 2; !errors.Is(err, gpu.ErrOutOfMemory) || size < groupBytes {
			return nil, err
		}
	}
	var err error
	if r.sums, err = d.NewBuffer("bandwidth sums", uint64(r.groups)*workgroup*4, gpu.Storage); err != nil {
		r.release()
		return nil, err
	}
	m, err := kernel.Module(d, kernel.Spec{
		File: "bandwidth", Variant: "baseline",
		Consts:   []kernel.Const{{Name: "WORKGROUPS", Value: r.groups}, {Name: "VECTORS", Value: readVectors}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite},
	})
	if err == nil {
		r.kernel = d.Kernel(m)
		r.bind, err = d.Bind(r.kernel, r.data.All(), r.sums.All())
	}
	if err != nil {
		r.release()
		return nil, err
	}
	return r, nil
}

func (r *reader) release() {
	r.data.Release()
	r.sums.Release()
}

// run reads the data a number of times and waits.
func (r *reader) run(ctx context.Context, passes int) error {
	var rec gpu.Recorder
	for range passes {
		rec.Dispatch(r.kernel, r.bind, r.groups, 1, 1)
	}
	if err := r.device.Submit(&rec); err != nil {
		return err
	}
	return r.device.Idle(ctx)
}

// Bandwidth measures how many bytes a second kernels read from a device's memory.
func Bandwidth(ctx context.Context, d *gpu.Device) (float64, error) {
	size := uint64(gpuBytes)
	if d.Info().Type == "cpu" {
		size = cpuBytes
	}
	r, err := newReader(d, size)
	if err != nil {
		return 0, fmt.Errorf("measure bandwidth: %w", err)
	}
	defer r.release()
	rate, err := rateOf(func(passes int) error { return r.run(ctx, passes) })
	if err != nil {
		return 0, fmt.Errorf("measure bandwidth: %w", err)
	}
	return rate * float64(r.data.Size()), nil
}
