package paging

import "slices"

// While a draft is verified nobody knows how many of its tokens will stay, so a step leaves the state behind each of them.

// SpareStates is how many slots nobody's state is in.
func (m *Manager) SpareStates() int { return m.states.free.Len() + m.states.idle.Len() }

// KeepDraft keeps the states that the open step leaves before each of t's last n tokens, as far as there are slots, until
// DropDrafts: Truncate goes back to them. It appends their slots, in order of the tokens.
func (m *Manager) KeepDraft(t *BlockTable, n int, slots []int32) []int32 {
	p := m.states
	for tokens := t.tokens - n; tokens < t.tokens && p.canTake(); tokens++ {
		id := m.takeState()
		p.slots[id].written = p.step
		p.slots[id].kept++
		p.unref(id)
		t.kept = append(t.kept, kept{tokens: tokens, slot: id, drafts: true})
		slots = append(slots, id)
	}
	return slots
}

// DropDrafts drops the states that KeepDraft kept. The last of them that ends a block of t is published with it, and rolls.
func (m *Manager) DropDrafts(t *BlockTable) {
	for i := len(t.kept) - 1; m.cache && i >= 0; i-- {
		if k := &t.kept[i]; k.drafts && k.tokens%m.size == 0 {
			k.drafts, k.rolls = false, true
			break
		}
	}
	t.kept = slices.DeleteFunc(t.kept, func(k kept) bool {
		if k.drafts {
			m.states.unkeep(k.slot)
		}
		return k.drafts
	})
}
