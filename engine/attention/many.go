package attention

import (
	"context"
	"errors"
	"sync/atomic"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// many is a prefill kernel of larger tiles, for steps with so many rows that these fill a GPU. Its tiles are the step's items, of which
// each takes several workgroups of the other kernel.
type many struct {
	tile   tile
	parts  int         // tiles of the other kernel in one of these
	least  int         // workgroups from which on it is faster
	most   int         // keys that it walks
	module *gpu.Module // nil: there is none
	kernel *gpu.Kernel // nil: Complete has not made it

	wanted, taken, givenUp atomic.Bool
}

// manyGroups are two workgroups for each compute unit of the large GPU that this was measured on.
const manyGroups = 256

// newMany composes the kernel where there is to be one, and unless it is late has it compile.
func (a *Attention) newMany(c choice) error {
	p, m := a.params, &a.many
	m.parts, m.least = 1, manyGroups
	t, spec, tiles, err := p.manySpec(c, a.device.Info())
	if err != nil || tiles < 1 {
		return err
	}
	if m.module, err = kernel.Module(a.device, spec); err != nil {
		return err
	}
	m.tile, m.parts, m.most = t, c.many.rows/c.prefill.rows, tiles*t.keys
	if !p.ManyLate {
		m.kernel = a.device.Kernel(m.module)
		m.taken.Store(true)
	}
	return nil
}

// manySpec is the kernel for a choice, and how many tiles of keys it walks: none where there is to be no kernel.
func (p Params) manySpec(c choice, info gpu.AdapterInfo) (t tile, spec kernel.Spec, tiles int, err error) {
	if c.many.rows == 0 || c.matrix != nil || !c.prefill.wide || c.many.rows%c.prefill.rows != 0 || p.Deterministic {
		return t, spec, 0, nil
	}
	if t, err = c.many.tile(p.HeadDim, memoryLimit(info), false); err != nil {
		return t, spec, 0, err
	}
	spec = p.squareSpec(t, c, info)
	spec.Slots["walk"] = "walk_whole"
	if tiles = p.sure(&spec); tiles < 1 {
		tiles, err = p.fit(1, func(n int) kernel.Spec { return atMost(spec, "TILES", n) })
		if errors.Is(err, kernel.ErrTurns) {
			return t, spec, 0, nil // the other kernel takes all
		}
	}
	tiles = p.enough(tiles, t.keys)
	spec = atMost(spec, "TILES", tiles)
	spec.MaxTurns = p.turns()
	return t, spec, tiles, err
}

// suits tells whether the kernel would be faster for a step's items.
func (a *Attention) suits(items []kernel.Item) bool {
	m := &a.many
	return m.module != nil && !m.givenUp.Load() && len(items)*a.params.KVHeads >= m.least && longest(items) <= m.most
}

// useMany binds the kernel, unless that is done, and tells whether it is to be used for a step's items.
func (a *Attention) useMany(b *Bindings, items []kernel.Item) bool {
	m := &a.many
	if !a.suits(items) || !m.taken.Load() {
		return false
	}
	if b.many == nil && a.bindMany(b) != nil {
		m.givenUp.Store(true) // the step that comes next tells of a device that is lost
		return false
	}
	return true
}

func (a *Attention) bindMany(b *Bindings) (err error) {
	o := &b.operands
	views := []gpu.View{o.Step, o.Q, o.K, o.V, o.Out}
	if a.params.LSE {
		views = append(views, o.LSE)
	}
	b.many, err = a.device.Bind(a.many.kernel, views...)
	return err
}

// Lacks tells whether a step would go better by a kernel that Complete has not made.
func (a *Attention) Lacks(s *kernel.StepData) bool {
	if a.many.taken.Load() || !a.suits(s.List(a.params.List).Prefill) {
		return false
	}
	a.many.wanted.Store(true)
	return true
}

// Forget has Complete wait for steps that are still to come.
func (a *Attention) Forget() { a.many.wanted.Store(false) }

// Complete makes the kernel that steps have lacked, waits until it has compiled, and tells whether there is one. Take has it do its work.
func (a *Attention) Complete(ctx context.Context) bool {
	m := &a.many
	if m.module == nil || m.kernel != nil || !m.wanted.Load() || m.givenUp.Load() {
		return false
	}
	m.kernel = a.device.Kernel(m.module)
	if err := m.kernel.Wait(ctx); err != nil {
		m.givenUp.Store(true)
		return false
	}
	return true
}

// Take takes the kernel that Complete has made, if it is right, and gives it up otherwise; it may run beside Record.
func (a *Attention) Take(right func(*gpu.Kernel) bool) {
	if m := &a.many; m.kernel != nil && !m.taken.Load() {
		m.givenUp.Store(!right(m.kernel))
		m.taken.Store(!m.givenUp.Load())
	}
}
