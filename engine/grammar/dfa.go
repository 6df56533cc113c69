package grammar

import (
	"encoding/binary"
	"slices"
)

// dfa is a deterministic automaton over bytes. State 0 is its start; a next of 0 is none, for nothing leads to the start.
type dfa struct {
	next  [][256]int32
	final []bool
	limit int
	name  string
}

func (d *dfa) add() int32 {
	if len(d.next) >= d.limit {
		fail(d.name, "what must hold here at once needs more than %d states", d.limit)
	}
	d.next = append(d.next, [256]int32{})
	d.final = append(d.final, false)
	return int32(len(d.next) - 1)
}

// deterministic makes an automaton deterministic.
func (n *nfa) deterministic(limit int) *dfa {
	d := &dfa{limit: limit, name: n.name}
	known := map[string]int32{}
	var sets [][]int32
	visit := func(set []int32) int32 {
		seen := map[int32]bool{}
		final := false
		var all []int32
		for _, q := range set {
			if !seen[q] {
				n.reach(q, seen, func(q int32) {
					final = final || n.states[q].final
					if len(n.states[q].edges) > 0 {
						all = append(all, q)
					}
				})
			}
		}
		sortStates(all)
		key := make([]byte, 0, 4*len(all)+1)
		for _, q := range all {
			key = binary.LittleEndian.AppendUint32(key, uint32(q))
		}
		if final {
			key = append(key, 1)
		}
		at, ok := known[string(key)]
		if !ok {
			at = d.add()
			d.final[at] = final
			known[string(key)] = at
			sets = append(sets, all)
		}
		return at
	}
	d.add() // a start that nothing leads to
	sets = append(sets, nil)
	first := visit([]int32{0})
	var to [256][]int32
	for i := 1; i < len(sets); i++ {
		for b := range to {
			to[b] = to[b][:0]
		}
		for _, q := range sets[i] {
			for _, e := range n.states[q].edges {
				for b := int(e.lo); b <= int(e.hi); b++ {
					to[b] = append(to[b], e.to)
				}
			}
		}
		for b := range to {
			switch {
			case len(to[b]) == 0:
			case b > 0 && equalStates(to[b], to[b-1]):
				d.next[i][b] = d.next[i][b-1]
			default:
				d.next[i][b] = visit(to[b])
			}
		}
	}
	d.next[0], d.final[0] = d.next[first], d.final[first]
	return d
}

func sortStates(list []int32) {
	if len(list) > 64 {
		slices.Sort(list)
		return
	}
	for i := 1; i < len(list); i++ { // short and nearly sorted
		for j := i; j > 0 && list[j] < list[j-1]; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

func equalStates(a, b []int32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// and is the texts of d that belong to e, or that do not.
func (d *dfa) and(e *dfa, not bool) *dfa {
	const none = -1
	out := &dfa{limit: d.limit, name: d.name}
	at := map[[2]int32]int32{}
	var list [][2]int32
	visit := func(p, q int32) int32 {
		key := [2]int32{p, q}
		to, ok := at[key]
		if !ok {
			to = out.add()
			at[key] = to
			list = append(list, key)
			out.final[to] = d.final[p] && (q != none && e.final[q]) != not
		}
		return to
	}
	visit(0, 0)
	for i := 0; i < len(list); i++ {
		p, q := list[i][0], list[i][1]
		for b, to := range d.next[p] {
			if to == 0 {
				continue
			}
			other := int32(none)
			if q != none && e.next[q][b] != 0 {
				other = e.next[q][b]
			}
			if other != none || not {
				out.next[i][b] = visit(to, other)
			}
		}
	}
	return out
}

// nfa is the automaton without what leads nowhere, or nil if nothing belongs to it.
func (d *dfa) nfa(limit int) *nfa {
	live := d.live()
	if !live[0] {
		return nil
	}
	n := &nfa{limit: limit, name: d.name}
	at := make([]int32, len(d.next))
	for q := range d.next {
		if at[q] = -1; live[q] {
			at[q] = n.add(0)
			n.states[at[q]].final = d.final[q]
		}
	}
	for q := range d.next {
		if at[q] < 0 {
			continue
		}
		for b := 0; b < 256; {
			to := d.next[q][b]
			end := b + 1
			for end < 256 && d.next[q][end] == to {
				end++
			}
			if to != 0 && at[to] >= 0 {
				n.byte(at[q], byte(b), byte(end-1), at[to], false)
			}
			b = end
		}
	}
	return n
}

func (d *dfa) live() []bool {
	before := make([][]int32, len(d.next))
	for q := range d.next {
		last := int32(0)
		for _, to := range d.next[q] {
			if to != 0 && to != last {
				before[to] = append(before[to], int32(q))
				last = to
			}
		}
	}
	live := make([]bool, len(d.next))
	var todo []int32
	for q := range d.next {
		if d.final[q] {
			live[q] = true
			todo = append(todo, int32(q))
		}
	}
	for len(todo) > 0 {
		q := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, p := range before[q] {
			if !live[p] {
				live[p] = true
				todo = append(todo, p)
			}
		}
	}
	return live
}

// matches tells whether a text belongs to an automaton.
func (n *nfa) matches(text string) bool {
	var set []int32
	final := false
	closeOver := func(from []int32) {
		seen := map[int32]bool{}
		set, final = nil, false
		for _, q := range from {
			if !seen[q] {
				n.reach(q, seen, func(q int32) {
					set = append(set, q)
					final = final || n.states[q].final
				})
			}
		}
	}
	closeOver([]int32{0})
	for i := range len(text) {
		var to []int32
		for _, q := range set {
			for _, e := range n.states[q].edges {
				if e.lo <= text[i] && text[i] <= e.hi {
					to = append(to, e.to)
				}
			}
		}
		closeOver(to)
	}
	return final
}
