package paging

// Swap moves one block between the device and host memory, K and V of every layer of the group that holds it.
type Swap struct {
	Block int32 // on the device
	Host  int32 // in host memory, from 1
}

// hostPool keeps the books of host memory: ids from 1, each as often referenced as swapped tables name it.
type hostPool struct {
	refs []int32
	free []int32 // the next at the end
	late []int32 // read by the open step's swap-ins: free once it ends
}

func newHostPool(blocks int) *hostPool {
	p := &hostPool{refs: make([]int32, blocks+1)}
	for id := blocks; id > 0; id-- {
		p.free = append(p.free, int32(id))
	}
	return p
}

func (p *hostPool) take() int32 {
	last := len(p.free) - 1
	id := p.free[last]
	p.free = p.free[:last]
	p.refs[id] = 1
	return id
}

// unref drops a reference and says whether it was the last.
func (p *hostPool) unref(id int32) bool {
	p.refs[id]--
	return p.refs[id] == 0
}

func (p *hostPool) endStep() {
	p.free = append(p.free, p.late...)
	p.late = p.late[:0]
}

// Swapped says whether the table's blocks are in host memory.
func (t *BlockTable) Swapped() bool { return t.swapped }

// HostFree is the number of free blocks in host memory.
func (m *Manager) HostFree() int { return len(m.host.free) }

// SwapNeed is the number of host blocks that SwapOut would take; a block that tables share counts once.
func (m *Manager) SwapNeed(tables ...*BlockTable) int {
	need := 0
	for _, t := range tables {
		for g := range t.ids {
			for _, id := range t.ids[g] {
				if id != NullBlock && m.partner[id] == 0 {
					m.partner[id] = 1
					need++
				}
			}
		}
	}
	m.forgetPartners(tables)
	return need
}

func (m *Manager) forgetPartners(tables []*BlockTable) {
	for _, t := range tables {
		for g := range t.ids {
			for _, id := range t.ids[g] {
				m.partner[id] = 0
			}
		}
	}
}

// SwapOut moves the tables' blocks to host memory and gives them back, the last table's last block first; what the
// tables share stays shared. Swap-outs run before the open step's copies and writes, and read only what earlier steps
// wrote: no table may be one that the open step writes (ErrWrittenNow). ErrNoHostBlocks changes nothing.
func (m *Manager) SwapOut(tables ...*BlockTable) error {
	for _, t := range tables {
		if t.live == unlinked {
			return ErrTable
		}
		for g := range t.ids {
			for _, id := range t.ids[g] {
				if b := &m.pool.blocks[id]; id != NullBlock && (b.written == m.step || b.loaded == m.step) {
					return ErrWrittenNow
				}
			}
		}
		if m.states != nil && m.states.slots[t.state].written == m.step {
			return ErrWrittenNow
		}
	}
	if m.SwapNeed(tables...) > len(m.host.free) || m.states != nil && m.StateSwapNeed(tables...) > len(m.states.host.free) {
		return ErrNoHostBlocks
	}
	for _, t := range tables {
		t.host = make([][]int32, len(t.ids))
		for g, ids := range t.ids {
			t.host[g] = make([]int32, len(ids))
			for i, id := range ids {
				if id == NullBlock {
					continue
				}
				if m.partner[id] == 0 {
					m.partner[id] = m.host.take()
					m.pool.swapOut(Swap{Block: id, Host: m.partner[id]})
					m.stats.SwapOuts++
					m.pool.tell(Event{Kind: SwappedOut, Sequence: t.Sequence, Group: int32(g), Block: id, To: m.partner[id]})
				} else {
					m.host.refs[m.partner[id]]++
				}
				t.host[g][i] = m.partner[id]
			}
		}
	}
	m.forgetPartners(tables)
	m.stateOut(tables)
	for i := len(tables) - 1; i >= 0; i-- {
		t := tables[i]
		m.drop(t, 0)
		m.dropState(t)
		m.delist(t)
		t.swapped = true
		m.swapped = append(m.swapped, t)
	}
	return nil
}

// revived gives the device block that still holds what host block i of a swapped table's group holds.
func (m *Manager) revived(t *BlockTable, g, i int) (int32, bool) {
	if i >= t.published {
		return NullBlock, false
	}
	return m.pool.contents[g].find(&t.hashes[i])
}

