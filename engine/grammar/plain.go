package grammar

// A mask depends on a count only if a token can reach its end. plain makes counts that are further away the same, so that
// all places inside a long text or list share one mask. Where a token leads depends on it only if a second token can reach its end, too.

// horizon is how many tokens counts stay apart for.
type horizon int

const (
	oneToken  horizon = iota // masks
	twoTokens                // where tokens lead
	horizons
)

// plainCounts gives the counts that stand for these. Over so many tokens' length they behave the same.
func (m *machine) plainCounts(q, low, high int32, o horizon) (int32, int32) {
	if q < 0 || low == 0 && high == unbounded {
		return low, high
	}
	l := m.g.rules[m.g.states[q].rule].lengths
	if l == nil {
		return 0, unbounded
	}
	window := (1+int32(o))*int32(m.v.longest) + l.window() + 1
	if high < unbounded && high-low > window && high > window {
		high = unbounded
	}
	if low > window {
		down := low - window
		down -= down % int32(l.period)
		low -= down
		if high < unbounded {
			high -= down
		}
	}
	return low, high
}

func (m *machine) plainNode(n *node, o horizon) *node {
	if !n.counted {
		return n
	}
	if p := n.plain[o]; p != nil && p.age == m.age {
		return p
	}
	entries := make([]entry, len(n.entries))
	for i, e := range n.entries {
		e.min, e.max = m.plainCounts(e.q, e.min, e.max, o)
		if e.node != nil {
			e.node = m.plainNode(e.node, o)
		}
		entries[i] = e
	}
	p := m.intern(entries)
	n.plain[o], p.plain[o] = p, p
	return p
}

func (m *machine) plainThread(t *thread, o horizon) *thread {
	if !t.counted {
		return t
	}
	if p := t.plain[o]; p != nil && p.age == m.age {
		return p
	}
	configs := make([]config, len(t.configs))
	for i, c := range t.configs {
		c.min, c.max = m.plainCounts(c.q, c.min, c.max, o)
		c.node = m.plainNode(c.node, o)
		configs[i] = c
	}
	p := m.thread(distinct(configs), t.accept, t.left)
	t.plain[o], p.plain[o] = p, p
	return p
}

// distinct sorts configurations and keeps one of each.
func distinct(list []config) []config {
	sortConfigs(list)
	n := 0
	for i, c := range list {
		if i == 0 || c != list[n-1] {
			list[n] = c
			n++
		}
	}
	return list[:n]
}

// current takes a thread of before the last forget into the tables again.
func (m *machine) current(t *thread) *thread {
	if m.used > m.g.limits.Memory {
		m.forget()
	}
	if t.age == m.age || t == m.dead {
		return t
	}
	known := map[*node]*node{}
	var again func(n *node) *node
	again = func(n *node) *node {
		if n == nil || n.age == m.age {
			return n
		}
		if at, ok := known[n]; ok {
			return at
		}
		entries := make([]entry, len(n.entries))
		for i, e := range n.entries {
			e.node = again(e.node)
			entries[i] = e
		}
		known[n] = m.intern(entries)
		return known[n]
	}
	configs := make([]config, len(t.configs))
	for i, c := range t.configs {
		c.node = again(c.node)
		configs[i] = c
	}
	return m.thread(configs, t.accept, t.left)
}
