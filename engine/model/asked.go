package model

import (
	"slices"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// attendAsked is attend in layers that go on with nothing but that and the residual stream. Behind the last layer's, a step goes on with the
// rows alone that something is asked of, where they are few: of a prompt, with its last token's.
func (b *builder) attendAsked(h heads) rows {
	if h.asked = b.at == b.config.Layers-1; h.asked {
		b.plan.asked = &asked{matrices: len(b.plan.matrices), vectors: len(b.plan.vectors)}
	}
	return b.attend(h)
}

// asked is how many of a plan's tensors come before those that are read of a step's rows alone that something is asked of.
type asked struct{ matrices, vectors int }

// Unasked gives the bytes that a step of which nothing is asked does not read: of tensors, and of K and V of each token.
func (p *Plan) Unasked(kvType string) (weights, token int64, err error) {
	t, err := kernel.ParseKVType(kvType)
	at := asked{len(p.matrices), len(p.vectors)}
	if p.asked != nil && !p.Guesses() {
		at, token = *p.asked, p.kv[len(p.kv)-1].tokenBytes(t)
	}
	matrices := slices.Clone(p.matrices[at.matrices:])
	if p.head != nil && !slices.Contains(matrices, p.head) {
		matrices = append(matrices, p.head)
	}
	return bytesOf(matrices, p.vectors[at.vectors:]), token, err
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