// SwapInNeed is the number of free blocks that SwapIn would take, revived ones included.
func (m *Manager) SwapInNeed(tables ...*BlockTable) int {
	need := 0
	m.eachHost(tables, func(t *BlockTable, g, i int, host int32) {
		id, ok := m.revived(t, g, i)
		if !ok || m.place[host] != 0 {
			return
		}
		m.place[host] = id
		if m.pool.free(id) && m.partner[id] == 0 {
			m.partner[id] = unlinked // several host blocks may be revived by one
			need++
		}
	})
	m.eachHost(tables, func(_ *BlockTable, _, _ int, host int32) {
		if m.place[host] == 0 {
			m.place[host] = unlinked
			need++
		}
	})
	m.eachHost(tables, func(_ *BlockTable, _, _ int, host int32) {
		if id := m.place[host]; id > 0 {
			m.partner[id] = 0
		}
		m.place[host] = 0
	})
	return need
}

func (m *Manager) eachHost(tables []*BlockTable, visit func(t *BlockTable, g, i int, host int32)) {
	for _, t := range tables {
		for g := range t.host {
			for i, host := range t.host[g] {
				if host != NullBlock {
					visit(t, g, i, host)
				}
			}
		}
	}
}

// SwapIn takes blocks for swapped tables and lists what comes back from host memory. What the prefix cache still has is
// revived instead; what was published is published again
// by the next Publish or Append. ErrNoBlocks changes nothing.
func (m *Manager) SwapIn(tables ...*BlockTable) error {
	for _, t := range tables {
		if !t.swapped {
			return ErrTable
		}
	}
	if m.SwapInNeed(tables...) > m.pool.Free() || !m.canStateIn(tables) {
		return ErrNoBlocks
	}
	m.eachHost(tables, func(t *BlockTable, g, i int, host int32) { // what is revived is referenced before anything is taken
		if id, ok := m.revived(t, g, i); ok && m.place[host] == 0 {
			m.pool.ref(id)
			m.place[host] = id
			m.stats.SwapsSpared++
		}
	})
	for _, t := range tables {
		m.returned(t)
	}
	m.stateIn(tables)
	m.eachHost(tables, func(_ *BlockTable, _, _ int, host int32) {
		if id := m.place[host]; id > 0 {
			m.pool.unref(id) // the tables hold it now
		}
		m.place[host] = 0
		if m.host.unref(host) {
			m.host.late = append(m.host.late, host)
		}
	})
	for _, t := range tables {
		t.host = nil
	}
	return nil
}

// returned fills a table's ids from m.place, taking blocks for what is not there yet.
func (m *Manager) returned(t *BlockTable) {
	m.unswap(t)
	m.enlist(t)
	t.published = 0 // the next Publish finds what is to be published again
	for g, hosts := range t.host {
		for i, host := range hosts {
			id := NullBlock
			switch {
			case host == NullBlock:
			case m.place[host] > 0:
				id = m.place[host]
				m.pool.ref(id)
			case m.place[host] < 0: // taken for a table before
				id = -m.place[host]
				m.pool.ref(id)
			default:
				id = m.pool.take()
				m.pool.blocks[id].loaded = m.step
				m.place[host] = -id
				m.pool.swapIn(Swap{Block: id, Host: host})
				m.stats.SwapIns++
				m.pool.tell(Event{Kind: SwappedIn, Sequence: t.Sequence, Group: int32(g), Block: id, To: host})
			}
			t.ids[g] = append(t.ids[g], id)
			if id == NullBlock {
				continue
			}
			if b := &m.pool.blocks[id]; !b.cached {
				m.pool.setUsed(id, max(int(b.used), min(m.size, t.tokens-i*m.size)))
			}
		}
	}
}

func (m *Manager) unswap(t *BlockTable) {
	for i, o := range m.swapped {
		if o == t {
			last := len(m.swapped) - 1
			m.swapped[i] = m.swapped[last]
			m.swapped[last] = nil
			m.swapped = m.swapped[:last]
			break
		}
	}
	t.swapped = false
}

// discard gives a swapped table's host blocks back; what was still to be moved there stays.
func (m *Manager) discard(t *BlockTable) {
	if !t.swapped {
		return
	}
	m.unswap(t)
	m.discardState(t)
	kept := len(m.host.free)
	for _, hosts := range t.host {
		for _, host := range hosts {
			switch {
			case host == NullBlock || !m.host.unref(host):
			case m.pool.comesFrom(host): // for a table that shared it
				m.host.late = append(m.host.late, host)
			default:
				m.host.free = append(m.host.free, host)
			}
		}
	}
	t.host = nil
	if len(m.pool.moves.outs) == 0 {
		return
	}
	for _, host := range m.host.free[kept:] {
		m.place[host] = unlinked
	}
	m.pool.stay(func(host int32) bool { return m.place[host] == unlinked })
	for _, host := range m.host.free[kept:] {
		m.place[host] = 0
	}
}
