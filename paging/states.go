package paging

import "slices"

// States: layers without K and V keep a state a sequence, not rows a token. A slot holds the states of all such layers
// after the same tokens of one sequence; ids mean the same place in every layer. A row of a step reads its sequence's
// state from one slot and writes what is left of it after the row's last token to another, or to the same where nobody
// else needs it. So a snapshot, like a fork, costs no copy: it keeps a slot, and the sequence goes on in another. Slot 0 is
// never written: the state before a sequence's first token.

// NullState is the slot of a sequence that has computed nothing: all zeros.
const NullState int32 = 0

// stateSlot is what the pool knows of one slot.
type stateSlot struct {
	refs    int32  // tables whose state it is
	kept    int32  // tables that keep it for later, and its block
	block   int32  // the cached block that it is published with, or NullBlock
	read    uint64 // the last step that read it
	written uint64 // the last step that wrote it
}

// statePool owns the slots. Each is somebody's state, or kept for later, or free. One that the open step reads or writes is
// given out by the next one at the earliest.
type statePool struct {
	slots     []stateSlot
	free      *FreeQueue
	idle      *FreeQueue // kept, and nobody's state: the one that was used longest ago first
	late      []int32    // free once the open step ends
	step      uint64     // the open one
	outs, ins []Swap     // of the open step
	host      *hostPool  // host memory for states
	snapshots int        // published ones
}

func newStatePool(slots, host int) *statePool {
	p := &statePool{host: newHostPool(host), slots: make([]stateSlot, slots), free: NewFreeQueue(slots), idle: NewFreeQueue(slots), step: 1}
	for id := 1; id < slots; id++ {
		p.free.Append(int32(id))
	}
	return p
}

// busy says whether the open step reads or writes a slot.
func (p *statePool) busy(id int32) bool {
	return p.slots[id].read == p.step || p.slots[id].written == p.step
}

// alone says whether one sequence has a slot that no other row of the open step reads.
func (p *statePool) alone(id int32) bool {
	return id != NullState && p.slots[id].refs == 1 && p.slots[id].read != p.step
}

// oldest gives the kept slot that may go first.
func (p *statePool) oldest() (int32, bool) {
	for id := p.idle.next[p.idle.end()]; id != p.idle.end(); id = p.idle.next[id] {
		if !p.busy(id) {
			return id, true
		}
	}
	return NullState, false
}

// canTake says whether there is a slot to write.
func (p *statePool) canTake() bool {
	if p.free.Len() > 0 {
		return true
	}
	_, ok := p.oldest()
	return ok
}

func (p *statePool) ref(id int32) {
	if id == NullState {
		return
	}
	if p.slots[id].refs++; p.idle.Has(id) {
		p.idle.Remove(id)
	}
}

func (p *statePool) unref(id int32) {
	if id != NullState {
		p.slots[id].refs--
		p.settle(id)
	}
}

// unkeep drops one reason to keep a slot.
func (p *statePool) unkeep(id int32) {
	p.slots[id].kept--
	p.settle(id)
}

// settle puts a slot that is nobody's state where it belongs.
func (p *statePool) settle(id int32) {
	s := &p.slots[id]
	switch {
	case s.refs > 0:
	case s.kept > 0:
		if !p.idle.Has(id) {
			p.idle.Append(id)
		}
	default:
		if p.idle.Has(id) {
			p.idle.Remove(id)
		}
		if p.busy(id) {
			p.late = append(p.late, id)
			p.ins = slices.DeleteFunc(p.ins, func(x Swap) bool { return x.Block == id }) // nobody wants it any more
		} else {
			p.free.Prepend(id)
		}
	}
}

func (p *statePool) endStep() {
	p.free.Prepend(p.late...)
	p.late = p.late[:0]
	p.outs, p.ins = p.outs[:0], p.ins[:0]
	p.host.endStep()
	p.step++
}

// HasStates says whether sequences keep states.
func (m *Manager) HasStates() bool { return m.states != nil }

// States gives the slots of the sequence's row in the open step: where it reads its state, and where it leaves it.
func (t *BlockTable) States() (from, to int32) { return t.from, t.state }

// canMoveState says whether the open step could move a table's state.
func (m *Manager) canMoveState(t *BlockTable) bool {
	return m.states == nil || m.states.alone(t.state) || m.states.canTake()
}

// moveState has the open step move a table's state. The caller has asked canMoveState.
func (m *Manager) moveState(t *BlockTable) {
	p := m.states
	if p == nil {
		return
	}
	t.from = t.state
	switch {
	case p.alone(t.state) && p.slots[t.state].kept == 0:
	case p.alone(t.state) && !p.canTake():
		m.unkeepAll(t.state)
	default:
		to := m.takeState()
		if t.state != NullState {
			p.slots[t.state].read = p.step
			p.unref(t.state)
		}
		t.state = to
	}
	p.slots[t.state].written = p.step
}

// takeState gives out a free slot, or the one that is kept and was used longest ago.
func (m *Manager) takeState() int32 {
	p := m.states
	if p.free.Len() == 0 {
		if id, ok := p.oldest(); ok {
			m.unkeepAll(id)
			m.stats.SnapshotsEvicted++
		}
	}
	id, err := p.free.Pop()
	if err != nil {
		return NullState
	}
	p.slots[id] = stateSlot{refs: 1}
	return id
}

// unkeepAll has nobody keep a slot.
func (m *Manager) unkeepAll(id int32) {
	for _, t := range m.live {
		t.kept = slices.DeleteFunc(t.kept, func(k kept) bool {
			if k.slot == id {
				m.states.slots[id].kept--
			}
			return k.slot == id
		})
	}
	if m.states.slots[id].block != NullBlock {
		m.pool.dropSnapshot(m.states.slots[id].block)
		return
	}
	m.states.settle(id)
}

// setState makes a slot a table's state.
func (m *Manager) setState(t *BlockTable, id int32) {
	m.states.ref(id)
	m.states.unref(t.state)
	t.from, t.state = NullState, id
}

// dropState gives back a table's slot, and those that it keeps.
func (m *Manager) dropState(t *BlockTable) {
	if m.states != nil {
		m.unkeepFrom(t, 0)
		m.setState(t, NullState)
	}
}
