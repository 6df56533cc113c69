package attention

import (
	"fmt"
	"math"

	"quire/engine/kernel"
)

// Sequence is one sequence of a launch on its own: its last query sits at its last key. Queries may outnumber keys; the
// first then see nothing, unless Params.Bidirectional.
type Sequence struct {
	Queries, Keys int
	Table         []uint32 // ids of the blocks that hold the keys, in order; none where K and V are contiguous
	Mask          Mask     // the zero Mask hides nothing
}

// Plan lays out a launch of sequences whose queries, and contiguous keys, lie one sequence after another (variable
// lengths; cumulative offsets follow from them). Rows of few queries are split into spans of splitSpan keys, or what
// suits the adapter where that is 0. The step's Seed is the caller's to set, and its Slopes (ALiBiSlopes) to replace.
// A sequence that its blocks cannot hold, a negative length or a mask of another shape is an error that names the
// sequence.
func (a *Attention) Plan(sequences []Sequence, splitSpan int) (*kernel.StepData, error) {
	d, err := a.params.layOut(sequences)
	if err != nil {
		return nil, err
	}
	for i, s := range sequences {
		if s.Keys > a.MaxKeys() && !a.splits(s.Queries) {
			return nil, fmt.Errorf("attention: sequence %d: %d keys, at most %d: set Params.MaxKeys", i, s.Keys, a.MaxKeys())
		}
	}
	if splitSpan < 1 {
		splitSpan = a.chooseSpan(sequences)
	}
	for i, s := range sequences {
		a.AppendRow(d, i, s.Queries, s.Keys-s.Queries, splitSpan)
	}
	return d, nil
}

// layOut lays out all of a launch but its items.
func (p Params) layOut(sequences []Sequence) (*kernel.StepData, error) {
	d := &kernel.StepData{}
	if p.ALiBi {
		d.Slopes = ALiBiSlopes(p.Heads)
	}
	tokens, keys := 0, 0
	for i, s := range sequences {
		if err := p.checkSequence(s); err != nil {
			return nil, fmt.Errorf("attention: sequence %d: %w", i, err)
		}
		row := kernel.StepRow{First: uint32(tokens), Count: uint32(s.Queries), Start: uint32(int32(s.Keys - s.Queries))}
		d.Rows = append(d.Rows, row)
		var tables [kernel.MaxGroups][]uint32
		tables[p.Group] = s.Table
		if p.Contiguous {
			tables[p.Group] = []uint32{uint32(keys)}
		}
		d.Tables = append(d.Tables, tables)
		if p.Mask != NoMask {
			d.Masks = append(d.Masks, s.Mask.words)
		}
		tokens, keys = tokens+s.Queries, keys+s.Keys
	}
	most := tokens * max(p.QStride, p.OutStride)
	if p.Contiguous {
		most = max(most, keys*p.KVHeads*kernel.KVLayout{HeadDim: p.HeadDim, Type: p.KVType}.RowWords())
	}
	if most > math.MaxUint32 {
		return nil, fmt.Errorf("attention: %d queries and %d keys are more than 32-bit offsets reach: launch them in parts", tokens, keys)
	}
	d.Tokens, d.Positions, d.Slots = make([]uint32, tokens), make([]uint32, tokens), make([][]int32, p.Group+1)
	return d, nil
}

func (p Params) checkSequence(s Sequence) error {
	blocks := func(n int) uint32 { return uint32((n + maskBlock - 1) / maskBlock) }
	w := s.Mask.words
	switch {
	case s.Queries < 0 || s.Keys < 0:
		return fmt.Errorf("%d queries of %d keys: lengths must not be negative", s.Queries, s.Keys)
	case s.Queries > math.MaxInt32/p.Heads || s.Keys > math.MaxInt32/2:
		return fmt.Errorf("%d queries of %d keys: too long", s.Queries, s.Keys)
	case !p.Contiguous && s.Keys > len(s.Table)*p.BlockSize:
		return fmt.Errorf("%d keys do not fit its %d blocks of %d", s.Keys, len(s.Table), p.BlockSize)
	case len(w) > 0 && s.Mask.kind != p.Mask:
		return fmt.Errorf("its mask is not of the kind in Params.Mask")
	case len(w) > 0 && (w[0] != 1 && w[0] != uint32(p.Heads) || w[1] != blocks(s.Queries) || w[2] != blocks(s.Keys)):
		return fmt.Errorf("its mask is for %d heads and %d × %d blocks, not %d heads (or 1) of %d queries and %d keys",
			w[0], w[1], w[2], p.Heads, s.Queries, s.Keys)
	}
	return nil
}

// chooseSpan is ChooseSplit for a launch on its own.
func (a *Attention) chooseSpan(sequences []Sequence) int {
	var lengths []int
	for _, s := range sequences {
		if a.splits(s.Queries) {
			lengths = append(lengths, s.Keys)
		}
	}
	units := 64
	if a.device.Info().Type == "cpu" {
		units = 4
	}
	if measured := a.params.Tuning.Units(a.params.HeadDim); measured > 0 {
		units = measured
	}
	return ChooseSplit(lengths, a.params.KVHeads, units, a.Unsplit())
}

// ALiBiSlopes gives the slope of each head: powers of 2^(−8/n) for n heads, and where n is no power of two, the odd powers
// of 2^(−4/m) for those past the largest power of two m below n (arXiv 2108.12409, section 3).
func ALiBiSlopes(heads int) []float32 {
	m := 1
	for 2*m <= heads {
		m *= 2
	}
	slopes := make([]float32, heads)
	for h := range slopes {
		if h < m {
			slopes[h] = float32(math.Exp2(-8 * float64(h+1) / float64(m)))
		} else {
			slopes[h] = float32(math.Exp2(-4 * float64(2*(h-m)+1) / float64(m)))
		}
	}
	return slopes
}
