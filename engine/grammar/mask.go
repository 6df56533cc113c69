package grammar

import "slices"

// mask is what tokens a thread allows: as bits, or if there are few, as a list.
type mask struct {
	bits []uint32
	list []int32
}

// few is how many tokens are kept as a list.
const few = 512

func (m *machine) pack(bits []uint32) *mask {
	n := 0
	for _, w := range bits {
		for ; w != 0 && n <= few; w &= w - 1 {
			n++
		}
	}
	out := &mask{}
	if n > few {
		out.bits = append([]uint32(nil), bits...)
		return out
	}
	for i, w := range bits {
		for ; w != 0; w &= w - 1 {
			out.list = append(out.list, int32(i*32+trailing(w)))
		}
	}
	return out
}

func (k *mask) bytes() int { return 48 + 4*len(k.bits) + 4*len(k.list) }

// into adds the tokens of a mask.
func (k *mask) into(dst []uint32) {
	if len(k.bits) > 0 {
		dst = dst[:len(k.bits)]
		for i, w := range k.bits {
			dst[i] |= w
		}
	}
	for _, id := range k.list {
		dst[id>>5] |= 1 << (id & 31)
	}
}

// mask sets the bits of a thread's tokens in dst, which is empty.
func (m *machine) mask(t *thread, dst []uint32) {
	t = m.plainThread(m.current(t), oneToken)
	if t.mask != nil {
		if copy(dst, t.mask.bits) == 0 {
			t.mask.into(dst)
		}
		return
	}
	if m.fill(t, dst) > cheap {
		t.mask = m.pack(dst)
		m.used += t.mask.bytes()
	}
}

// cheap is how many nodes of the trie are walked again rather than their outcome kept.
const cheap = 20

// fill makes a thread's mask and returns how many nodes it took.
func (m *machine) fill(t *thread, dst []uint32) (nodes int) {
	var direct []config
	var groups []group
	for _, c := range t.configs {
		if c.node == m.root || !m.g.rules[m.g.states[c.q].rule].broad {
			direct = append(direct, c)
			continue
		}
		groups = m.grouped(groups, c)
	}
	// Calls whose rules are in the same states, with the same counts, differ only behind their ends.
	for i := range groups {
		g := &groups[i]
		if g.taken {
			continue
		}
		entries := append([]entry(nil), g.node.entries...)
		callers := g.node
		for j := i + 1; j < len(groups); j++ {
			if h := &groups[j]; !h.taken && h.like(g) {
				h.taken = true
				entries = append(entries, h.node.entries...)
				callers = nil
			}
		}
		if callers == nil {
			callers = m.intern(entries)
		}
		nodes += m.inside(g, callers, dst)
	}
	if len(direct) > 0 {
		nodes += m.walk(m.thread(direct, false, nil), dst)
	}
	return nodes
}

// group is the states of one call of a broad rule.
type group struct {
	rule, min, max int32
	node           *node
	states         []int32
	taken          bool
}

func (m *machine) grouped(list []group, c config) []group {
	r := m.g.states[c.q].rule
	for i := len(list) - 1; i >= 0; i-- {
		if g := &list[i]; g.node == c.node && g.rule == r && g.min == c.min && g.max == c.max {
			g.states = append(g.states, c.q)
			return list
		}
	}
	return append(list, group{rule: r, min: c.min, max: c.max, node: c.node, states: []int32{c.q}})
}

func (g *group) like(h *group) bool {
	return g.rule == h.rule && g.min == h.min && g.max == h.max && slices.Equal(g.states, h.states)
}

// walk takes the trie's bytes from a thread on and allows the tokens that it can take.
func (m *machine) walk(t *thread, dst []uint32) (steps int) {
	nodes := m.v.nodes
	m.stack[0] = t
	for i := 0; i < len(nodes); steps++ {
		n := &nodes[i]
		to := m.step(m.stack[n.depth], n.b)
		if to == m.dead {
			i = int(n.skip)
			continue
		}
		m.v.allow(dst, n)
		m.stack[n.depth+1] = to
		i++
	}
	return steps
}

// after is the thread behind the end of a rule that a node's callers called.
func (m *machine) after(n *node) *thread {
	if n.after == nil || n.after.age != m.age && n.after != m.dead {
		from := make([]config, len(n.entries))
		for i, e := range n.entries {
			from[i] = config(e)
		}
		n.after = m.close(from, nil)
	}
	return n.after
}

func (m *machine) walkRest(t *thread, rest []restNode, dst []uint32) (steps int) {
	m.stack[0] = t
	for i := 0; i < len(rest); steps++ {
		n := &rest[i]
		to := m.step(m.stack[n.depth], n.b)
		if to == m.dead {
			i = int(n.skip)
			continue
		}
		for _, id := range n.tokens {
			dst[id>>5] |= 1 << (id & 31)
		}
		m.stack[n.depth+1] = to
		i++
	}
	return steps
}
