package grammar

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
		m.used += 4 * len(bits)
		return out
	}
	for i, w := range bits {
		for ; w != 0; w &= w - 1 {
			out.list = append(out.list, int32(i*32+trailing(w)))
		}
	}
	m.used += 4*len(out.list) + 48
	return out
}

func (k *mask) into(dst []uint32) {
	for i, w := range k.bits {
		dst[i] |= w
	}
	for _, id := range k.list {
		dst[id>>5] |= 1 << (id & 31)
	}
}

// local is what is known of a state of a broad rule, whoever called it: the tokens that go on or end in it, and how they go
// on behind its end.
type local struct {
	mask *mask
	rest []restNode
}

// restNode is a node of the trie of what follows the end of a rule in tokens, in the order of trieNode.
type restNode struct {
	skip   int32
	depth  uint16
	b      byte
	tokens []int32
}

// mask sets the bits of a thread's tokens in dst, which is empty.
func (m *machine) mask(t *thread, dst []uint32) {
	t = m.plainThread(m.current(t))
	if t.mask == nil {
		m.fill(t, dst)
		t.mask = m.pack(dst)
		return
	}
	t.mask.into(dst)
}

func (m *machine) fill(t *thread, dst []uint32) {
	var direct []config
	groups := map[*node][]config{}
	var nodes []*node
	for _, c := range t.configs {
		if c.node == m.root || !m.g.rules[m.g.states[c.q].rule].broad {
			direct = append(direct, c)
			continue
		}
		if groups[c.node] == nil {
			nodes = append(nodes, c.node)
		}
		groups[c.node] = append(groups[c.node], c)
	}
	for _, n := range nodes {
		l := m.local(groups[n])
		l.mask.into(dst)
		m.walkRest(m.after(n), l.rest, dst)
	}
	if len(direct) > 0 {
		m.walk(m.thread(direct, false, false), dst, nil)
	}
}

// walk takes the trie's bytes from a thread on and allows the tokens that it can take. exit is called where the thread may
// leave its rule inside a token.
func (m *machine) walk(t *thread, dst []uint32, exit func(node int)) {
	nodes := m.v.nodes
	m.stack[0] = t
	for i := 0; i < len(nodes); {
		n := &nodes[i]
		to := m.step(m.stack[n.depth], n.b)
		if to == m.dead {
			i = int(n.skip)
			continue
		}
		m.v.allow(dst, n)
		m.stack[n.depth+1] = to
		i++
		if to.leave && i < int(n.skip) {
			exit(i - 1)
		}
	}
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

func (m *machine) walkRest(t *thread, rest []restNode, dst []uint32) {
	m.stack[0] = t
	for i := 0; i < len(rest); {
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
}

// local finds what is known of some states of a rule, or finds it out.
func (m *machine) local(configs []config) *local {
	inside := make([]config, len(configs))
	key := make([]byte, 0, 16*len(configs))
	for i, c := range configs {
		c.node = m.bottom
		inside[i] = c
		key = c.key(key)
	}
	if l := m.locals[string(key)]; l != nil {
		return l
	}
	l := &local{}
	bits := make([]uint32, m.v.MaskWords())
	var exits []int32
	m.walk(m.thread(inside, false, false), bits, func(node int) { exits = append(exits, int32(node)) })
	l.mask = m.pack(bits)
	l.rest = m.v.rest(nil, exits, 0)
	m.used += 40 * len(l.rest)
	m.locals[string(key)] = l
	return l
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
