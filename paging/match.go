package paging

import "math"

// Match gives the number of tokens that Allocate would find cached for a sequence of these tokens, in whole blocks: none
// for a table that is not empty. The last token is never among them.
func (m *Manager) Match(t *BlockTable, tokens []int32) int { return m.match(t, tokens) * m.size }

func (m *Manager) match(t *BlockTable, tokens []int32) int {
	return m.matchBlocks(t, tokens, (len(tokens)-1)/m.size)
}

// matchBlocks fills m.found with the longest prefix of at most the given number of blocks that every group can serve, and
// behind which there is a snapshot where sequences have a state. It gives its length in blocks.
func (m *Manager) matchBlocks(t *BlockTable, tokens []int32, blocks int) int {
	blocks = m.matchGroups(t, tokens, blocks)
	for m.states != nil && blocks > 0 {
		n := m.lastSnapshot(t, blocks)
		if n == blocks {
			break
		}
		blocks = m.matchGroups(t, tokens, n)
	}
	return blocks
}

func (m *Manager) matchGroups(t *BlockTable, tokens []int32, blocks int) int {
	for g := range m.found {
		m.found[g] = m.found[g][:0]
	}
	if !m.cache || t.SkipLookup || len(tokens) == 0 || t.live != unlinked || t.swapped {
		return 0
	}
	m.recall(t, tokens)
	for g := range m.groups {
		if m.groups[g].Window == 0 {
			blocks = m.matchPrefix(t, tokens, g, blocks)
		}
	}
	m.hash(t, tokens, blocks)
	for again := true; again; {
		again = false
		for g := range m.groups {
			if m.groups[g].Window > 0 {
				if n := m.matchWindow(t, g, blocks); n < blocks {
					blocks, again = n, true
				}
			}
		}
	}
	for g := range m.found {
		m.found[g] = m.found[g][:blocks]
	}
	return blocks
}

// matchPrefix finds the blocks from the start on, at most limit, of a group that sees everything.
func (m *Manager) matchPrefix(t *BlockTable, tokens []int32, g, limit int) int {
	m.found[g] = m.found[g][:0]
	for i := range limit {
		m.hash(t, tokens, i+1)
		id, ok := m.pool.contents[g].find(&t.hashes[i])
		if !ok {
			return i
		}
		m.found[g] = append(m.found[g], id)
	}
	return limit
}

// matchWindow finds the longest prefix of at most limit blocks of which a group with a window has all that the next
// query sees.
func (m *Manager) matchWindow(t *BlockTable, g, limit int) int {
	group := m.groups[g]
	sinks := group.sinkBlocks(m.size)
	cached := m.found[g][:0]
	for i := range limit {
		id, ok := m.pool.contents[g].find(&t.hashes[i])
		if !ok {
			id = NullBlock
		}
		cached = append(cached, id)
	}
	m.found[g] = cached
	n := longestServed(cached, sinks, func(blocks int) int { return group.firstBlock(blocks*m.size, m.size) })
	for i := sinks; i < group.firstBlock(n*m.size, m.size); i++ {
		cached[i] = NullBlock
	}
	return n
}

// longestServed gives the largest n such that blocks [first(n), n) and the sinks before n are all cached.
func longestServed(cached []int32, sinks int, first func(blocks int) int) int {
	limit := 0
	for limit < min(sinks, len(cached)) && cached[limit] != NullBlock {
		limit++
	}
	if limit == sinks {
		limit = len(cached)
	}
	for n := limit; n > 0; {
		i := n - 1
		for i >= first(n) && cached[i] != NullBlock {
			i--
		}
		if i < first(n) {
			return n
		}
		n = i
	}
	return 0
}

// All is every token that Allocate can take blocks for.
const All = math.MaxInt

