package grammar

import (
	"encoding/binary"
	"slices"
	"sort"
)

// dfa is a deterministic automaton over bytes. State 0 is its start; a next of 0 is none, for nothing leads to the start.
type dfa struct {
	alphabet
	next   []int32 // by state and class
	final  []bool
	limits *budget
	name   string
}

// alphabet is ranges of bytes that an automaton does not tell apart, as classes.
type alphabet struct {
	class [256]uint8
	first []byte // of each class
}

// newAlphabet makes one of where a range begins.
func newAlphabet(cut *[257]bool) alphabet {
	var a alphabet
	for b := range 256 {
		if b == 0 || cut[b] {
			a.first = append(a.first, byte(b))
		}
		a.class[b] = uint8(len(a.first) - 1)
	}
	return a
}

// end is the byte behind a class.
func (a *alphabet) end(class int) int {
	if class+1 < len(a.first) {
		return int(a.first[class+1])
	}
	return 256
}

func (d *dfa) add() int32 {
	if len(d.final) >= d.limits.Deterministic {
		fail(d.name, "what must hold here at once needs more than %d states", d.limits.Deterministic)
	}
	d.limits.spend(8+len(d.first)/2, d.name)
	d.next = append(d.next, make([]int32, len(d.first))...)
	d.final = append(d.final, false)
	return int32(len(d.final) - 1)
}

// row is where a state goes, by class.
func (d *dfa) row(q int32) []int32 {
	width := len(d.first)
	return d.next[int(q)*width : (int(q)+1)*width]
}

func (d *dfa) set(from int32, b byte, to int32) { d.row(from)[d.class[b]] = to }

// deterministic makes an automaton deterministic.
func (n *nfa) deterministic() *dfa {
	var cut [257]bool
	for q := range n.states {
		for _, e := range n.states[q].edges {
			cut[e.lo], cut[int(e.hi)+1] = true, true
		}
	}
	d := &dfa{alphabet: newAlphabet(&cut), limits: n.limits, name: n.name}
	known := map[string]int32{}
	var sets [][]int32
	var key []byte
	visit := func(set []int32) int32 {
		final := false
		var all []int32
		closure := n.closure(set)
		n.limits.spend(len(set)/4+len(closure)+4, n.name)
		for _, q := range closure {
			final = final || n.states[q].final
			if len(n.states[q].edges) > 0 {
				all = append(all, q)
			}
		}
		sortStates(all)
		key = key[:0]
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
	to := make([][]int32, len(d.first))
	for i := int32(1); int(i) < len(sets); i++ {
		for c := range to {
			to[c] = to[c][:0]
		}
		steps := 0
		for _, q := range sets[i] {
			for _, e := range n.states[q].edges {
				lo, hi := d.class[e.lo], d.class[e.hi]
				for c := int(lo); c <= int(hi); c++ {
					to[c] = append(to[c], e.to)
				}
				steps += int(hi-lo) + 1
			}
		}
		d.limits.spend(steps/8, d.name)
		for c := range to {
			switch {
			case len(to[c]) == 0:
			case c > 0 && slices.Equal(to[c], to[c-1]):
				d.row(i)[c] = d.row(i)[c-1]
			default:
				at := visit(to[c])
				d.row(i)[c] = at
			}
		}
	}
	copy(d.row(0), d.row(first))
	d.final[0] = d.final[first]
	return d
}

func sortStates(list []int32) {
	if len(list) > 64 {
		sort.Slice(list, func(i, j int) bool { return list[i] < list[j] })
		return
	}
	for i := 1; i < len(list); i++ { // short and nearly sorted
		for j := i; j > 0 && list[j] < list[j-1]; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// and is the texts of d that belong to e, or that do not.
func (d *dfa) and(e *dfa, not bool) *dfa {
	const none = -1
	var cut [257]bool
	for b := 1; b < 256; b++ {
		cut[b] = d.class[b] != d.class[b-1] || e.class[b] != e.class[b-1]
	}
	out := &dfa{alphabet: newAlphabet(&cut), limits: d.limits, name: d.name}
	at := map[[2]int32]int32{}
	var list [][2]int32
	visit := func(key [2]int32) int32 {
		to, ok := at[key]
		if !ok {
			to = out.add()
			at[key] = to
			list = append(list, key)
			out.final[to] = d.final[key[0]] && (key[1] != none && e.final[key[1]]) != not
		}
		return to
	}
	visit([2]int32{})
	for i := int32(0); int(i) < len(list); i++ {
		p, q := list[i][0], list[i][1]
		last, steps := [2]int32{}, 0
		for c, b := range out.first {
			key := [2]int32{d.row(p)[d.class[b]], none}
			if key[0] == 0 {
				last = key
				continue
			}
			if q != none {
				if to := e.row(q)[e.class[b]]; to != 0 {
					key[1] = to
				}
			}
			switch {
			case key[1] == none && !not:
			case c > 0 && key == last:
				out.row(i)[c] = out.row(i)[c-1]
			default:
				to := visit(key)
				out.row(i)[c] = to
				steps++
			}
			last = key
		}
		out.limits.spend(4*steps, out.name)
	}
	return out
}

// nfa is the automaton without what leads nowhere, or nil if nothing belongs to it.
func (d *dfa) nfa() *nfa {
	live := d.live()
	if !live[0] {
		return nil
	}
	n := &nfa{limits: d.limits, name: d.name}
	at := make([]int32, len(d.final))
	for q := range at {
		if at[q] = -1; live[q] {
			at[q] = n.add(0)
			n.states[at[q]].final = d.final[q]
		}
	}
	for q := range at {
		if at[q] < 0 {
			continue
		}
		row := d.row(int32(q))
		for c := 0; c < len(row); {
			end := c + 1
			for end < len(row) && row[end] == row[c] {
				end++
			}
			if row[c] != 0 && at[row[c]] >= 0 {
				n.byte(at[q], d.first[c], byte(d.end(end-1)-1), at[row[c]], false)
			}
			c = end
		}
	}
	return n
}

func (d *dfa) live() []bool {
	before := make([][]int32, len(d.final))
	for q := range before {
		last := int32(0)
		for _, to := range d.row(int32(q)) {
			if to != 0 && to != last {
				before[to] = append(before[to], int32(q))
				last = to
			}
		}
	}
	live := make([]bool, len(d.final))
	var todo []int32
	for q := range live {
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
	set := n.closure([]int32{0})
	var to []int32
	steps := 0
	for i := 0; i < len(text) && len(set) > 0; i++ {
		if steps += 2 * len(set); steps > betweenPauses {
			n.limits.spend(steps/8, n.name)
			steps = 0
		}
		to = to[:0]
		for _, q := range set {
			for _, e := range n.states[q].edges {
				if e.lo <= text[i] && text[i] <= e.hi {
					to = append(to, e.to)
				}
			}
		}
		set = n.closure(to)
	}
	n.limits.spend(steps/8+4, n.name)
	for _, q := range set {
		if n.states[q].final {
			return true
		}
	}
	return false
}
