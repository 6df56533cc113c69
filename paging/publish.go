package paging

// Publish lets others find t's full blocks whose tokens are all known. The scheduler calls it when tokens land.
func (m *Manager) Publish(t *BlockTable, known []int32) {
	if t.live != unlinked {
		m.publish(t, known)
	}
}

func (m *Manager) publish(t *BlockTable, known []int32) {
	full := min(t.tokens, len(known)) / m.size
	if !m.cache || full <= t.published {
		return
	}
	m.hash(t, known, full)
	for i := t.published; i < full; i++ {
		for g := range m.groups {
			id := t.ids[g][i]
			if id != NullBlock && !m.pool.blocks[id].cached {
				m.pool.publish(t.Sequence, id, g, &t.hashes[i], t.parent(i), known[i*m.size:(i+1)*m.size])
			}
		}
	}
	t.published = full
	if m.states != nil {
		m.publishSnapshots(t)
	}
}

func (t *BlockTable) parent(i int) *Hash {
	if i == 0 {
		return &t.root
	}
	return &t.hashes[i-1]
}

// hash extends t's chain to the given number of blocks.
func (m *Manager) hash(t *BlockTable, known []int32, blocks int) {
	for i := len(t.hashes); i < blocks; i++ {
		var h Hash
		tokens := known[i*m.size : (i+1)*m.size]
		h, m.scratch = chain(t.parent(i), tokens, m.scratch)
		t.hashes = append(t.hashes, h)
		if t.live == unlinked {
			t.asked = append(t.asked, tokens...)
		}
	}
}

// recall keeps of an empty table's chain what is of these tokens: it may have been asked about others before.
func (m *Manager) recall(t *BlockTable, tokens []int32) {
	n := 0
	for n < min(len(t.asked), len(tokens)) && t.asked[n] == tokens[n] {
		n++
	}
	t.hashes = t.hashes[:n/m.size]
	t.asked = t.asked[:len(t.hashes)*m.size]
}

// bind drops of the chain of a table that was empty what is behind its full blocks: those tokens may yet change.
func (m *Manager) bind(t *BlockTable) {
	t.hashes = t.hashes[:t.published]
	t.asked = t.asked[:0]
}
