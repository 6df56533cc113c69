package paging

// Hold gives an empty table the cached blocks of the longest prefix of tokens that all groups can serve, the last token
// included, so that they stay. It gives the number of tokens held, and takes no new block. The steps so far have filled
// what it holds: it may be read at once.
func (m *Manager) Hold(t *BlockTable, tokens []int32) (int, error) {
	if t.live != unlinked || t.swapped {
		return 0, ErrTable
	}
	blocks := m.matchBlocks(t, tokens, len(tokens)/m.size)
	for again := true; again; {
		if n := m.filled(blocks); n < blocks {
			blocks = m.matchBlocks(t, tokens, n)
			continue
		}
		again = false
	}
	if blocks > 0 {
		m.revive(t, blocks)
		m.bind(t)
	}
	return t.tokens, nil
}

// filled gives how many of the first blocks of the last match need no move of the open step.
func (m *Manager) filled(blocks int) int {
	for i := range blocks {
		for g := range m.found {
			if id := m.found[g][i]; id != NullBlock && m.pool.blocks[id].coming {
				return i
			}
		}
	}
	return blocks
}

// Load is Hold, and, with a prefix cache, takes new blocks for as many whole blocks of tokens behind the held ones as
// there are free ones. They count as published: the caller fills them at once, before the open step is submitted. So
// none of them is a block that a swap-out of that step has yet to read. Where sequences have a state it takes blocks for all of
// tokens or for none, and a slot for the state behind them, to be filled likewise. It gives the number of tokens held.
func (m *Manager) Load(t *BlockTable, tokens []int32) (held int, err error) {
	held, err = m.Hold(t, tokens)
	if err != nil || !m.cache {
		return held, err
	}
	wanted := (len(tokens) - held) / m.size
	idle := m.pool.idle(wanted * len(m.groups))
	blocks := len(idle) / len(m.groups)
	if blocks == 0 || m.states != nil && (blocks < wanted || !m.states.canTake()) {
		return held, nil
	}
	m.enlist(t)
	if m.states != nil {
		m.loadState(t)
	}
	t.tokens += blocks * m.size
	for i, id := range idle[:blocks*len(m.groups)] {
		m.pool.takeID(id)
		m.pool.setUsed(id, m.size)
		m.pool.blocks[id].written = m.step - 1 // the open step finds it filled, as if the one before had done it
		t.ids[i%len(m.groups)] = append(t.ids[i%len(m.groups)], id)
	}
	m.publish(t, tokens[:t.tokens])
	m.bind(t)
	m.Snapshot(t, false)
	return held, nil
}

// loadState gives t a slot that the caller fills at once.
func (m *Manager) loadState(t *BlockTable) {
	id := m.takeState()
	m.states.unref(t.state)
	t.state = id
	m.states.slots[id].written = m.step - 1
}

// idle lists free blocks that no swap-out of the open step reads, at most so many, the next to be given out first.
func (p *BlockPool) idle(limit int) []int32 {
	ids := p.queue.IDs()
	n := 0
	for _, id := range ids {
		if n == limit {
			break
		}
		if !p.blocks[id].leaving {
			ids[n] = id
			n++
		}
	}
	return ids[:n]
}
