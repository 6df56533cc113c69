package grammar

// local is what is known of some states of a broad rule, whoever called it: the tokens that stay in it or just end it, and
// how others go on behind its end. Both by what the rule's count must be for that, so that one walk of the trie serves all
// counts.
type local struct {
	inside []inside
	exits  []exit
}

// inside is tokens behind which a rule is in the same states.
type inside struct {
	ends   []counted // each of them will do
	ended  []int32   // the rule has ended behind so many ticks
	tokens *mask
	name   uint64 // of the tokens, see Next.Set; 0: none yet
}

// counted is a state, and how many ticks it took to come there.
type counted struct{ q, ticks int32 }

// exit is how tokens go on if the rule ends inside them, behind so many ticks.
type exit struct {
	ticks int32
	rest  []restNode
}

// restNode is a node of the trie of what follows the end of a rule in tokens, in the order of trieNode.
type restNode struct {
	skip   int32
	depth  uint16
	b      byte
	tokens []int32
	name   uint64 // of the tokens
}

// plenty is a maximum that no token reaches.
const plenty = 1 << 30

// inside adds the tokens of a group whose callers are these, and returns how many nodes it took.
func (m *machine) inside(g *group, callers *node, dst []uint32) (nodes int) {
	l := m.local(g.states)
	low, high := g.min, g.max
	within := func(ticks int32) bool { return low <= ticks && ticks <= high }
	for i := range l.inside {
		in := &l.inside[i]
		ok := false
		for _, e := range in.ends {
			left := high
			if high < unbounded {
				left -= e.ticks
			}
			if ok = left >= 0 && m.viable(e.q, max(low-e.ticks, 0), left); ok {
				break
			}
		}
		for _, ticks := range in.ended {
			ok = ok || within(ticks)
		}
		if ok {
			in.tokens.into(dst)
		}
	}
	for _, e := range l.exits {
		if within(e.ticks) {
			nodes += m.walkRest(m.after(callers), e.rest, dst)
		}
	}
	return nodes
}

// local finds what is known of some states of a rule, or finds it out.
func (m *machine) local(states []int32) *local {
	key := make([]byte, 0, 16*len(states))
	for _, q := range states {
		key = config{q: q}.key(key)
	}
	if l := m.locals[string(key)]; l != nil {
		return l
	}
	start := make([]config, len(states))
	counts := m.g.rules[m.g.states[states[0]].rule].counted
	for i, q := range states {
		start[i] = config{q: q, max: unbounded, node: m.bottom}
		if counts {
			start[i].max = plenty
		}
	}
	l := m.explore(m.thread(start, false, nil), len(m.v.nodes))
	m.locals[string(key)] = l
	for _, in := range l.inside {
		m.kept += in.tokens.bytes() + 80
	}
	for _, e := range l.exits {
		m.kept += 48 * len(e.rest)
	}
	return l
}

// walkedBetweenPauses is how many nodes of the trie are walked between pauses.
const walkedBetweenPauses = 30_000

// explore walks the trie from states of a rule. It finds nothing where that takes more steps than most.
func (m *machine) explore(t *thread, most int) *local {
	l := &local{}
	groups := map[*thread]int{}
	var tokens [][]int32
	exits := map[int32][]int32{} // by ticks: the nodes of the trie
	var order []int32
	last, group := (*thread)(nil), 0
	nodes := m.v.nodes
	m.stack[0] = t
	for i, steps := 0, 0; i < len(nodes); steps++ {
		if m.pause != nil && steps%walkedBetweenPauses == 0 {
			m.pause()
		}
		if steps > most {
			return &local{}
		}
		n := &nodes[i]
		to := m.step(m.stack[n.depth], n.b)
		if to == m.dead {
			i = int(n.skip)
			continue
		}
		if n.token >= 0 {
			if to != last {
				known := false
				if group, known = groups[to]; !known {
					group = len(l.inside)
					groups[to] = group
					l.inside = append(l.inside, m.insideOf(to))
					tokens = append(tokens, nil)
				}
				last = to
			}
			tokens[group] = append(tokens[group], n.token)
			if n.more {
				tokens[group] = append(tokens[group], m.v.same[n.token]...)
			}
		}
		m.stack[n.depth+1] = to
		i++
		if i < int(n.skip) {
			for _, left := range to.left {
				ticks := used(left)
				if exits[ticks] == nil {
					order = append(order, ticks)
				}
				exits[ticks] = append(exits[ticks], int32(i-1))
			}
		}
	}
	for i, list := range tokens {
		l.inside[i].tokens = m.v.pack(list)
	}
	for _, ticks := range order {
		l.exits = append(l.exits, exit{ticks, m.v.rest(nil, exits[ticks], 0)})
	}
	return l
}

// used is how many ticks have been taken of plenty.
func used(left int32) int32 {
	if left == unbounded {
		return 0
	}
	return plenty - left
}

func (m *machine) insideOf(t *thread) inside {
	var in inside
	for _, c := range t.configs {
		in.ends = append(in.ends, counted{c.q, used(c.max)})
	}
	for _, left := range t.left {
		in.ended = append(in.ended, used(left))
	}
	return in
}

// pack makes a mask of a list of tokens.
func (v *Vocabulary) pack(list []int32) *mask {
	if len(list) <= few {
		return &mask{list: list}
	}
	bits := make([]uint32, v.MaskWords())
	for _, id := range list {
		bits[id>>5] |= 1 << (id & 31)
	}
	return &mask{bits: bits}
}

// rest joins what is below some nodes of the trie.
func (v *Vocabulary) rest(out []restNode, parents []int32, depth uint16) []restNode {
	below := map[byte][]int32{}
	var order []byte
	for _, p := range parents {
		for i := p + 1; i < v.nodes[p].skip; i = v.nodes[i].skip {
			b := v.nodes[i].b
			if below[b] == nil {
				order = append(order, b)
			}
			below[b] = append(below[b], i)
		}
	}
	for _, b := range order {
		at := len(out)
		out = append(out, restNode{depth: depth, b: b})
		var tokens []int32
		for _, i := range below[b] {
			if id := v.nodes[i].token; id >= 0 {
				tokens = append(append(tokens, id), v.same[id]...)
			}
		}
		out = v.rest(out, below[b], depth+1)
		out[at].tokens, out[at].skip = tokens, int32(len(out))
	}
	return out
}

// aheadThreads is how many threads of broad rules are looked at before the first mask is asked for.
const aheadThreads = 30

// ahead finds out, before a mask is asked for, what most of the vocabulary does in broad rules: in their first states, and
// in those that come soon.
func (m *machine) ahead() {
	seen := map[*thread]bool{}
	var todo []*thread
	for r := range m.g.rules {
		if m.g.rules[r].broad && len(todo) < aheadThreads {
			todo = append(todo, m.close(nil, []pending{{rule: int32(r), max: unbounded, entries: m.bottom.entries}}))
		}
	}
	for i := 0; m.failed() == nil && i < len(todo) && i < aheadThreads; i++ { // what fails is found again where it matters
		t := todo[i]
		if len(t.configs) == 0 || seen[t] {
			continue
		}
		seen[t] = true
		states := make([]int32, len(t.configs))
		for i, c := range t.configs {
			states[i] = c.q
		}
		m.local(states)
		for class := range m.g.sample {
			if to := m.step(t, m.g.sample[class]); !seen[to] && len(todo) < 4*aheadThreads {
				todo = append(todo, to)
			}
		}
	}
}
