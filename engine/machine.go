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
	draft    *companion // nil: none

	ahead  chan struct{} // closed when what openAhead began has ended; nil: it was not asked
	device *gpu.Device
	opened error
	*runner.Runner
}

// openAhead begins to open the device, while others read what is to run on it.
func (m *machine) openAhead(ctx context.Context) {
	m.ahead = make(chan struct{})
	go func() {
		defer close(m.ahead)
		m.device, m.opened = gpu.Open(ctx, m.gpu)
	}()
}

// open opens the device, or waits until it is.
func (m *machine) open(ctx context.Context) error {
	if m.ahead == nil {
		m.openAhead(ctx)
	}
	<-m.ahead
	m.ahead = nil
	return m.opened
}

// load builds everything on the device.
func (m *machine) load(ctx context.Context) (err error) {
	if m.Runner, err = runner.New(ctx, m.device, m.plan, m.source, m.options); err != nil {
		return m.needs.explain(err)
	}
	if m.draft != nil {
		if err = m.draft.load(ctx, m.device); err != nil {
			m.Runner.Release()
			m.Runner = nil
			return m.needs.explain(err)
		}
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
	if m.ahead != nil {
		<-m.ahead
		m.ahead = nil
	}
	if m.draft != nil {
		m.draft.release()
	}
	if m.Runner != nil {
		m.Runner.Release()
		m.Runner = nil
	}
	if m.device != nil {
		m.device.Release()
		m.device = nil
	}
}

func isLost(err error) bool { return errors.Is(err, gpu.ErrDeviceLost) }
