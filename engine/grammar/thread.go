package grammar

import (
	"encoding/binary"
	"sort"
)

// intern gives the one node of these entries.
func (m *machine) intern(entries []entry) *node {
	if len(entries) > 1 {
		sort.Slice(entries, func(i, j int) bool { return entries[i].before(entries[j]) })
		n := 1
		for _, e := range entries[1:] {
			if e != entries[n-1] {
				entries[n] = e
				n++
			}
		}
		entries = entries[:n]
	}
	key := m.key[:0]
	for _, e := range entries {
		key = config(e).key(key)
	}
	m.key = key
	if n, ok := m.nodes[string(key)]; ok {
		return n
	}
	m.ids++
	n := &node{id: m.ids, age: m.age, entries: append([]entry(nil), entries...)}
	for _, e := range entries {
		if e.min > 0 || e.max < unbounded || e.node != nil && e.node.counted {
			n.counted = true
		}
	}
	m.nodes[string(key)] = n
	m.used += 150 + 2*len(key)
	return n
}

func (e entry) before(f entry) bool { return config(e).before(config(f)) }

func (c config) id() uint32 {
	if c.node == nil {
		return 0
	}
	return c.node.id
}

func (c config) before(d config) bool {
	switch {
	case c.q != d.q:
		return c.q < d.q
	case c.id() != d.id():
		return c.id() < d.id()
	case c.min != d.min:
		return c.min < d.min
	}
	return c.max < d.max
}

func (c config) key(to []byte) []byte {
	to = binary.LittleEndian.AppendUint32(to, uint32(c.q))
	to = binary.LittleEndian.AppendUint32(to, c.id())
	to = binary.LittleEndian.AppendUint32(to, uint32(c.min))
	return binary.LittleEndian.AppendUint32(to, uint32(c.max))
}

// leave notes that the rule that a mask is made for may end, with what its count allowed more.
func (m *machine) leave(left int32) {
	for _, n := range m.leaves {
		if n == left {
			return
		}
	}
	m.leaves = append(m.leaves, left)
	for i := len(m.leaves) - 1; i > 0 && m.leaves[i] < m.leaves[i-1]; i-- {
		m.leaves[i], m.leaves[i-1] = m.leaves[i-1], m.leaves[i]
	}
}

// thread gives the one thread of these configurations.
func (m *machine) thread(configs []config, accept bool, left []int32) *thread {
	if len(configs) == 0 && !accept && len(left) == 0 {
		return m.dead
	}
	if len(configs) > 1 {
		sortConfigs(configs)
	}
	key := m.key[:0]
	if accept {
		key = append(key, 1)
	}
	for _, n := range left {
		key = config{q: leaving, max: n}.key(key)
	}
	for _, c := range configs {
		key = c.key(key)
	}
	m.key = key
	if t, ok := m.threads[string(key)]; ok {
		return t
	}
	t := &thread{age: m.age, accept: accept, left: append([]int32(nil), left...), configs: append([]config(nil), configs...)}
	for _, c := range configs {
		if c.min > 0 || c.max < unbounded || c.node.counted {
			t.counted = true
		}
	}
	t.next = make([]*thread, len(m.g.sample))
	m.threads[string(key)] = t
	m.used += 150 + 3*len(key) + 8*len(t.next)
	return t
}
