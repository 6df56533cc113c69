package paging

import "slices"

// A snapshot is a slot that is published with a block of the first KV group, under its hash: the state after that block's last
// token. It is found with the block, and evicted with it, or before, when slots run short. Of blocks of one hash the first has
// it, since lookups find that one.

// kept is a state of an earlier moment that a table keeps: to publish it with its block, or for a fork.
type kept struct {
	tokens int
	slot   int32
	rolls  bool // once published, the next such one takes its place
	forks  bool // it is for forks, and never published
	drafts bool // likewise for a draft's end
}

// Snapshot keeps the state that the open step leaves after t's tokens, which end a block, to be published with that block. One
// that rolls gives way to the table's next one of the kind.
func (m *Manager) Snapshot(t *BlockTable, rolls bool) {
	if m.cache && t.tokens%m.size == 0 {
		m.keep(t, kept{rolls: rolls})
		m.publishSnapshots(t)
	}
}

// KeepFork keeps the state that the open step leaves, for forks that are truncated to it, until DropForks.
func (m *Manager) KeepFork(t *BlockTable) { m.keep(t, kept{forks: true}) }

func (m *Manager) keep(t *BlockTable, k kept) {
	if m.states != nil && t.state != NullState {
		m.states.slots[t.state].kept++
		k.tokens, k.slot = t.tokens, t.state
		t.kept = append(t.kept, k)
	}
}

// DropForks drops the states that t keeps for forks.
func (m *Manager) DropForks(t *BlockTable) {
	t.kept = slices.DeleteFunc(t.kept, func(k kept) bool {
		if k.forks {
			m.states.unkeep(k.slot)
		}
		return k.forks
	})
}

// unkeepFrom drops the states that t keeps of more tokens than so many.
func (m *Manager) unkeepFrom(t *BlockTable, tokens int) {
	for len(t.kept) > 0 && t.kept[len(t.kept)-1].tokens > tokens {
		last := len(t.kept) - 1
		m.states.unkeep(t.kept[last].slot)
		t.kept = t.kept[:last]
	}
}

// publishSnapshots gives the states that t keeps to the blocks that are published by now.
func (m *Manager) publishSnapshots(t *BlockTable) {
	t.kept = slices.DeleteFunc(t.kept, func(k kept) bool {
		if k.forks || k.drafts || k.tokens > t.published*m.size {
			return false
		}
		at := k.tokens / m.size
		id, ok := m.pool.contents[0].find(&t.hashes[at-1])
		if !ok || m.pool.blocks[id].state != NullState {
			m.states.unkeep(k.slot)
			return true
		}
		m.pool.blocks[id].state, m.states.slots[k.slot].block = k.slot, id
		m.states.snapshots++
		if k.rolls {
			if t.rolled > 0 && t.rolled < at {
				m.unroll(&t.hashes[t.rolled-1])
			}
			t.rolled = at
		}
		return true
	})
}

// unroll drops the snapshot under a hash, unless somebody goes on from it.
func (m *Manager) unroll(h *Hash) {
	if id, ok := m.pool.contents[0].find(h); ok {
		if slot := m.pool.blocks[id].state; slot != NullState && m.states.slots[slot].refs == 0 {
			m.pool.dropSnapshot(id)
		}
	}
}

// dropSnapshot takes a block's snapshot from it.
func (p *BlockPool) dropSnapshot(id int32) {
	slot := p.blocks[id].state
	p.blocks[id].state, p.states.slots[slot].block = NullState, NullBlock
	p.states.snapshots--
	p.states.unkeep(slot)
}

// passSnapshot gives the snapshot of a block that is found no more to the next block of its hash, or drops it.
func (p *BlockPool) passSnapshot(id int32) {
	b := &p.blocks[id]
	if b.state == NullState {
		return
	}
	next, ok := p.contents[b.group].find(&b.hash)
	if !ok {
		p.dropSnapshot(id)
		return
	}
	p.blocks[next].state, p.states.slots[b.state].block = b.state, next
	b.state = NullState
}

// snapshotAt gives the snapshot after so many blocks of a chain, if steps so far have written it.
func (m *Manager) snapshotAt(t *BlockTable, blocks int) (slot int32, ok bool) {
	id, ok := m.pool.contents[0].find(&t.hashes[blocks-1])
	if !ok {
		return NullState, false
	}
	slot = m.pool.blocks[id].state
	return slot, slot != NullState && m.states.slots[slot].written != m.states.step
}

// lastSnapshot gives the most blocks, of so many, behind which there is a snapshot.
func (m *Manager) lastSnapshot(t *BlockTable, blocks int) int {
	for blocks > 0 {
		if _, ok := m.snapshotAt(t, blocks); ok {
			return blocks
		}
		blocks--
	}
	return 0
}

// earlier gives the latest state after at most so many of t's tokens that anybody keeps.
func (m *Manager) earlier(t *BlockTable, tokens int) (at int, slot int32) {
	if blocks := m.lastSnapshot(t, min(tokens/m.size, t.published)); blocks > 0 {
		at = blocks * m.size
		slot, _ = m.snapshotAt(t, blocks)
	}
	for _, k := range t.kept {
		if k.tokens <= tokens && k.tokens > at && m.states.slots[k.slot].written != m.states.step {
			at, slot = k.tokens, k.slot
		}
	}
	return at, slot
}
