package paging

// Fork makes a second table, its Sequence yet to be set, that shares every block of t, the partial one too; the first write into a shared block
// copies it. Copies read only what earlier steps wrote: a partial block that the open step writes is not shared, and the
// fork's Tokens say how far it goes. ErrWrittenNow says that a window leaves no such fork: ask after the step.
func (m *Manager) Fork(t *BlockTable) (*BlockTable, error) {
	if t.live == unlinked {
		return nil, ErrTable
	}
	f := &BlockTable{
		ids: make([][]int32, len(t.ids)), left: append([]int(nil), t.left...), tokens: t.tokens, published: t.published,
		root: t.root, live: unlinked,
	}
	share := t.Len()
	if at := t.tokens / m.size; t.tokens%m.size != 0 {
		for g := range t.ids {
			if m.pool.blocks[t.ids[g][at]].written == m.step {
				share, f.tokens = at, at*m.size
			}
		}
	}
	if m.leftWindow(t, f.tokens) || m.states != nil && m.states.slots[t.state].written == m.step {
		return nil, ErrWrittenNow
	}
	f.hashes = append(f.hashes, t.hashes[:min(len(t.hashes), f.tokens/m.size)]...)
	for g := range t.ids {
		f.ids[g] = append(f.ids[g], t.ids[g][:share]...)
		for _, id := range f.ids[g] {
			if id != NullBlock {
				m.pool.ref(id)
			}
		}
	}
	if m.states != nil {
		m.setState(f, t.state)
		for _, k := range t.kept {
			m.states.slots[k.slot].kept++
			f.kept = append(f.kept, k)
		}
	}
	m.enlist(f)
	m.pool.tell(Event{Kind: Forked, Sequence: t.Sequence})
	return f, nil
}

// leftWindow says whether a query at position at would see blocks that t has given back.
func (m *Manager) leftWindow(t *BlockTable, at int) bool {
	for g, group := range m.groups {
		if group.firstBlock(at, m.size) < t.left[g] && t.left[g] > group.sinkBlocks(m.size) {
			return true
		}
	}
	return false
}

// Truncate drops the last n tokens; of a sequence with a state as many more as lie behind the last state that is kept. Blocks
// behind the new end go back; a published block that the next write would
// change is hidden then, or copied where it is shared. ErrLeftWindow changes nothing.
func (m *Manager) Truncate(t *BlockTable, n int) error {
	if t.live == unlinked || n < 0 || n > t.tokens {
		return ErrTable
	}
	tokens := t.tokens - n
	slot := t.state
	if m.states != nil && n > 0 {
		tokens, slot = m.earlier(t, tokens)
	}
	if m.leftWindow(t, tokens) {
		return ErrLeftWindow
	}
	if m.states != nil && n > 0 {
		m.setState(t, slot)
		m.unkeepFrom(t, tokens)
	}
	m.drop(t, m.blocksFor(tokens))
	t.tokens = tokens
	full := tokens / m.size
	t.published = min(t.published, full)
	t.hashes = t.hashes[:min(len(t.hashes), full)]
	if rows := tokens % m.size; rows != 0 {
		for g := range t.ids {
			if id := t.ids[g][full]; m.pool.blocks[id].refs == 1 {
				m.pool.setUsed(id, rows)
			}
		}
	}
	return nil
}
