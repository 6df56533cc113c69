package tokenizer

import "hash/maphash"

// index finds texts by what they say: open addressing over the list that holds them, since a map of 100,000 and more takes the tab longer
// to make than anything else in a file's header.
type index struct {
	texts []string
	slots []int32 // 1 + a text's place; 0: empty
	by    uint64
}

func newIndex(texts []string) *index {
	return &index{texts: texts, slots: make([]int32, roomFor(len(texts))), by: multiplier()}
}

// roomFor is a power of two of which n fill two thirds at most.
func roomFor(n int) int {
	size := 2
	for size < n+n/2+1 {
		size *= 2
	}
	return size
}

// multiplier is a random odd number, so that no file can be written to have its texts meet in one slot.
func multiplier() uint64 { return maphash.String(maphash.MakeSeed(), "") | 1 }

// hash takes in a byte after another, in loops that call nothing: the tab's compiler inlines nothing, and there are a million texts. Without
// the shift, those that Thue and Morse found would have one hash whatever the multiplier is.
func (x *index) hash(left, right string) uint64 {
	h, by := uint64(len(left)+len(right)), x.by
	for i := range len(left) {
		h = (h + uint64(left[i])) * by
		h ^= h >> 32
	}
	for i := range len(right) {
		h = (h + uint64(right[i])) * by
		h ^= h >> 32
	}
	return spread(h)
}

func spread(h uint64) uint64 {
	h ^= h >> 32
	h *= 0x9E3779B97F4A7C15
	return h ^ h>>29
}

// put has a text found from now on; of two that say the same, the later. It gives the one before.
func (x *index) put(id int32) (before int32, twice bool) {
	text, last := x.texts[id], uint64(len(x.slots)-1)
	for at := x.hash(text, "") & last; ; at = (at + 1) & last {
		before = x.slots[at] - 1
		if before >= 0 && x.texts[before] != text {
			continue
		}
		x.slots[at] = id + 1
		return before, before >= 0
	}
}

// get gives the place of a text.
func (x *index) get(text string) (int32, bool) { return x.joined(text, "") }

// joined gives the place of the text that two make.
func (x *index) joined(left, right string) (int32, bool) {
	last := uint64(len(x.slots) - 1)
	for at := x.hash(left, right) & last; ; at = (at + 1) & last {
		id := x.slots[at] - 1
		if id < 0 {
			return 0, false
		}
		if x.says(id, left, right) {
			return id, true
		}
	}
}

// says tells whether a place's text is what two make.
func (x *index) says(id int32, left, right string) bool {
	if id < 0 || int(id) >= len(x.texts) {
		return false
	}
	t := x.texts[id]
	return len(t) == len(left)+len(right) && t[:len(left)] == left && t[len(left):] == right
}

// pairs finds what pairs of tokens merge into, as index does texts.
type pairs struct {
	slots []pair
	by    uint64
}

type pair struct {
	key uint64 // 1 + the pair's; 0: empty
	merge
}

func newPairs(n int) *pairs { return &pairs{slots: make([]pair, roomFor(n)), by: multiplier()} }

// slot is where a pair is, or would go.
func (p *pairs) slot(left, right int32) *pair {
	key, last := pairKey(left, right)+1, uint64(len(p.slots)-1)
	for at := spread(key*p.by) & last; ; at = (at + 1) & last {
		if s := &p.slots[at]; s.key == key || s.key == 0 {
			return s
		}
	}
}

// put says what a pair merges into, unless that was said before.
func (p *pairs) put(left, right int32, m merge) {
	if s := p.slot(left, right); s.key == 0 {
		*s = pair{pairKey(left, right) + 1, m}
	}
}

func (p *pairs) get(left, right int32) (merge, bool) {
	s := p.slot(left, right)
	return s.merge, s.key != 0
}
