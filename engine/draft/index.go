package draft

// gram is how many tokens must agree for a place to be found.
const gram = 3

// candidates is how many places with the same last tokens are looked at, the latest first.
const candidates = 24

// longest is where a match is long enough not to look for a longer one.
const longest = 64

// index finds where the last tokens of a text came before: places by a hash of the gram tokens that end there, each linked to
// the one before it.
type index struct {
	heads  []int32 // [hash] 1 + the last place
	before []int32 // [place] 1 + the place before it with the same hash
}

func hash(tokens []int32, place int) uint32 {
	h := uint32(0)
	for _, token := range tokens[place+1-gram : place+1] {
		h = (h ^ uint32(token)) * 0x9E3779B1
		h ^= h >> 15
	}
	return h
}

// add takes the places up to a number of tokens in.
func (x *index) add(tokens []int32, upTo int) {
	if upTo > len(x.heads)/2 {
		size := 1 << 10
		for size < 2*upTo {
			size *= 2
		}
		x.heads = make([]int32, size)
		x.link(tokens, 0, len(x.before))
	}
	from := len(x.before)
	for range upTo - from {
		x.before = append(x.before, 0)
	}
	x.link(tokens, from, upTo)
}

func (x *index) link(tokens []int32, from, to int) {
	for place := max(from, gram-1); place < to; place++ {
		head := &x.heads[hash(tokens, place)&uint32(len(x.heads)-1)]
		x.before[place] = *head
		*head = int32(place) + 1
	}
}

// find gives the place behind the longest earlier text that equals the last tokens, of several the latest, and its length; 0
// where there is none. All tokens have been added.
func (x *index) find(tokens []int32) (next, length int) {
	last := len(tokens) - 1
	if last < gram {
		return 0, 0
	}
	place := int(x.before[last]) - 1
	for range candidates {
		if place < gram-1 {
			break
		}
		n := 0
		for n < min(longest, place+1) && tokens[place-n] == tokens[last-n] {
			n++
		}
		if n >= gram && n > length {
			next, length = place+1, n
		}
		if length == longest {
			break
		}
		place = int(x.before[place]) - 1
	}
	return next, length
}
