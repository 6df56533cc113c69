package schedule

import (
	"cmp"
	"container/heap"
	"maps"
	"slices"

	"quire/paging"
)

// waiting is the queue for admission. Preempted requests have had their turn: within a priority they come first, by
// arrival. The others wait by priority; within one, tenants take turns, and a tenant's own requests come in order of
// arrival.
type waiting struct {
	preempted []*request     // by priority, arrival
	levels    map[int]*level // by priority
	busy      []*level       // those that have requests, by priority
	maxLevels int            // to remember before idle ones are dropped
	fresh     int            // requests that were never admitted
}

type level struct {
	priority   int
	tenants    map[string]*tenant
	active     turns // tenants that have requests
	began      uint64
	turn       uint64
	maxTenants int // to remember before idle ones are looked through
}

type tenant struct {
	name   string
	queue  []*request // by arrival, from head on
	head   int
	served uint64 // the turn it had last
	began  uint64 // among those that became active
	place  int    // in turns
}

// turns is a heap of tenants, so that a step costs the same however many wait. First is the one that has waited longest
// since its last turn; among equals the one whose first request came first.
type turns []*tenant

func (t turns) Len() int { return len(t) }

func (t turns) Less(i, j int) bool {
	a, b := t[i], t[j]
	return cmp.Or(
		cmp.Compare(a.served, b.served),
		cmp.Compare(a.queue[a.head].Arrival, b.queue[b.head].Arrival),
		cmp.Compare(a.began, b.began),
	) < 0
}

func (t turns) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].place, t[j].place = i, j
}

func (t *turns) Push(x any) {
	a := x.(*tenant)
	a.place = len(*t)
	*t = append(*t, a)
}

func (t *turns) Pop() any {
	last := len(*t) - 1
	a := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	return a
}

// place is where a priority stands among the busy.
func (w *waiting) place(priority int) int {
	at, _ := slices.BinarySearchFunc(w.busy, priority, func(l *level, p int) int { return cmp.Compare(l.priority, p) })
	return at
}

// level gives the level of a priority, new or remembered.
func (w *waiting) level(priority int) *level {
	l := w.levels[priority]
	if l != nil {
		return l
	}
	if len(w.levels) >= max(64, w.maxLevels) {
		maps.DeleteFunc(w.levels, func(_ int, l *level) bool { return len(l.active) == 0 })
		w.maxLevels = 2 * len(w.levels)
	}
	if w.levels == nil {
		w.levels = map[int]*level{}
	}
	l = &level{priority: priority, tenants: map[string]*tenant{}, maxTenants: 1024}
	w.levels[priority] = l
	return l
}

// add queues a request that has not run yet.
func (w *waiting) add(r *request) {
	l := w.level(r.Priority)
	t := l.tenants[r.Tenant]
	if t == nil {
		t = &tenant{name: r.Tenant}
		l.tenants[r.Tenant] = t
	}
	active := len(t.queue) > 0
	i := len(t.queue)
	for i > t.head && r.Arrival < t.queue[i-1].Arrival {
		i--
	}
	t.queue = append(t.queue, r)
	copy(t.queue[i+1:], t.queue[i:])
	t.queue[i] = r
	w.fresh++
	if active {
		heap.Fix(&l.active, t.place)
		return
	}
	if len(l.active) == 0 {
		w.busy = slices.Insert(w.busy, w.place(l.priority), l)
	}
	l.began++
	t.began = l.began
	heap.Push(&l.active, t)
}

// back queues a request that has run.
func (w *waiting) back(r *request) {
	i := len(w.preempted)
	for i > 0 && r.before(w.preempted[i-1]) {
		i--
	}
	w.preempted = append(w.preempted, r)
	copy(w.preempted[i+1:], w.preempted[i:])
	w.preempted[i] = r
}

// peek gives the request to admit next, or nil.
func (w *waiting) peek() *request {
	if len(w.preempted) > 0 && (len(w.busy) == 0 || w.preempted[0].Priority <= w.busy[0].priority) {
		return w.preempted[0]
	}
	if len(w.busy) == 0 {
		return nil
	}
	first := w.busy[0].active[0]
	return first.queue[first.head]
}

// admit takes the request that peek gave out of the queue; its tenant has had its turn.
func (w *waiting) admit(r *request) {
	if len(w.preempted) > 0 && w.preempted[0] == r {
		w.preempted = slices.Delete(w.preempted, 0, 1)
		return
	}
	l := w.levels[r.Priority]
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
	l := w.levels[r.Priority]
	t := l.tenants[r.Tenant]
	if i := slices.Index(t.queue[t.head:], r); i >= 0 {
		w.drop(l, t, t.head+i)
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
		heap.Fix(&l.active, t.place)
		return
	}
	heap.Remove(&l.active, t.place)
	if len(l.active) == 0 {
		at := w.place(l.priority)
		w.busy = slices.Delete(w.busy, at, at+1)
	}
	t.queue, t.head = t.queue[:0], 0
	if len(l.tenants) > l.maxTenants {
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
	l.maxTenants = max(1024, 2*len(l.tenants))
}

// queueFull says whether QueueLimit requests wait already. One for which there is room does not wait: it was not there
// yet when the last step was made, or the next ones let it in as they have budget.
func (s *Scheduler) queueFull() bool {
	limit := s.config.QueueLimit
	return limit > 0 && s.waiting.fresh >= limit && s.waiting.fresh-s.welcome() >= limit
}

// welcome counts the waiting requests, in about their order, that have lanes, and blocks for their first chunk, without
// anybody ending.
func (s *Scheduler) welcome() int {
	if len(s.waiting.preempted) > 0 {
		return 0
	}
	lanes, free := s.config.MaxSeqs-s.reserved, s.cache.Pool().Free()
	if len(s.running) > 0 {
		free -= s.config.Watermark
	}
	n, seen := 0, map[paging.Hash]bool{}
	for _, l := range s.waiting.busy {
		for _, t := range l.active {
			for _, r := range t.queue[t.head:] {
				if lanes -= r.lanesNeeded(); lanes < 0 {
					return n
				}
				table, first := r.members[0].table, len(r.Prompt)
				if !s.config.NoChunking {
					first = min(first, s.cache.Match(table, r.Prompt)+s.chunk(s.budget()))
				}
				free -= s.cache.Wants(table, r.Prompt, first, seen)
				if free < 0 && len(s.running)+n > 0 {
					return n
				}
				n++
			}
		}
	}
	return n
}
