package paging

// Manager keeps the tables of all sequences over one pool. Work is gathered into steps: whatever happens between two
// calls of EndStep belongs to one step, whose copies run before its writes, and its writes before its reads.
type Manager struct {
	pool    *BlockPool
	groups  []Group
	size    int
	cache   bool
	partial bool
	step    uint64 // the open one
	live    []*BlockTable
	swapped []*BlockTable
	host    *hostPool
	states  *statePool // nil: the model has no layers without K and V
	stats   Stats
	rate    *HitRate

	found   [][]int32 // [group] blocks of the last match; what a window has left is null
	partner []int32   // [block] scratch of swaps: 0 between calls
	place   []int32   // [host block] likewise
	scratch []byte
}

// NewManager makes a manager with all blocks free.
func NewManager(c Config) (*Manager, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	groups := append([]Group(nil), c.Groups...)
	if len(groups) == 0 {
		groups = []Group{{}}
	}
	m := &Manager{
		groups: groups, size: c.BlockSize, cache: c.PrefixCache, partial: c.PrefixCache && c.PartialHits,
		step: 1, rate: NewHitRate(1000), found: make([][]int32, len(groups)),
		host: newHostPool(c.HostBlocks), partner: make([]int32, c.Blocks), place: make([]int32, c.HostBlocks+1),
	}
	m.pool = newPool(&c, len(groups), &m.stats)
	if c.States > 0 {
		m.states = newStatePool(c.States, c.HostStates)
		m.pool.states = m.states
		m.partial = false
	}
	return m, nil
}

// Pool is the pool, to look at.
func (m *Manager) Pool() *BlockPool { return m.pool }

// Step is the number of the open step, from 1.
func (m *Manager) Step() uint64 { return m.step }

// EndStep closes the open step: its swaps and copies are handed over, its writes count as earlier ones from now on.
func (m *Manager) EndStep() {
	m.pool.endStep()
	m.host.endStep()
	if m.states != nil {
		m.states.endStep()
	}
	m.step++
}

// firstBlock is the first block that a query at position at still sees, sinks aside.
func (g Group) firstBlock(at, size int) int {
	if g.Window == 0 || at < g.Window {
		return 0
	}
	return (at - g.Window + 1) / size
}

func (g Group) sinkBlocks(size int) int { return (g.Sinks + size - 1) / size }

func (m *Manager) blocksFor(tokens int) int { return (tokens + m.size - 1) / m.size }

// Need is the number of free blocks that Append would take, copies included, less those that windows give back.
func (m *Manager) Need(t *BlockTable, n int) int {
	need := (m.blocksFor(t.tokens+n) - t.Len()) * len(m.groups)
	partial := t.tokens%m.size != 0
	for g := range m.groups {
		ids := t.ids[g]
		if partial && n > 0 && m.pool.blocks[ids[t.tokens/m.size]].refs > 1 {
			need++
		}
		if m.groups[g].Window > 0 {
			for i := t.left[g]; i < m.groups[g].firstBlock(t.tokens, m.size); i++ {
				if ids[i] != NullBlock && i >= m.groups[g].sinkBlocks(m.size) {
					if b := &m.pool.blocks[ids[i]]; b.refs == 1 && !b.source {
						need--
					}
				}
			}
		}
	}
	return need
}

// CanAppend says whether Append would find the blocks it needs.
func (m *Manager) CanAppend(t *BlockTable, n int) bool {
	return m.Need(t, n) <= m.pool.Free() && (n == 0 || m.canMoveState(t))
}

// Append takes slots for n more tokens, copying a shared last block before it is written and publishing blocks that are
// now full. known are the sequence's tokens as far as the host knows them: a block with a token that is still on the GPU
// is left to Publish. Errors (ErrNoBlocks, ErrWrittenNow) change nothing.
func (m *Manager) Append(t *BlockTable, known []int32, n int) error {
	if t.live == unlinked || n < 0 {
		return ErrTable
	}
	if n == 0 {
		return nil
	}
	if !m.CanAppend(t, n) {
		return ErrNoBlocks
	}
	at := t.tokens / m.size
	if rows := t.tokens % m.size; rows != 0 {
		for g := range m.groups {
			if b := &m.pool.blocks[t.ids[g][at]]; b.refs > 1 && b.written == m.step {
				return ErrWrittenNow
			}
		}
		m.leaveWindows(t)
		for g := range m.groups {
			m.own(t, g, at, rows)
		}
	} else {
		m.leaveWindows(t)
	}
	m.extend(t, n)
	m.moveState(t)
	m.publish(t, known)
	return nil
}

