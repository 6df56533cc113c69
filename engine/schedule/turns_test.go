package schedule

import "slices"

// times are what a stretch of turns is like, so that what is rare among all kinds of turns comes often in some stretches.
type times struct {
	landEach int // of two requests
	alone    bool
	busy     bool // requests come and run, and little else happens
}

func (w *walk) otherTimes() times {
	if w.from.below(2) == 0 {
		return times{landEach: w.from.below(3), alone: w.from.below(2) == 0, busy: w.from.below(4) == 0}
	}
	return times{landEach: 2, alone: true, busy: true} // who has to go is then often in no step, and no step is made
}

// some gives a live sequence; often one that was preempted, for few are.
func (w *walk) some() uint64 {
	if n := len(w.waiting.preempted); n > 0 && w.from.below(2) == 0 {
		members := w.waiting.preempted[w.from.below(n)].members
		if id := members[w.from.below(len(members))].id; slices.Contains(w.ids, id) {
			return id
		}
	}
	return w.ids[w.from.below(len(w.ids))]
}

func (w *walk) turn() {
	w.memory.turn++
	if w.memory.turn%128 == 1 {
		w.times = w.otherTimes()
	}
	kind := w.from.below(100)
	if w.times.busy && kind >= 8 && kind < 45 && w.from.below(8) > 0 {
		kind = 58
	}
	if kind >= 11 && kind < 30 && w.from.below(2) == 0 { // most of it has to wait for that
		for len(w.flight) > 0 {
			w.land(w.flight[0].number)
		}
	}
	var id uint64
	if len(w.ids) > 0 {
		id = w.some()
	} else if kind >= 8 && kind < 30 {
		kind = 0
	}
	if len(w.cache.SwapOuts()) > 0 && w.from.below(2) == 0 { // without a step to do it: that is rare too
		kind = 32
	}
	switch {
	case kind < 8:
		w.add()
	case kind < 9:
		w.cancel(id)
	case kind < 10:
		w.deadline(id)
	case kind < 11:
		w.finish(id)
	case kind < 17:
		w.fork(id)
	case kind < 19:
		w.replace(id)
	case kind < 20:
		w.force(id)
	case kind < 28:
		w.truncate(id)
	case kind < 30:
		w.turnBeams(id)
	case kind < 31:
		w.fail()
	case kind < 32:
		w.lose()
	case kind < 45:
		w.hold()
	case kind < 58 && len(w.flight) > 0:
		w.land(w.flight[0].number)
	case kind < 68 && id != 0:
		w.draft(id)
	case kind < 70 && id != 0:
		w.force(id)
	case kind < 72 && id != 0:
		w.redraw(id)
	default:
		w.schedule()
	}
	if w.check {
		w.must(w.Check())
	}
}
