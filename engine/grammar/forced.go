package grammar

import "bytes"

// ForcedTokens spells what comes next whatever is chosen as tokens: those that encode gives, as far as no other token could
// reach beyond the forced text, for that is then a choice.
func (m *Matcher) ForcedTokens(encode func(text []byte) []int32) []int32 {
	rest := m.Forced()
	if len(rest) == 0 {
		return nil
	}
	tokens, c := encode(rest), m.Clone()
	for i, id := range tokens {
		text, ok := m.m.v.text(id)
		if !ok || !bytes.HasPrefix(rest, text) || c.reaches(rest) || !c.AcceptBytes(text) {
			return tokens[:i]
		}
		rest = rest[len(text):]
	}
	return tokens
}

// reaches tells whether a token may come that goes on behind text, which is what comes next whatever is chosen.
func (m *Matcher) reaches(text []byte) bool {
	v := m.m.v
	if len(text) >= v.longest {
		return false
	}
	from, end := int32(0), int32(len(v.nodes))
	for _, b := range text { // down the trie: what begins otherwise may not come
		for from < end && v.nodes[from].b != b {
			from = v.nodes[from].skip
		}
		if from >= end {
			return false
		}
		from, end = from+1, v.nodes[from].skip
	}
	if from == end {
		return false
	}
	behind := m.Clone()
	if !behind.AcceptBytes(text) {
		return true
	}
	m.m.mu.Lock()
	defer m.m.mu.Unlock()
	reached := m.m.anyToken(behind.t, from, end)
	return m.m.failed() != nil || reached
}

// anyToken tells whether a thread can take a token's bytes among some nodes of the trie.
func (m *machine) anyToken(t *thread, from, end int32) bool {
	nodes, depth := m.v.nodes, int(m.v.nodes[from].depth)
	m.stack[0] = m.current(t)
	for i := from; i < end; {
		n := &nodes[i]
		to := m.step(m.stack[int(n.depth)-depth], n.b)
		if to == m.dead {
			i = n.skip
			continue
		}
		if n.token >= 0 {
			return true
		}
		m.stack[int(n.depth)-depth+1] = to
		i++
	}
	return false
}