// own makes sure that the partial block at index at may be written: a shared one is copied, a published one hidden.
func (m *Manager) own(t *BlockTable, g, at, rows int) {
	id := t.ids[g][at]
	b := &m.pool.blocks[id]
	if b.refs == 1 {
		if b.cached {
			m.pool.unpublish(id)
		}
		return
	}
	to := m.pool.take()
	b.refs--
	m.copy(t, g, id, to, rows)
	t.ids[g][at] = to
	t.told = min(t.told, at)
}

func (m *Manager) copy(t *BlockTable, g int, from, to int32, rows int) {
	m.pool.hold(from)
	m.pool.setUsed(to, rows)
	m.pool.copy(Copy{Group: int32(g), From: from, To: to, Slots: int32(rows)})
	m.stats.Copies++
	m.pool.tell(Event{Kind: Copied, Sequence: t.Sequence, Group: int32(g), Block: from, To: to})
}

// leaveWindows gives back the blocks that no query from here on sees.
func (m *Manager) leaveWindows(t *BlockTable) {
	for g := range m.groups {
		if m.groups[g].Window == 0 {
			continue
		}
		first, sinks := m.groups[g].firstBlock(t.tokens, m.size), m.groups[g].sinkBlocks(m.size)
		if first <= t.left[g] {
			continue
		}
		for i := first - 1; i >= max(t.left[g], sinks); i-- {
			m.pool.unref(t.ids[g][i])
			t.ids[g][i] = NullBlock
			t.told = min(t.told, i)
		}
		t.left[g] = first
		m.pool.settle()
	}
}

// extend takes new blocks for n more tokens and marks what the open step writes.
func (m *Manager) extend(t *BlockTable, n int) {
	first := t.tokens / m.size
	t.tokens += n
	blocks := m.blocksFor(t.tokens)
	for g := range m.groups {
		for len(t.ids[g]) < blocks {
			t.ids[g] = append(t.ids[g], m.pool.take())
		}
		for i := first; i < blocks; i++ {
			id := t.ids[g][i]
			m.pool.blocks[id].written = m.step
			m.pool.setUsed(id, min(m.size, t.tokens-i*m.size))
		}
	}
}

// Free gives all of t's blocks back, the last first, host memory's too, and leaves the table empty.
func (m *Manager) Free(t *BlockTable) {
	m.discard(t)
	m.drop(t, 0)
	m.dropState(t)
	t.tokens, t.published, t.rolled = 0, 0, 0
	t.hashes = t.hashes[:0]
	t.asked = t.asked[:0]
	for g := range t.left {
		t.left[g] = 0
	}
	m.delist(t)
}

// drop gives back the blocks from index keep on, the last first.
func (m *Manager) drop(t *BlockTable, keep int) {
	for i := t.Len() - 1; i >= keep; i-- {
		for g := range t.ids {
			m.pool.unref(t.ids[g][i])
		}
	}
	for g := range t.ids {
		t.ids[g] = t.ids[g][:keep]
	}
	t.told = min(t.told, keep)
	m.pool.settle()
}

// Failed hides every block that step or a later one wrote: what was to be in it never came to be.
func (m *Manager) Failed(step uint64) {
	for id := range m.pool.blocks {
		if b := &m.pool.blocks[id]; b.cached && (b.written >= step || b.loaded >= step) {
			m.pool.unpublish(int32(id))
		}
	}
	if m.states == nil {
		return
	}
	for id := range m.states.slots {
		if s := &m.states.slots[id]; s.kept > 0 && s.written >= step {
			m.unkeepAll(int32(id))
		}
	}
}

// Spoilt says whether t holds a block that step or a later one was to fill, so that Failed leaves it with nothing.
func (m *Manager) Spoilt(t *BlockTable, step uint64) bool {
	for g := range t.ids {
		for _, id := range t.ids[g] {
			if b := &m.pool.blocks[id]; id != NullBlock && (b.written >= step || b.loaded >= step) {
				return true
			}
		}
	}
	return m.states != nil && m.states.slots[t.state].written >= step
}

// Reset empties the prefix cache. While tables hold blocks it says ErrInUse and changes nothing.
func (m *Manager) Reset() error {
	if len(m.live) > 0 {
		return ErrInUse
	}
	for id := range m.pool.blocks {
		if m.pool.blocks[id].cached {
			m.pool.unpublish(int32(id))
		}
	}
	m.pool.tell(Event{Kind: Cleared})
	return nil
}

// Stats says how the cache stands.
func (m *Manager) Stats() Stats {
	s, p := m.stats, m.pool
	s.Blocks = len(p.blocks) - 1
	s.Free = p.queue.Len()
	s.Cached = p.cached
	s.Active = p.active
	s.SlotsTaken = s.Active * m.size
	s.SlotsUsed = p.used
	s.HostBlocks, s.HostFree = len(m.host.refs)-1, len(m.host.free)
	s.HitRate = m.rate.Rate()
	if m.states != nil {
		s.States, s.Snapshots = len(m.states.slots)-1, m.states.snapshots
	}
	return s
}
