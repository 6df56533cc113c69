package runner

import (
	"context"

	"quire/engine/gpu"
	"quire/engine/step"
)

// readState submits copies of a slot, layer after layer.
func (r *Runner) readState(slot int32) (*gpu.Readback, error) {
	back, err := r.device.NewReadback("state", uint64(r.plan.StateBytes()))
	if err != nil {
		return nil, err
	}
	r.rec.Reset()
	r.rec.Profile = false
	to := uint64(0)
	for i, states := range r.graph.States {
		bytes := r.plan.StateLayerBytes(i)
		r.rec.Copy(states, uint64(slot)*bytes, back.Buffer(), to, bytes)
		to += bytes
	}
	r.rec.Map(back, back.Size())
	if err := r.device.Submit(&r.rec); err != nil {
		back.Release()
		return nil, err
	}
	return back, nil
}

// ReadState fetches a sequence's state, of all layers, as the steps submitted so far leave its slot.
func (r *Runner) ReadState(ctx context.Context, slot int32) ([]byte, error) {
	back, err := r.readState(slot)
	if err != nil {
		return nil, err
	}
	defer back.Release()
	out := make([]byte, back.Size())
	return out, back.Wait(ctx, out)
}

// WriteState fills a slot with what ReadState gave, before the steps submitted from now on.
func (r *Runner) WriteState(slot int32, data []byte) error {
	for i, states := range r.graph.States {
		bytes := r.plan.StateLayerBytes(i)
		if err := states.Upload(uint64(slot)*bytes, data[:bytes]); err != nil {
			return err
		}
		data = data[bytes:]
	}
	return nil
}

// awayState is a state on its way to host memory.
type awayState struct {
	host     int32
	readback *gpu.Readback
}

// swapStates starts a step's moves of states to host memory, which land with it, and does those from there.
func (r *Runner) swapStates(f *flight, s *step.Step) error {
	for _, x := range s.StateOuts {
		back, err := r.readState(x.Block)
		if err != nil {
			return err
		}
		f.states = append(f.states, awayState{host: x.Host, readback: back})
	}
	for _, x := range s.StateIns {
		if err := r.WriteState(x.Block, r.hostStates[x.Host]); err != nil {
			return err
		}
	}
	return nil
}

// arriveStates waits for a step's states and keeps them.
func (r *Runner) arriveStates(ctx context.Context, f *flight) error {
	for _, a := range f.states {
		for len(r.hostStates) <= int(a.host) {
			r.hostStates = append(r.hostStates, nil)
		}
		if size := int(a.readback.Size()); len(r.hostStates[a.host]) != size {
			r.hostStates[a.host] = make([]byte, size)
		}
		if err := a.readback.Wait(ctx, r.hostStates[a.host]); err != nil {
			return err
		}
		a.readback.Release()
	}
	f.states = f.states[:0]
	return nil
}
