package schedule

import "quire/paging"

// Room relates the length of a sequence to the blocks that it needs.
type Room struct {
	Groups      []paging.Group // none: one of full attention
	BlockSize   int
	TokenBudget int
}

// parts gives the groups that need blocks for all tokens, and the blocks that those with windows need whatever the chunks: for
// the window, a step's tokens, and what lies ragged at both ends.
func (r Room) parts() (all, full, fixed int) {
	for _, g := range r.Groups {
		if g.Window == 0 {
			full++
			continue
		}
		fixed += (g.Window+r.TokenBudget+g.Sinks)/r.BlockSize + 3
	}
	if len(r.Groups) == 0 {
		full = 1
	}
	return max(1, len(r.Groups)), full, fixed
}

// Slots gives the tokens that surely fit into so many blocks.
func (r Room) Slots(blocks int) int {
	all, full, fixed := r.parts()
	short := blocks / all
	if full > 0 {
		return max(short, (blocks-fixed)/full) * r.BlockSize
	}
	if fixed <= blocks {
		return 1 << 30
	}
	return short * r.BlockSize
}

// Blocks gives the fewest blocks into which so many tokens surely fit.
func (r Room) Blocks(tokens int) uint64 {
	all, full, fixed := r.parts()
	one := (uint64(tokens) + uint64(r.BlockSize) - 1) / uint64(r.BlockSize)
	return min(uint64(all)*one, uint64(fixed)+uint64(full)*one)
}
