package schedule

import "slices"

// waiting is the queue for admission. Preempted requests have had their turn: within a priority they come first, by
// arrival. The others wait by priority; within one, tenants take turns, and a tenant's own requests come in order of
// arrival.
type waiting struct {
	preempted []*request // by priority, arrival
	levels    []*level   // by priority
	fresh     int        // requests that were never admitted
}

type level struct {
	priority int
	tenants  map[string]*tenant
	active   []*tenant // that have requests
	turn     uint64
	most     int // tenants to remember before idle ones are looked through
}

type tenant struct {
	name   string
	queue  []*request // by arrival, from head on
	head   int
	served uint64 // the turn it had last
}

func (w *waiting) level(priority int) (int, bool) {
	return slices.BinarySearchFunc(w.levels, priority, func(l *level, p int) int { return l.priority - p })
}

// add queues a request that has not run yet.
func (w *waiting) add(r *request) {
	at, ok := w.level(r.Priority)
	if !ok {
		w.levels = slices.Insert(w.levels, at, &level{priority: r.Priority, tenants: map[string]*tenant{}, most: 1024})
	}
	l := w.levels[at]
	t := l.tenants[r.Tenant]
	if t == nil {
		t = &tenant{name: r.Tenant}
		l.tenants[r.Tenant] = t
	}
	if len(t.queue) == 0 {
		l.active = append(l.active, t)
	}
	i := len(t.queue)
	for i > t.head && r.Arrival < t.queue[i-1].Arrival {
		i--
	}
	t.queue = slices.Insert(t.queue, i, r)
	w.fresh++
}

// back queues a request that has run.
func (w *waiting) back(r *request) {
	i := len(w.preempted)
	for i > 0 && r.before(w.preempted[i-1]) {
		i--
	}
	w.preempted = slices.Insert(w.preempted, i, r)
}

// next is the tenant whose turn it is: the one that has waited longest since its last turn; among equals the one whose
// first request came first.
func (l *level) next() *tenant {
	var best *tenant
	for _, t := range l.active {
		if best == nil || t.served < best.served ||
			t.served == best.served && t.queue[t.head].Arrival < best.queue[best.head].Arrival {
			best = t
		}
	}
	return best
}

// peek gives the request to admit next, or nil.
func (w *waiting) peek() *request {
	for _, l := range w.levels {
		if len(w.preempted) > 0 && w.preempted[0].Priority <= l.priority {
			break
		}
		if t := l.next(); t != nil {
			return t.queue[t.head]
		}
	}
	if len(w.preempted) > 0 {
		return w.preempted[0]
	}
	return nil
}

// admit takes the request that peek gave out of the queue; its tenant has had its turn.
func (w *waiting) admit(r *request) {
	if len(w.preempted) > 0 && w.preempted[0] == r {
		w.preempted = slices.Delete(w.preempted, 0, 1)
		return
	}
	at, _ := w.level(r.Priority)
	l := w.levels[at]
	t := l.tenants[r.Tenant]
	l.turn++
	t.served = l.turn
	w.drop(l, t, t.head)
}

// remove takes a cancelled request out, wherever it waits.
func (w *waiting) remove(r *request) {
	if i := slices.Index(w.preempted, r); i >= 0 {
		w.preempted = slices.Delete(w.preempted, i, i+1)
		return
	}
	at, ok := w.level(r.Priority)
	if !ok {
		return
	}
	t := w.levels[at].tenants[r.Tenant]
	if i := slices.Index(t.queue[t.head:], r); i >= 0 {
		w.drop(w.levels[at], t, t.head+i)
	}
}

func (w *waiting) drop(l *level, t *tenant, i int) {
	w.fresh--
	if i == t.head {
		t.queue[i] = nil
		t.head++
	} else {
		t.queue = slices.Delete(t.queue, i, i+1)
	}
	if t.head < len(t.queue) {
		if t.head > 64 && t.head > len(t.queue)/2 {
			t.queue = slices.Delete(t.queue, 0, t.head)
			t.head = 0
		}
		return
	}
	t.queue, t.head = t.queue[:0], 0
	l.active = slices.DeleteFunc(l.active, func(o *tenant) bool { return o == t })
	if len(l.tenants) > l.most {
		l.forget()
	}
}

// forget drops idle tenants whose last turn is so long ago that, come back as new ones, they would stand no better.
func (l *level) forget() {
	oldest := l.turn + 1
	for _, t := range l.active {
		oldest = min(oldest, t.served)
	}
	for name, t := range l.tenants {
		if len(t.queue) == 0 && t.served < oldest {
			delete(l.tenants, name)
		}
	}
	l.most = max(1024, 2*len(l.tenants))
}
