package paging

import (
	"fmt"
	"slices"
)

// Check proves the books: every block is free, held for a copy of the open step, or referenced exactly as often as
// tables name it, and every hash leads to its blocks.
func (m *Manager) Check() error {
	p := m.pool
	named := make([]int32, len(p.blocks))
	used := make([]int32, len(p.blocks))
	for i, t := range m.live {
		if t.live != i {
			return fmt.Errorf("paging: table %d believes to be table %d", i, t.live)
		}
		if t.told > t.Len() {
			return fmt.Errorf("paging: table %d has %d blocks, and %d were told", i, t.Len(), t.told)
		}
		if len(t.hashes) > t.tokens/m.size || len(t.asked) > 0 {
			return fmt.Errorf("paging: table %d has hashes of %d blocks, and %d tokens", i, len(t.hashes), t.tokens)
		}
		held := 0
		for g := range t.ids {
			if len(t.ids[g]) != m.blocksFor(t.tokens) {
				return fmt.Errorf("paging: table %d, group %d: %d blocks for %d tokens", i, g, len(t.ids[g]), t.tokens)
			}
			for at, id := range t.ids[g] {
				if id == NullBlock {
					if m.groups[g].Window == 0 || at >= t.left[g] || at < m.groups[g].sinkBlocks(m.size) {
						return fmt.Errorf("paging: table %d, group %d: null block at %d", i, g, at)
					}
					continue
				}
				held++
				named[id]++
				used[id] = max(used[id], int32(min(m.size, t.tokens-at*m.size)))
			}
		}
		if n := m.Blocks(t); n != held {
			return fmt.Errorf("paging: table %d has %d blocks, and counts %d", i, held, n)
		}
	}
	free := make([]bool, len(p.blocks))
	ids := p.queue.IDs()
	if len(ids) != p.queue.Len() {
		return fmt.Errorf("paging: the free queue counts %d ids and has %d", p.queue.Len(), len(ids))
	}
	for _, id := range ids {
		if free[id] || id == NullBlock {
			return fmt.Errorf("paging: block %d is in the free queue twice, or never belongs there", id)
		}
		free[id] = true
	}
	cached, active := 0, 0
	for id := 1; id < len(p.blocks); id++ {
		b := &p.blocks[id]
		if b.refs != named[id] {
			return fmt.Errorf("paging: block %d has %d references, tables name it %d times", id, b.refs, named[id])
		}
		if idle := free[id] || b.held; idle != (b.refs == 0) || free[id] && b.held {
			return fmt.Errorf("paging: block %d with %d references: free %t, held %t", id, b.refs, free[id], b.held)
		}
		if b.refs > 0 {
			active++
			if b.used < used[id] {
				return fmt.Errorf("paging: block %d counts %d slots used, tables use %d", id, b.used, used[id])
			}
		}
		if b.cached {
			cached++
			if !p.contents[b.group].has(b.hash, int32(id)) {
				return fmt.Errorf("paging: block %d cannot be found by its hash", id)
			}
		}
	}
	if cached != p.cached || active != p.active {
		return fmt.Errorf("paging: %d cached and %d active blocks, counted as %d and %d", cached, active, p.cached, p.active)
	}
	if err := m.checkStates(); err != nil {
		return err
	}
	if err := m.checkHost(); err != nil {
		return err
	}
	if err := m.checkMoves(); err != nil {
		return err
	}
	return m.checkIndex(cached)
}

// checkHost proves that each host block is free or referenced as often as swapped tables name it.
func (m *Manager) checkHost() error {
	named := make([]int32, len(m.host.refs))
	for i, t := range m.swapped {
		if !t.swapped || t.live != unlinked {
			return fmt.Errorf("paging: swapped table %d believes not to be", i)
		}
		for g := range t.ids {
			if len(t.ids[g]) != 0 || len(t.host[g]) != m.blocksFor(t.tokens) {
				return fmt.Errorf("paging: swapped table %d, group %d: %d blocks and %d host blocks for %d tokens",
					i, g, len(t.ids[g]), len(t.host[g]), t.tokens)
			}
			for _, host := range t.host[g] {
				if host != NullBlock {
					named[host]++
				}
			}
		}
	}
	for _, host := range slices.Concat(m.host.free, m.host.late) {
		if named[host] != 0 {
			return fmt.Errorf("paging: host block %d is free twice, or a table names it", host)
		}
		named[host] = -1
	}
	for host := 1; host < len(named); host++ {
		if named[host] == 0 || max(named[host], 0) != m.host.refs[host] {
			return fmt.Errorf("paging: host block %d has %d references, swapped tables name it %d times", host, m.host.refs[host], named[host])
		}
	}
	return nil
}

