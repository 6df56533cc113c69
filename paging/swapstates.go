package paging

import (
	"fmt"
	"slices"
)

// States travel with their tables' blocks: a slot that tables share travels once. Slots that the open step reads for host
// memory, or fills from it, are busy until it ends, so nobody gets them in between.

// StateOuts lists the states that the open step moves to host memory, before anything else it does, until EndStep.
func (m *Manager) StateOuts() []Swap {
	if m.states == nil {
		return nil
	}
	return m.states.outs
}

// StateIns lists the states that the open step takes from host memory, after its swap-outs, until EndStep.
func (m *Manager) StateIns() []Swap {
	if m.states == nil {
		return nil
	}
	return m.states.ins
}

// StateSwapNeed is the number of host states that SwapOut would take.
func (m *Manager) StateSwapNeed(tables ...*BlockTable) int {
	need := 0
	for i, t := range tables {
		if t.state != NullState && !slices.ContainsFunc(tables[:i], func(o *BlockTable) bool { return o.state == t.state }) {
			need++
		}
	}
	return need
}

// stateOut moves the states of tables to host memory; the caller has seen that there is room.
func (m *Manager) stateOut(tables []*BlockTable) {
	if m.states == nil {
		return
	}
	for i, t := range tables {
		if t.state == NullState {
			continue
		}
		if o := slices.IndexFunc(tables[:i], func(o *BlockTable) bool { return o.state == t.state }); o >= 0 {
			t.hostState = tables[o].hostState
			m.states.host.refs[t.hostState]++
			continue
		}
		t.hostState = m.states.host.take()
		m.states.slots[t.state].read = m.step
		m.states.outs = append(m.states.outs, Swap{Block: t.state, Host: t.hostState})
	}
}

// canStateIn says whether there are slots for all tables' states.
func (m *Manager) canStateIn(tables []*BlockTable) bool {
	if m.states == nil {
		return true
	}
	need := len(tables) - m.states.free.Len()
	for id := m.states.idle.next[m.states.idle.end()]; need > 0 && id != m.states.idle.end(); id = m.states.idle.next[id] {
		if !m.states.busy(id) {
			need--
		}
	}
	return need <= 0
}

// stateIn takes slots for the states of tables that come back.
func (m *Manager) stateIn(tables []*BlockTable) {
	if m.states == nil {
		return
	}
	hosts := make([]int32, len(tables))
	for i, t := range tables {
		if t.hostState == NullState {
			continue
		}
		if o := slices.Index(hosts[:i], t.hostState); o >= 0 {
			t.state = tables[o].state
			m.states.ref(t.state)
		} else {
			t.state = m.takeState()
			m.states.slots[t.state].written = m.step
			m.states.ins = append(m.states.ins, Swap{Block: t.state, Host: t.hostState})
		}
		hosts[i], t.hostState = t.hostState, NullState
		if m.states.host.unref(hosts[i]) {
			m.states.host.late = append(m.states.host.late, hosts[i])
		}
	}
}

// discardState gives a swapped table's host state back; what was still to be moved there stays.
func (m *Manager) discardState(t *BlockTable) {
	if m.states == nil || t.hostState == NullState {
		return
	}
	host, p := t.hostState, m.states
	t.hostState = NullState
	switch {
	case !p.host.unref(host):
	case slices.ContainsFunc(p.ins, func(x Swap) bool { return x.Host == host }): // for a table that shared it
		p.host.late = append(p.host.late, host)
	default:
		p.host.free = append(p.host.free, host)
		p.outs = slices.DeleteFunc(p.outs, func(x Swap) bool { return x.Host == host })
	}
}

// checkHostStates proves that each host state is free or referenced as often as swapped tables name it.
func (m *Manager) checkHostStates() error {
	named := make([]int32, len(m.states.host.refs))
	for _, t := range m.swapped {
		if (t.hostState == NullState) != (t.tokens == 0) || t.state != NullState || len(t.kept) > 0 {
			return fmt.Errorf("paging: a swapped table has %d tokens and host state %d", t.tokens, t.hostState)
		}
		named[t.hostState]++
	}
	named[NullState] = 0
	for _, host := range slices.Concat(m.states.host.free, m.states.host.late) {
		if named[host] != 0 {
			return fmt.Errorf("paging: host state %d is free twice, or a table names it", host)
		}
		named[host] = -1
	}
	for host := 1; host < len(named); host++ {
		if named[host] == 0 || max(named[host], 0) != m.states.host.refs[host] {
			return fmt.Errorf("paging: host state %d has %d references, swapped tables name it %d times", host, m.states.host.refs[host], named[host])
		}
	}
	return nil
}
