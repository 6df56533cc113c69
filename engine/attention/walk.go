package attention

import (
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

// fit returns how large a launch of a kernel may be, in units of n.
func (p Params) fit(unit int, of func(n int) kernel.Spec) (int, error) {
	none, err := of(0).Turns()
	if err != nil {
		return 0, err
	}
	one, err := of(unit).Turns()
	if err != nil {
		return 0, err
	}
	n := (p.turns() - none) / max(1, one-none)
	if n < 1 {
		return 0, fmt.Errorf("attention: kernel %s: %w: %d turns of loops for a launch of %d, at most %d", of(0).File, kernel.ErrTurns, one, unit, p.turns())
	}
	return n * unit, nil
}

// atMost bounds a launch, withTiles gives a kernel that needs to know its tiles their number.
func atMost(s kernel.Spec, name string, n int) kernel.Spec {
	s.Most = []kernel.Const{{Name: name, Value: n}}
	return s
}

func withTiles(s kernel.Spec, n int) kernel.Spec {
	s.Consts = append(slices.Clip(s.Consts), kernel.Const{Name: "TILES", Value: n})
	return s
}

// enough bounds tiles by what MaxKeys asks for.
func (p Params) enough(tiles, keys int) int {
	if p.MaxKeys > 0 {
		return min(tiles, p.MaxKeys/keys+2)
	}
	return tiles
}

// sure is how many tiles a launch may have whatever the kernel: counting a kernel's turns takes a tab longer than composing it. A mask
// and dropout have turns for each score, and so have squares whose loops are not written out: with these no tiles are sure.
func (p Params) sure(s *kernel.Spec) int {
	if p.Mask != NoMask || p.Dropout.P > 0 || s.File == "attention_square" && !s.Unrolled {
		return 0
	}
	return max(0, (p.turns()-1000)/(4*p.HeadDim+256))
}

// whole is the walk of a kernel that has one launch.
func (p Params) whole(s *kernel.Spec, keys int) (w walk, err error) {
	tiles := p.sure(s)
	if p.MaxKeys == 0 || p.enough(farthest, keys) > tiles {
		if tiles, err = p.fit(1, func(n int) kernel.Spec { return atMost(*s, "TILES", n) }); err != nil {
			return walk{}, err
		}
	}
	w = walk{tiles: p.enough(tiles, keys), keys: keys}
	*s, s.MaxTurns = atMost(*s, "TILES", w.tiles), p.turns()
	return w, nil
}

// walked makes a prefill kernel walk in parts where MaxKeys asks for more than a launch takes.
func (p Params) walked(s *kernel.Spec, t tile) (walk, error) {
	s.Slots["walk"] = "walk_whole"
	w, err := p.whole(s, t.keys)
	if err != nil || w.most() >= p.MaxKeys {
		return w, err
	}
	s.Most = nil
	s.Slots["walk"], s.Slots["span"] = "walk_parts", "span_parts"
	s.Consts = append(s.Consts, kernel.Const{Name: "WALK_BINDING", Value: len(s.Bindings)}, kernel.Const{Name: "SPAN_BINDING", Value: len(s.Bindings) + 1},
		kernel.Const{Name: "WALK_X", Value: t.threadsX}, kernel.Const{Name: "WALK_OUT_X", Value: t.outThreads() * t.parts()})
	s.Bindings = append(s.Bindings, gpu.ReadWrite, gpu.Constant)
	if w.tiles, err = p.fit(1, func(n int) kernel.Spec { return withTiles(*s, n) }); err != nil {
		return w, err
	}
	w.parts = true
	*s = withTiles(*s, w.tiles)
	return w, nil
}

// walkedBackward makes a kernel of the backward pass walk in parts where MaxKeys asks for more than a launch takes.
func (p Params) walkedBackward(s *kernel.Spec, rows int) (walk, error) {
	s.Slots["span"] = "span_whole"
	tiles, err := p.fit(1, func(n int) kernel.Spec { return withTiles(*s, n) })
	if err != nil {
		return walk{}, err
	}
	w := walk{tiles: p.enough(tiles, rows), keys: rows}
	if w.most() < p.MaxKeys {
		w.parts = true
		s.Slots["span"] = "span_parts"
		s.Consts = append(s.Consts, kernel.Const{Name: "SPAN_BINDING", Value: len(s.Bindings)})
		s.Bindings = append(s.Bindings, gpu.Constant)
	}
	*s, s.MaxTurns = withTiles(*s, w.tiles), p.turns()
	return w, nil
}