// checkMoves proves that each move of the open step fills a block of its own that somebody can still see, or leaves
// for a host block that a table names.
func (m *Manager) checkMoves() error {
	v := &m.pool.moves
	coming, leaving := map[int32]bool{}, map[int32]bool{}
	filled := make([]int32, 0, len(v.copies)+len(v.ins))
	for _, c := range v.copies {
		filled = append(filled, c.To)
	}
	for _, x := range v.ins {
		filled = append(filled, x.Block)
	}
	for _, id := range filled {
		if b := &m.pool.blocks[id]; coming[id] || b.refs == 0 && !b.cached {
			return fmt.Errorf("paging: block %d with %d references is filled twice in a step, or for nobody", id, b.refs)
		}
		coming[id] = true
	}
	for _, x := range v.outs {
		if m.host.refs[x.Host] == 0 && !slices.Contains(m.host.late, x.Host) {
			return fmt.Errorf("paging: block %d leaves for host block %d, which is free", x.Block, x.Host)
		}
		leaving[x.Block] = true
	}
	for id := range m.pool.blocks {
		if b := &m.pool.blocks[id]; b.coming != coming[int32(id)] || b.leaving != leaving[int32(id)] {
			return fmt.Errorf("paging: block %d believes coming %t and leaving %t", id, b.coming, b.leaving)
		}
	}
	return nil
}

func (m *Manager) checkIndex(cached int) error {
	listed := 0
	for g, x := range m.pool.contents {
		for h, e := range x.lists {
			for id := e.first; id != unlinked; id = x.next[id] {
				if b := &m.pool.blocks[id]; !b.cached || b.hash != h || int(b.group) != g {
					return fmt.Errorf("paging: a hash of group %d leads to block %d, which does not carry it", g, id)
				}
				listed++
			}
		}
	}
	if listed != cached {
		return fmt.Errorf("paging: %d blocks are cached and %d can be found", cached, listed)
	}
	return nil
}

// has walks the list under h.
func (x *index) has(h Hash, id int32) bool {
	e, ok := x.lists[h]
	for at := e.first; ok && at != unlinked; at = x.next[at] {
		if at == id {
			return true
		}
	}
	return false
}

// checkStates proves that each slot is free, or referenced as often as it is some table's state and kept as often as tables and
// blocks keep it.
func (m *Manager) checkStates() error {
	p := m.states
	if p == nil {
		return nil
	}
	named, keeping := make([]int32, len(p.slots)), make([]int32, len(p.slots))
	for i, t := range m.live {
		if (t.state == NullState) != (t.tokens == 0) {
			return fmt.Errorf("paging: table %d has %d tokens and state %d", i, t.tokens, t.state)
		}
		named[t.state]++
		for j, k := range t.kept {
			if k.tokens == 0 || k.tokens > t.tokens || j > 0 && k.tokens < t.kept[j-1].tokens {
				return fmt.Errorf("paging: table %d of %d tokens keeps a state after %d", i, t.tokens, k.tokens)
			}
			keeping[k.slot]++
		}
	}
	snapshots := 0
	for id := range m.pool.blocks {
		b := &m.pool.blocks[id]
		if b.state == NullState {
			continue
		}
		snapshots++
		keeping[b.state]++
		if first, ok := m.pool.contents[0].find(&b.hash); !b.cached || b.group != 0 || !ok || first != int32(id) || p.slots[b.state].block != int32(id) {
			return fmt.Errorf("paging: the snapshot behind block %d cannot be found", id)
		}
	}
	if snapshots != p.snapshots {
		return fmt.Errorf("paging: %d snapshots, counted as %d", snapshots, p.snapshots)
	}
	if err := m.checkHostStates(); err != nil {
		return err
	}
	free := make([]bool, len(p.slots))
	for _, id := range slices.Concat(p.free.IDs(), p.late) {
		if id == NullState || free[id] {
			return fmt.Errorf("paging: state %d is free twice, or never is", id)
		}
		free[id] = true
	}
	for id := 1; id < len(p.slots); id++ {
		s, idle := &p.slots[id], p.idle.Has(int32(id))
		if s.refs != named[id] || s.kept != keeping[id] || free[id] != (s.refs == 0 && s.kept == 0) || idle != (s.refs == 0 && s.kept > 0) {
			return fmt.Errorf("paging: state %d with %d references and kept %d times: free %t, idle %t; tables have it %d times, and it is kept %d times",
				id, s.refs, s.kept, free[id], idle, named[id], keeping[id])
		}
	}
	return nil
}
