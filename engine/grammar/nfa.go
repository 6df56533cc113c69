package grammar

// nfa is automata over bytes that call one another: each rule has a start, and states of its own.
type nfa struct {
	states []state
	limits *budget
	name   string // of what is being built, for errors

	marks   []int32 // by state: the last turn of closure that met it
	turn    int32
	closing []int32
}

type state struct {
	free  []int32 // states that may be taken without a byte
	edges []edge
	calls []call
	final bool
	rule  int32
}

// edge is a step by one byte. A tick counts.
type edge struct {
	lo, hi byte
	tick   bool
	to     int32
}

// call is a step by a text of a rule, which counts from min to max by itself.
type call struct {
	rule, to int32
	min, max int32
	tick     bool
	tail     bool // nothing follows in this rule
}

// stateSteps is what a state costs until it is finished.
const stateSteps = 28

func (n *nfa) add(rule int32) int32 {
	if len(n.states) >= n.limits.States {
		fail(n.name, "the grammar needs more than %d states", n.limits.States)
	}
	n.limits.spend(stateSteps, n.name)
	n.states = append(n.states, state{rule: rule})
	return int32(len(n.states) - 1)
}

func (n *nfa) free(from, to int32) {
	if from != to {
		s := &n.states[from]
		s.free = append(s.free, to)
	}
}

func (n *nfa) byte(from int32, lo, hi byte, to int32, tick bool) {
	s := &n.states[from]
	s.edges = append(s.edges, edge{lo, hi, tick, to})
}

// runes adds a class. What ends alike shares its states.
func (n *nfa) runes(from int32, set runeSet, tick bool) int32 {
	out := n.add(n.states[from].rule)
	n.runesTo(from, out, set, tick)
	return out
}

func (n *nfa) runesTo(from, out int32, set runeSet, tick bool) {
	type suffix struct {
		lo, hi byte
		to     int32
	}
	var known map[suffix]int32
	rule := n.states[from].rule
	set.bytesOf(func(ranges [][2]byte) {
		to := out
		for i := len(ranges) - 1; i > 0; i-- {
			key := suffix{ranges[i][0], ranges[i][1], to}
			at, ok := known[key]
			if !ok {
				at = n.add(rule)
				if known == nil {
					known = map[suffix]int32{}
				}
				known[key] = at
				n.byte(at, key.lo, key.hi, to, false)
			}
			to = at
		}
		n.byte(from, ranges[0][0], ranges[0][1], to, tick)
	})
}

// include copies another automaton's states and returns where its first is now.
func (n *nfa) include(other *nfa, rule int32) int32 {
	base := int32(len(n.states))
	for range other.states {
		n.add(rule)
	}
	for i, s := range other.states {
		t := &n.states[base+int32(i)]
		t.final = s.final
		for _, f := range s.free {
			t.free = append(t.free, base+f)
		}
		for _, e := range s.edges {
			e.to += base
			t.edges = append(t.edges, e)
		}
	}
	return base
}

// closure is the states that may be had from some without a byte, themselves among them. It lasts until the next.
func (n *nfa) closure(from []int32) []int32 {
	if len(n.marks) < len(n.states) {
		n.marks = append(n.marks, make([]int32, len(n.states)-len(n.marks))...)
	}
	n.turn++
	list := n.closing[:0]
	for _, q := range from {
		if n.marks[q] != n.turn {
			n.marks[q] = n.turn
			list = append(list, q)
		}
	}
	for i := 0; i < len(list); i++ {
		for _, f := range n.states[list[i]].free {
			if n.marks[f] != n.turn {
				n.marks[f] = n.turn
				list = append(list, f)
			}
		}
	}
	n.closing = list
	return list
}