// Allocate gives an empty table its first blocks: cached ones for the longest prefix of tokens that all groups can
// serve, then new ones for at most n tokens after it. It gives the number of tokens that need
// no computing. When fewer than spare free blocks would be left it says ErrNoBlocks and changes nothing.
func (m *Manager) Allocate(t *BlockTable, tokens []int32, n, spare int) (hit int, err error) {
	if t.live != unlinked || t.swapped || len(tokens) == 0 {
		return 0, ErrTable
	}
	blocks, rows := m.match(t, tokens), 0
	if m.partial && !t.SkipLookup {
		rows = m.matchRows(t, tokens, blocks)
	}
	if rows > 0 && m.allocationNeed(tokens, blocks, rows, n) > m.pool.Free()-spare {
		rows = 0 // the sources may be the very blocks that are short
	}
	if m.allocationNeed(tokens, blocks, rows, n) > m.pool.Free()-spare || n > 0 && !m.canMoveState(t) {
		return 0, ErrNoBlocks
	}
	if m.states != nil && blocks > 0 {
		m.stats.SnapshotHits++
	}
	hit = blocks*m.size + rows
	n = min(n, len(tokens)-hit)
	m.revive(t, blocks)
	if rows > 0 {
		for g := range m.groups {
			m.pool.hold(m.found[g][blocks])
		}
		for g := range m.groups {
			to := m.pool.take()
			t.ids[g] = append(t.ids[g], to)
			m.copy(t, g, m.found[g][blocks], to, rows)
		}
		t.tokens += rows
	}
	m.extend(t, n)
	if n > 0 {
		m.moveState(t)
	}
	m.publish(t, tokens)
	m.bind(t)
	return hit, nil
}

// revive fills an empty table with the first blocks of the last match.
func (m *Manager) revive(t *BlockTable, blocks int) {
	m.enlist(t)
	if m.states != nil && blocks > 0 {
		slot, _ := m.snapshotAt(t, blocks)
		m.setState(t, slot)
	}
	for g := range m.groups {
		for _, id := range m.found[g][:blocks] {
			if id != NullBlock {
				m.pool.ref(id)
			}
			t.ids[g] = append(t.ids[g], id)
		}
		t.left[g] = m.groups[g].firstBlock(blocks*m.size, m.size)
	}
	t.tokens, t.published = blocks*m.size, blocks
}

// allocationNeed is the number of free blocks that Allocate takes out of the queue for what m.found lists.
func (m *Manager) allocationNeed(tokens []int32, blocks, rows, n int) int {
	end := blocks*m.size + rows
	end += min(n, len(tokens)-end)
	need := (m.blocksFor(end) - blocks) * len(m.groups)
	for g := range m.found {
		for _, id := range m.found[g][:blocks] {
			if id != NullBlock && m.pool.free(id) {
				need++
			}
		}
		if rows > 0 && m.pool.free(m.found[g][blocks]) {
			need++ // a copy's source is no free block until the step ends
		}
	}
	return need
}

// Wants is the number of free blocks that the first n tokens of an empty table would take, less those whose content is in
// seen, which others want already; theirs are added to it.
func (m *Manager) Wants(t *BlockTable, tokens []int32, n int, seen map[Hash]bool) int {
	blocks := m.blocksFor(n)
	if !m.cache || t.SkipLookup || t.live != unlinked || t.swapped {
		return blocks * len(m.groups)
	}
	shared := min(n, len(tokens)-1) / m.size
	m.recall(t, tokens)
	m.hash(t, tokens, shared)
	wants := (blocks - shared) * len(m.groups)
	for i := range shared {
		h := t.hashes[i]
		if seen[h] {
			continue
		}
		seen[h] = true
		for g := range m.groups {
			if id, ok := m.pool.contents[g].find(&h); !ok || m.pool.free(id) {
				wants++
			}
		}
	}
	return wants
}

// matchRows looks, in every group, for a cached block after the matched ones that begins with the same tokens, and gives
// the number of rows that all groups can copy. Blocks that the open step writes cannot be read by its copies.
func (m *Manager) matchRows(t *BlockTable, tokens []int32, blocks int) int {
	rest := tokens[blocks*m.size : len(tokens)-1]
	rows := m.size
	for g := range m.groups {
		best, longest := NullBlock, 0
		x := m.pool.children[g]
		id, ok := x.find(t.parent(blocks))
		for ; ok && id != unlinked; id = x.next[id] {
			if m.pool.blocks[id].written == m.step {
				continue
			}
			have := m.pool.tokens[int(id)*m.size : (int(id)+1)*m.size]
			n := 0
			for n < min(len(rest), len(have)) && rest[n] == have[n] {
				n++
			}
			if n > longest {
				best, longest = id, n
			}
		}
		m.found[g] = append(m.found[g], best)
		rows = min(rows, longest)
	}
	return rows
}

// CountHit adds a request's lookup to the statistics: asked tokens, of which hit were found, full blocks first.
func (m *Manager) CountHit(asked, hit int) {
	whole := hit / m.size * m.size
	m.rate.Observe(1, asked, whole)
	m.stats.Requests++
	m.stats.AskedTokens += uint64(asked)
	m.stats.HitTokens += uint64(whole)
	m.stats.PartialTokens += uint64(hit - whole)
}
