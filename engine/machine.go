package engine

import (
	"context"
	"errors"

	"quire/engine/gpu"
	"quire/engine/model"
	"quire/engine/runner"
)

// machine is a model on a GPU: all of it is dropped when the device is lost, and built again from its source.
type machine struct {
	gpu     gpu.Options
	plan    *model.Plan
	source  gpu.Source
	options runner.Options
	needs   memoryNeeds
	built   func() // told after each Build but the first

	adapters *adapters

	device *gpu.Device
	*runner.Runner
}

// open opens the device.
func (m *machine) open(ctx context.Context) (err error) {
	m.device, err = gpu.Open(ctx, m.gpu)
	return err
}

// load builds everything on the device.
func (m *machine) load(ctx context.Context) (err error) {
	if m.Runner, err = runner.New(ctx, m.device, m.plan, m.source, m.options); err != nil {
		return m.needs.explain(err)
	}
	return m.adapters.each(func(l *lora) error { return m.Place(l.number, l.adapter, l.source, l.first) })
}

// Build opens a device and builds everything on it again.
func (m *machine) Build(ctx context.Context) error {
	err := m.open(ctx)
	if err == nil {
		err = m.load(ctx)
	}
	if err != nil {
		m.Release()
		return err
	}
	m.built()
	return nil
}

// Release gives everything on the GPU back.
func (m *machine) Release() {
	if m.Runner != nil {
		m.Runner.Release()
		m.Runner = nil
	}
	if m.device != nil {
		m.device.Park()
		m.device = nil
	}
}

func isLost(err error) bool { return errors.Is(err, gpu.ErrDeviceLost) }
