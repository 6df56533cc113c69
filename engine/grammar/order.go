package grammar

import "sort"

// tails marks calls that nothing follows, so that their callers need not be remembered.
func (b *builder) tails() {
	last := make([]int8, len(b.states)) // 1: an end and nothing else, -1: not
	var ends func(q int32) bool
	ends = func(q int32) bool {
		if last[q] != 0 {
			return last[q] > 0
		}
		last[q] = -1
		s := &b.states[q]
		if len(s.edges)+len(s.calls) > 0 || b.rules[s.rule].counted {
			return false
		}
		final := s.final
		for _, f := range s.free {
			if !ends(f) {
				return false
			}
			final = true
		}
		if final {
			last[q] = 1
		}
		return final
	}
	for q := range b.states {
		calls := b.states[q].calls
		for i := range calls {
			calls[i].tail = ends(calls[i].to)
		}
	}
}

// order numbers rules such that one that may begin with another comes first.
func (b *builder) order() {
	next := int32(len(b.rules))
	done := make([]bool, len(b.rules))
	type frame struct{ rule, at int32 }
	for r := range b.rules {
		if done[r] {
			continue
		}
		done[r] = true
		frames := []frame{{int32(r), 0}}
		for len(frames) > 0 {
			f := &frames[len(frames)-1]
			calls := b.states[b.rules[f.rule].start].calls
			if int(f.at) < len(calls) {
				to := calls[f.at].rule
				f.at++
				if !done[to] {
					done[to] = true
					frames = append(frames, frame{to, 0})
				}
				continue
			}
			next--
			b.rules[f.rule].order = next
			frames = frames[:len(frames)-1]
		}
	}
}

// classify groups bytes that no edge tells apart.
func (g *Grammar) classify() {
	var cut [257]bool
	seen := map[[2]byte]bool{}
	for q := range g.states {
		for _, e := range g.states[q].edges {
			if key := [2]byte{e.lo, e.hi}; !seen[key] {
				seen[key] = true
				cut[e.lo], cut[int(e.hi)+1] = true, true
			}
		}
	}
	var ranges [][2]byte
	for key := range seen {
		ranges = append(ranges, key)
	}
	sort.Slice(ranges, func(i, j int) bool {
		return ranges[i][0] < ranges[j][0] || ranges[i][0] == ranges[j][0] && ranges[i][1] < ranges[j][1]
	})
	kinds := map[string]byte{}
	for lo := 0; lo < 256; {
		hi := lo + 1
		for hi < 256 && !cut[hi] {
			hi++
		}
		key := make([]byte, (len(ranges)+7)/8)
		for i, r := range ranges {
			if int(r[0]) <= lo && lo <= int(r[1]) {
				key[i/8] |= 1 << (i % 8)
			}
		}
		kind, ok := kinds[string(key)]
		if !ok {
			kind = byte(len(g.sample))
			kinds[string(key)] = kind
			g.sample = append(g.sample, byte(lo))
		}
		for c := lo; c < hi; c++ {
			g.class[c] = kind
		}
		lo = hi
	}
}
