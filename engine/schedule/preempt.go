package schedule

import (
	"slices"

	"quire/paging"
)

func (s *Scheduler) inFlight(r *request) bool {
	return slices.ContainsFunc(r.members, func(q *sequence) bool { return q.flights > 0 })
}

// mustDrain looks ahead, changing nothing: would this step preempt a sequence that a step in flight still holds? Its
// blocks and its tokens are not all known then, so that step has to land before anything is decided.
func (s *Scheduler) mustDrain() bool {
	if len(s.flight) == 0 {
		return false
	}
	s.looks++
	free, budget := s.cache.Pool().Free(), s.budget()
	last := len(s.running) - 1
	for i := 0; i < len(s.running) && budget > 0; i++ {
		q := s.running[i]
		n := s.share(q, budget)
		if n == 0 || q.request.mark == s.looks {
			continue
		}
		need := s.cache.Need(q.table, n)
		for need > free && last >= i && q.request.mark != s.looks {
			v := s.running[last].request
			if v.mark == s.looks || s.planned(v, i) {
				last--
				continue
			}
			if s.inFlight(v) {
				return true
			}
			free += s.releases(v)
			v.mark = s.looks
		}
		if q.request.mark != s.looks && need <= free {
			free -= need
			budget -= n
		}
	}
	return false
}

// planned says whether one of r's sequences comes before running[i].
func (s *Scheduler) planned(r *request, i int) bool {
	return slices.ContainsFunc(s.running[:i], func(q *sequence) bool { return q.request == r })
}

// releases counts the blocks that only r's sequences hold, blocks that they share with each other aside.
func (s *Scheduler) releases(r *request) int {
	blocks := 0
	for _, q := range r.members {
		for g := range max(1, len(s.config.Groups)) {
			for _, id := range q.table.IDs(g) {
				if id != paging.NullBlock && s.cache.Pool().Refs(id) == 1 {
					blocks++
				}
			}
		}
	}
	return blocks
}

// preempt takes lanes and blocks from a request that no step in flight holds. Its landed tokens stay. Its blocks go to
// host memory, or it computes its tokens again when it is let in again, less what the prefix cache then still has.
func (s *Scheduler) preempt(r *request) {
	for _, q := range r.members {
		s.cache.Publish(q.table, q.tokens)
	}
	p := s.weigh(r)
	if p.Swapped {
		p.Swapped = s.cache.SwapOut(s.held(r)...) == nil
	}
	if p.Swapped {
		r.swapped = s.cache.Step()
		s.stats.Swaps++
	}
	s.stats.Preemptions++
	s.weighed = append(s.weighed, p)
	s.sendBack(r)
}

// sendBack makes a running request wait again with nothing computed, or swapped.
func (s *Scheduler) sendBack(r *request) {
	for i := len(r.members) - 1; i >= 0; i-- {
		q := r.members[i]
		s.preempted = append(s.preempted, q.id)
		s.close(q)
		q.unlanded, q.flights = 0, 0
		q.draft, q.verify, q.drafted, q.undraft = q.draft[:0], 0, 0, false
	}
	s.reserved -= r.reserved
	r.reserved, r.running = 0, false
	s.waiting.back(r)
}

// close takes a running sequence's lane, and its blocks but for swapped ones.
func (s *Scheduler) close(q *sequence) {
	if !q.table.Swapped() {
		s.cache.Free(q.table)
	}
	q.computed, q.forced = 0, 0
	if q.lane == noLane {
		return
	}
	s.lanes = append(s.lanes, q.lane)
	q.lane = noLane
	at := s.position(q)
	s.running = slices.Delete(s.running, at, at+1)
	s.opened = slices.DeleteFunc(s.opened, func(o Opened) bool { return o.Sequence == q.id })
}
