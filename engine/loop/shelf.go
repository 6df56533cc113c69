package loop

import "quire/engine/step"

// shelf knows which sets of tokens lie in which slots on the GPU.
type shelf struct {
	slots map[step.Name]int32
	names []step.Name // by slot
	used  []uint64    // when each was last asked for
	now   uint64
	busy  int // slots asked for since begin
}

// reset makes a shelf of n empty slots, of which step.EmptySlot stays so.
func (s *shelf) reset(n int) {
	s.slots, s.names, s.used, s.now = map[step.Name]int32{}, make([]step.Name, n), make([]uint64, n), 1
	s.busy = 0
}

// begin lets slots be written over that were asked for before.
func (s *shelf) begin() { s.now, s.busy = s.now+1, 0 }

// find gives the slot of a set that is there; ok is false where no more than so many would be left to write over.
func (s *shelf) find(name step.Name, spare int) (slot int32, ok bool) {
	if slot, ok = s.slots[name]; !ok || s.used[slot] < s.now && s.busy+1+spare >= len(s.names) {
		return step.EmptySlot, false
	}
	s.use(slot)
	return slot, true
}

func (s *shelf) use(slot int32) {
	if s.used[slot] < s.now {
		s.used[slot] = s.now
		s.busy++
	}
}

// take gives a slot for a set that is not there, the one that nobody has asked for longest; ok is false where no more than so many
// would be left.
func (s *shelf) take(name step.Name, spare int) (slot int32, ok bool) {
	slot = step.EmptySlot
	if s.busy+1+spare >= len(s.names) {
		return slot, false
	}
	for i := 1; i < len(s.used); i++ {
		if s.used[i] < s.now && (slot == step.EmptySlot || s.used[i] < s.used[slot]) {
			slot = int32(i)
		}
	}
	if slot == step.EmptySlot {
		return slot, false
	}
	s.leave(slot)
	s.names[slot] = name
	s.use(slot)
	if name != (step.Name{}) {
		s.slots[name] = slot
	}
	return slot, true
}

// leave empties a slot.
func (s *shelf) leave(slot int32) {
	if s.names[slot] != (step.Name{}) {
		delete(s.slots, s.names[slot])
	}
	s.names[slot] = step.Name{}
}
