package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

const (
	fmaRounds  = 256
	roundFMAs  = 64   // of an invocation: 16 vec4s
	gpuGroups  = 8192 // workgroups: many for each compute unit of the largest GPUs
	cpuGroups  = 64
	copyBuffer = 256 << 20 // bytes
	cpuCopy    = 32 << 20
)

// multiplier is the kernel that multiplies and adds in registers, with its buffers.
type multiplier struct {
	device  *gpu.Device
	kernel  *gpu.Kernel
	bind    *gpu.BindGroup
	factors *gpu.Buffer
	sums    *gpu.Buffer
	groups  uint32
}

// newMultiplier makes a multiplier that turns each of its sums s into s·a + b, again and again.
func newMultiplier(d *gpu.Device, groups uint32, a, b float32) (*multiplier, error) {
	m := &multiplier{device: d, groups: groups}
	var err error
	if m.factors, err = d.NewBuffer("factors", 8, gpu.Storage); err != nil {
		return nil, err
	}
	if m.sums, err = d.NewBuffer("sums", uint64(groups)*workgroup*4, gpu.Storage); err != nil {
		m.release()
		return nil, err
	}
	var data []byte
	for _, f := range []float32{a, b} {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(f))
	}
	module, err := kernel.Module(d, kernel.Spec{
		File: "fma_rate", Variant: "baseline", Consts: []kernel.Const{{Name: "ROUNDS", Value: fmaRounds}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite},
	})
	if err == nil {
		err = m.factors.Upload(0, data)
	}
	if err == nil {
		m.kernel = d.Kernel(module)
		m.bind, err = d.Bind(m.kernel, m.factors.All(), m.sums.All())
	}
	if err != nil {
		m.release()
		return nil, err
	}
	return m, nil
}

func (m *multiplier) release() {
	m.factors.Release()
	m.sums.Release()
}

// operations are those of one pass: a multiply-add counts as two.
func (m *multiplier) operations() float64 {
	return 2 * fmaRounds * roundFMAs * workgroup * float64(m.groups)
}

func (m *multiplier) run(ctx context.Context, passes int) error {
	var rec gpu.Recorder
	for range passes {
		rec.Dispatch(m.kernel, m.bind, m.groups, 1, 1)
	}
	if err := m.device.Submit(&rec); err != nil {
		return err
	}
	return m.device.Idle(ctx)
}

// FMARate measures how many f32 operations a second kernels reach with multiply-adds in registers, each counted as two.
func FMARate(ctx context.Context, d *gpu.Device) (float64, error) {
	groups := uint32(gpuGroups)
	if d.Info().Type == "cpu" {
		groups = cpuGroups
	}
	m, err := newMultiplier(d, groups, 0.5, 1)
	if err != nil {
		return 0, fmt.Errorf("measure the FMA rate: %w", err)
	}
	defer m.release()
	rate, err := rateOf(func(passes int) error { return m.run(ctx, passes) })
	if err != nil {
		return 0, fmt.Errorf("measure the FMA rate: %w", err)
	}
	return rate * m.operations(), nil
}

// copyVectors is how many vec4s an invocation of the copying kernel has under way.
const copyVectors = 8

// CopyBandwidth measures how many bytes a second are read and written, counted together, by the faster of the device's own
// copies and a kernel that copies: some drivers copy slowly.
func CopyBandwidth(ctx context.Context, d *gpu.Device) (float64, error) {
	size := uint64(copyBuffer)
	if d.Info().Type == "cpu" {
		size = cpuCopy
	}
	size = min(size, d.Limits().MaxBufferSize, d.Limits().MaxStorageBufferBindingSize)
	var pair [2]*gpu.Buffer
	for i := range pair {
		b, err := d.NewBuffer("copies", size, gpu.Storage)
		if err != nil {
			return 0, fmt.Errorf("measure copies: %w", err)
		}
		defer b.Release()
		pair[i] = b
	}
	kernels, err := newCopier(d, pair)
	if err != nil {
		return 0, fmt.Errorf("measure copies: %w", err)
	}
	best := 0.0
	for _, record := range []func(rec *gpu.Recorder, pass int){
		func(rec *gpu.Recorder, pass int) { rec.Copy(pair[pass%2], 0, pair[1-pass%2], 0, size) },
		kernels.record,
	} {
		rate, err := rateOf(func(passes int) error {
			var rec gpu.Recorder
			for i := range passes {
				record(&rec, i)
			}
			if err := d.Submit(&rec); err != nil {
				return err
			}
			return d.Idle(ctx)
		})
		if err != nil {
			return 0, fmt.Errorf("measure copies: %w", err)
		}
		best = max(best, rate)
	}
	return 2 * float64(size) * best, nil
}

// copier is the kernel that copies between two buffers, one way and back.
type copier struct {
	kernel *gpu.Kernel
	binds  [2]*gpu.BindGroup
	groups uint32
}

func newCopier(d *gpu.Device, pair [2]*gpu.Buffer) (*copier, error) {
	c := &copier{groups: uint32(pair[0].Size() / (workgroup * copyVectors * 16))}
	m, err := kernel.Module(d, kernel.Spec{
		File: "copy_rate", Variant: "baseline",
		Consts:   []kernel.Const{{Name: "WORKGROUPS", Value: c.groups}, {Name: "VECTORS", Value: copyVectors}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite},
	})
	if err != nil {
		return nil, err
	}
	c.kernel = d.Kernel(m)
	for i := range c.binds {
		if c.binds[i], err = d.Bind(c.kernel, pair[i].All(), pair[1-i].All()); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *copier) record(rec *gpu.Recorder, pass int) {
	rec.Dispatch(c.kernel, c.binds[pass%2], c.groups, 1, 1)
}

// rateOf returns how many passes a second run makes: after one to warm up, it doubles their number until they take long
// enough.
func rateOf(run func(passes int) error) (float64, error) {
	if err := run(1); err != nil {
		return 0, err
	}
	for passes := 1; ; passes *= 2 {
		start := time.Now()
		if err := run(passes); err != nil {
			return 0, err
		}
		if seconds := time.Since(start).Seconds(); seconds >= leastSeconds {
			return float64(passes) / seconds, nil
		}
	}
}
