package attention

import (
	"fmt"
	"math"

	"quire/engine/kernel"
)

// Plan lays out a backward pass over sequences, whose queries and keys lie one sequence after another. Its step buffer is
// not the forward pass's: Prefill holds query tiles and Decode key tiles. Seed is the caller's to set and Slopes
// (ALiBiSlopes) to replace, both to what the forward pass had. A negative length or a mask of another shape is an error that
// names the sequence.
func (b *Backward) Plan(sequences []Sequence) (*kernel.StepData, error) {
	p, tile := b.params, b.tile.own()
	d := &kernel.StepData{}
	if p.ALiBi {
		d.Slopes = ALiBiSlopes(p.Heads)
	}
	tokens, keys := 0, 0
	for i, s := range sequences {
		if err := p.checkSequence(s); err != nil {
			return nil, fmt.Errorf("attention: backward: sequence %d: %w", i, err)
		}
		row := kernel.StepRow{First: uint32(tokens), Count: uint32(s.Queries), Start: uint32(int32(s.Keys - s.Queries))}
		row.Tables[p.Group] = []uint32{uint32(keys)}
		d.Rows = append(d.Rows, row)
		if p.Mask != NoMask {
			d.Masks = append(d.Masks, s.Mask.words)
		}
		// The longest walks begin first: the last queries of a causal sequence see most keys, its first keys are seen most.
		for n := (s.Queries + tile - 1) / tile; n > 0; n-- {
			d.Prefill = append(d.Prefill, kernel.Item{Row: uint32(i), First: uint32((n - 1) * tile)})
		}
		for first := 0; first < s.Keys; first += tile {
			d.Decode = append(d.Decode, kernel.Item{Row: uint32(i), First: uint32(first)})
		}
		tokens, keys = tokens+s.Queries, keys+s.Keys
	}
	if most := max(tokens*max(p.QStride, p.OutStride), keys*p.KVHeads*p.HeadDim); most > math.MaxUint32 {
		return nil, fmt.Errorf("attention: backward: %d queries and %d keys are more than 32-bit offsets reach: launch them in parts", tokens, keys)
	}
	d.Tokens, d.Positions = make([]uint32, tokens), make([]uint32, tokens)
	return d, nil
}
