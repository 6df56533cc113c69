package replay

import (
	"math"

	"quire/paging/sim"
)

// prompts makes token ids for prompts of which only lengths and hashes are known.
type prompts struct {
	hashed bool    // contents matter
	prefix int     // leading tokens that all prompts share, where contents matter
	zeros  []int32 // every prompt where they do not
}

// own is the first of the ids that stand for a request's own tokens; below it are those of hashes.
const own = 1 << 30

// ownToken is the token that a sequence repeats: with 2^30 of them, and whole prefixes compared, no two sequences are alike
// (SplitMix64's finalizer).
func ownToken(sequence uint64) int32 {
	z := sequence + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return own | int32((z^z>>31)&(own-1))
}

// tokens gives request i's prompt: in a span with a hash every token is the hash, elsewhere it is the request's own. What
// matters is only that prompts are equal exactly as far as their hashes are. The prefix's token is the largest: no hash's.
func (p *prompts) tokens(r *sim.Request, i int) []int32 {
	if !p.hashed {
		if len(p.zeros) < r.Prompt {
			p.zeros = make([]int32, r.Prompt)
		}
		return p.zeros[:r.Prompt]
	}
	ids := make([]int32, p.prefix+r.Prompt)
	for at := range p.prefix {
		ids[at] = math.MaxInt32
	}
	body := ids[p.prefix:]
	alone := ownToken(id(i))
	for at := range body {
		body[at] = alone
		if span := at / sim.HashSpan; span < len(r.Hashes) {
			body[at] = r.Hashes[span]
		}
	}
	return ids
}
