package model

import "quire/engine/gpu"

// stateLayer is where a layer that keeps a state instead of K and V has it: so many floats of each slot.
type stateLayer struct{ words, place int }

// state asks for a layer's part of a sequence's state.
func (b *builder) state(words int) *stateLayer {
	s := &stateLayer{words: words, place: len(b.plan.states)}
	b.plan.states = append(b.plan.states, s)
	return s
}

// states is the layer's states, a slot after the other. What a row of a step reads and writes says its StepRow.
func (g *Graph) states(s *stateLayer) gpu.View { return g.States[s.place].All() }

// StateBytes is the size of a sequence's state in all layers that keep one; 0 where none does.
func (p *Plan) StateBytes() int64 {
	n := int64(0)
	for _, s := range p.states {
		n += 4 * int64(s.words)
	}
	return n
}

// StateLayerBytes is the size of the state of the i-th layer that keeps one.
func (p *Plan) StateLayerBytes(i int) uint64 { return 4 * uint64(p.states[i].words) }

// LargestStateBytes is the size of the largest state of a layer.
func (p *Plan) LargestStateBytes() uint64 {
	most := uint64(0)
	for i := range p.states {
		most = max(most, p.StateLayerBytes(i))
	}
	return most
}

// StateLayers is how many layers keep a state.
func (p *Plan) StateLayers() int { return len(p.states) }
