package paging

// States: layers without K and V keep a state a sequence, not rows a token. A slot holds the states of all such layers
// after the same tokens of one sequence; ids mean the same place in every layer. A row of a step reads its sequence's
// state from one slot and writes what is left of it after the row's last token to another, or to the same where nobody
// else needs it: sharing costs no copies. Slot 0 is never written: the state before a sequence's first token.

// NullState is the slot of a sequence that has computed nothing: all zeros.
const NullState int32 = 0

// stateSlot is what the pool knows of one slot.
type stateSlot struct {
	refs    int32  // tables whose state it is
	read    uint64 // the last step that read it
	written uint64 // the last step that wrote it
}

// statePool owns the slots. One that the open step reads or writes is given out by the next one at the earliest.
type statePool struct {
	slots []stateSlot
	queue *FreeQueue
	late  []int32 // free once the open step ends
}

func newStatePool(slots int) *statePool {
	p := &statePool{slots: make([]stateSlot, slots), queue: NewFreeQueue(slots)}
	for id := 1; id < slots; id++ {
		p.queue.Append(int32(id))
	}
	return p
}

// canMove says whether a sequence whose state is in a slot could write the next one.
func (p *statePool) canMove(id int32, step uint64) bool { return p.sole(id, step) || p.queue.Len() > 0 }

// sole says whether a slot may be written by the one sequence that has it: no other row of the open step reads it.
func (p *statePool) sole(id int32, step uint64) bool {
	return id != NullState && p.slots[id].refs == 1 && p.slots[id].read != step
}

// move gives the slot that the open step writes for a sequence whose state is in id. The caller has asked canMove.
func (p *statePool) move(id int32, step uint64) int32 {
	to := id
	if !p.sole(id, step) {
		to, _ = p.queue.Pop()
		p.slots[to].refs = 1
		p.slots[id].read = step
		p.unref(id, step)
	}
	p.slots[to].written = step
	return to
}

func (p *statePool) ref(id int32) {
	if id != NullState {
		p.slots[id].refs++
	}
}

func (p *statePool) unref(id int32, step uint64) {
	if id == NullState {
		return
	}
	if p.slots[id].refs--; p.slots[id].refs > 0 {
		return
	}
	if p.slots[id].read == step || p.slots[id].written == step {
		p.late = append(p.late, id)
		return
	}
	p.queue.Prepend(id)
}

func (p *statePool) endStep() {
	p.queue.Prepend(p.late...)
	p.late = p.late[:0]
}

// HasStates says whether sequences keep states.
func (m *Manager) HasStates() bool { return m.states != nil }

// States gives the slots of the sequence's row in the open step: where it reads its state, and where it leaves it.
func (t *BlockTable) States() (from, to int32) { return t.from, t.state }

// canMoveState says whether the open step could move a table's state.
func (m *Manager) canMoveState(t *BlockTable) bool {
	return m.states == nil || m.states.canMove(t.state, m.step)
}

// moveState has the open step move a table's state.
func (m *Manager) moveState(t *BlockTable) {
	if m.states != nil {
		t.from = t.state
		t.state = m.states.move(t.state, m.step)
	}
}

// dropState gives a table's slot back.
func (m *Manager) dropState(t *BlockTable) {
	if m.states != nil {
		m.states.unref(t.state, m.step)
		t.from, t.state = NullState, NullState
	}
}
