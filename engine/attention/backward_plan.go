package attention

import (
	"fmt"

	"quire/engine/kernel"
)

// Plan lays out a backward pass over sequences, whose queries and keys lie one sequence after another. Its step buffer is
// not the forward pass's: Prefill holds query tiles and Decode key tiles. Seed is the caller's to set and Slopes
// (ALiBiSlopes) to replace, both to what the forward pass had. A negative length or a mask of another shape is an error that
// names the sequence.
func (b *Backward) Plan(sequences []Sequence) (*kernel.StepData, error) {
	d, err := b.params.layOut(sequences)
	if err != nil {
		return nil, fmt.Errorf("backward pass: %w", err)
	}
	tile := b.tile.own()
	most := max(b.params.MaxKeys, min(b.keysWalk.most(), b.queriesWalk.most()))
	for i, s := range sequences {
		if max(s.Queries, s.Keys) > most {
			return nil, fmt.Errorf("attention: backward pass: sequence %d: %d queries of %d keys, at most %d: set Params.MaxKeys", i, s.Queries, s.Keys, most)
		}
		// The longest walks begin first: the last queries of a causal sequence see most keys, its first keys are seen most.
		for n := (s.Queries + tile - 1) / tile; n > 0; n-- {
			d.Prefill = append(d.Prefill, kernel.Item{Row: uint32(i), First: uint32((n - 1) * tile)})
		}
		for first := 0; first < s.Keys; first += tile {
			d.Decode = append(d.Decode, kernel.Item{Row: uint32(i), First: uint32(first)})
		}
	}
	return d, nil
}
