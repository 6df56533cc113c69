package model

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// attendAsked is attend in layers that go on with nothing but that and the residual stream. Behind the last layer's, a step goes on with the
// rows alone that something is asked of, where they are few: of a prompt, with its last token's.
func (b *builder) attendAsked(h heads) rows {
	h.asked = b.at == b.config.Layers-1
	return b.attend(h)
}

// takeAsked records that the rows of some tokens come first, and that the step has as many tokens as outputs from here on. All goes by way of
// other memory: a row may lie where another is to go, and buffers are not copied into themselves.
func (g *Graph) takeAsked(x, y rows) {
	if g.plan.Guesses() { // by what the last layer makes of every token
		return
	}
	views := []gpu.View{g.view(x), g.view(y), g.step}
	sizes := []uint64{4 * uint64(kernel.RowStride(x.width)), 4 * uint64(kernel.RowStride(y.width)), 4}
	between := g.Scratch("rows asked for", kernel.MostAsked*int(max(sizes[0], sizes[1]))/4)
	g.Add(nil, func(rec *gpu.Recorder, s *kernel.StepData) {
		if len(s.Asked) == 0 {
			return
		}
		by := g.Resolve(between).Buffer
		for i, view := range views {
			from, to, size := s.Asked, g.Resolve(view).Buffer, sizes[i]
			if i == 2 {
				from = []uint32{kernel.WordOutputs} // to the first word, kernel.WordTokens
			}
			for j, at := range from {
				rec.Copy(to, uint64(at)*size, by, uint64(j)*size, size)
			}
			rec.Copy(by, 0, to, 0, uint64(len(from))*size)
		}
	})
	g.asked = g.Len()
}

// TakesAsked says whether steps may have Asked.
func (g *Graph) TakesAsked() bool { return g.asked > 0 }

// recordForward records a step's forward pass, which ends where K and V of the last layer are stored if nothing is asked.
func (g *Graph) recordForward(rec *gpu.Recorder, s *kernel.StepData) {
	all, at := s.Tokens, g.drawn
	switch {
	case len(s.Asked) > 0:
		at = g.asked
	case g.asked > 0 && len(s.Outputs)+len(s.Pools) == 0 && g.look == nil:
		at = g.closed
	}
	g.Program.Record(rec, s, 0, at)
	if len(s.Asked) > 0 {
		s.Tokens = all[:len(s.Asked)]
		g.Program.Record(rec, s, at, g.drawn)
		s.Tokens = all
	}
}
