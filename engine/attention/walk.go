package attention

import (
	"encoding/binary"
	"fmt"
	"slices"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// A kernel's loops may make kernel.MaxTurns turns an invocation, on every adapter. Keys beyond what one launch may walk are
// walked in several: between them the state of a prefill item waits in memory as it stands, so that sums are added in the
// order of one walk; decode's spans are bounded; and the backward pass adds to what earlier launches wrote.

// walk is how a kernel goes through keys, or the backward pass through queries too.
type walk struct {
	tiles int  // of a launch
	keys  int  // of a tile
	parts bool // in several launches
}

// most is how many keys a launch walks.
func (w walk) most() int { return w.tiles * w.keys }

// launches is how many launches so many keys take.
func (w walk) launches(keys int) int {
	if !w.parts {
		return 1
	}
	return max(1, (keys+w.most()-1)/w.most())
}

// turns is the bound on the turns of an invocation's loops.
func (p Params) turns() int {
	if p.MaxTurns > 0 {
		return p.MaxTurns
	}
	return kernel.MaxTurns
}

// fit returns how large a launch may be in units of what name stands for in the shader's comments on turns.
func (p Params) fit(s kernel.Spec, name string, unit int) (int, error) {
	count := func(n int) (int, error) {
		s.Most = []kernel.Const{{Name: name, Value: n}}
		return s.Turns()
	}
	none, err := count(0)
	if err != nil {
		return 0, err
	}
	one, err := count(unit)
	if err != nil {
		return 0, err
	}
	n := (p.turns() - none) / max(1, one-none)
	if n < 1 {
		return 0, fmt.Errorf("attention: kernel %s: %w: %d turns of loops for %s of %d, at most %d", s.File, kernel.ErrTurns, one, name, unit, p.turns())
	}
	return n * unit, nil
}

// whole is the walk of a kernel that has one launch.
func (p Params) whole(s *kernel.Spec, keys int) (walk, error) {
	tiles, err := p.fit(*s, "TILES", 1)
	if err != nil {
		return walk{}, err
	}
	if p.MaxKeys > 0 {
		tiles = min(tiles, p.MaxKeys/keys+2)
	}
	s.Most, s.MaxTurns = []kernel.Const{{Name: "TILES", Value: tiles}}, p.turns()
	return walk{tiles: tiles, keys: keys}, nil
}

// walked makes a prefill kernel walk in parts where MaxKeys asks for more than a launch takes.
func (p Params) walked(s *kernel.Spec, t tile) (walk, error) {
	s.Use["walk"], s.Use["span"] = "walk_whole", "span_whole"
	w, err := p.whole(s, t.keys)
	if err != nil || w.most() >= p.MaxKeys {
		return w, err
	}
	s.Use["walk"], s.Use["span"] = "walk_parts", "span_parts"
	s.Consts = append(s.Consts, kernel.Const{Name: "WALK_BINDING", Value: len(s.Bindings)}, kernel.Const{Name: "SPAN_BINDING", Value: len(s.Bindings) + 1},
		kernel.Const{Name: "WALK_X", Value: t.threadsX}, kernel.Const{Name: "WALK_OUT_X", Value: t.outThreads() * t.parts()})
	s.Bindings = append(s.Bindings, gpu.ReadWrite, gpu.Constant)
	if w.tiles, err = p.fit(*s, "TILES", 1); err != nil {
		return w, err
	}
	w.parts, s.Most = true, nil
	s.Consts = append(s.Consts, kernel.Const{Name: "TILES", Value: w.tiles})
	return w, nil
}

// walkedBackward makes a kernel of the backward pass walk in parts where MaxKeys asks for more than a launch takes.
func (p Params) walkedBackward(s *kernel.Spec, rows int) (walk, error) {
	s.Use["span"] = "span_whole"
	w, err := p.whole(s, rows)
	if err != nil {
		return w, err
	}
	if w.most() < p.MaxKeys {
		w.parts = true
		s.Use["span"] = "span_parts"
		s.Consts = append(s.Consts, kernel.Const{Name: "SPAN_BINDING", Value: len(s.Bindings)})
		s.Bindings = append(s.Bindings, gpu.Constant)
	}
	s.Consts = append(s.Consts, kernel.Const{Name: "TILES", Value: w.tiles})
	return w, nil
}

// spanBytes is the distance of a launch's uniform from the next's.
const spanBytes = 256

// newSpans makes the uniforms that say which launch of so many it is, each to be bound on its own.
func newSpans(d *gpu.Device, launches int) ([]gpu.View, error) {
	b, err := d.NewBuffer("spans", uint64(launches*spanBytes), gpu.Uniform)
	if err != nil {
		return nil, err
	}
	data := make([]byte, launches*spanBytes)
	views := make([]gpu.View, launches)
	for i := range launches {
		binary.LittleEndian.PutUint32(data[i*spanBytes:], uint32(i))
		views[i] = gpu.View{Buffer: b, Offset: uint64(i * spanBytes), Size: 16}
	}
	return views, b.Upload(0, data)
}

// releaseSpans gives the uniforms back.
func releaseSpans(spans []gpu.View) {
	if len(spans) > 0 {
		spans[0].Buffer.Release()
	}
}

// bindParts binds a kernel for each launch.
func bindParts(d *gpu.Device, k *gpu.Kernel, spans []gpu.View, views []gpu.View) ([]*gpu.BindGroup, error) {
	var groups []*gpu.BindGroup
	for _, span := range spans {
		g, err := d.Bind(k, append(slices.Clip(views), span)...)
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, nil
}
