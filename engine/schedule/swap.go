package schedule

import (
	"quire/engine/step"
	"quire/paging"
)

// Preemption says how a request makes room for others.
type Preemption uint8

const (
	Cheaper   Preemption = iota // by swap where the estimate of its cost is lower
	Recompute                   // it computes its tokens again
	Swap                        // its blocks go to host memory, as long as there is room
)

// Preempted says how a request had to go, and what either way was thought to cost, in the unit of Config.TokenCost and
// Config.BlockCost.
type Preempted struct {
	Sequence  uint64 // the request's first
	Sequences int
	Tokens    int // to compute again
	Blocks    int // to move out, and in again
	Recompute uint64
	Swap      uint64
	Swapped   bool
}

// weigh chooses how r is preempted.
func (s *Scheduler) weigh(r *request) Preempted {
	p := Preempted{Sequence: r.members[0].id, Sequences: len(r.members)}
	tables := s.held(r)
	named, longest := 0, 0
	for _, t := range tables {
		p.Tokens += t.Tokens()
		longest = max(longest, t.Tokens())
		for g := range max(1, len(s.config.Groups)) {
			for _, id := range t.IDs(g) {
				if id != paging.NullBlock {
					named++
				}
			}
		}
	}
	p.Blocks = s.cache.SwapNeed(tables...)
	// What its sequences share is computed once, and moved once.
	p.Tokens = max(longest, p.Tokens-(named-p.Blocks)/max(1, len(s.config.Groups))*s.config.BlockSize)
	p.Recompute, p.Swap = uint64(p.Tokens)*s.config.TokenCost, uint64(p.Blocks)*s.config.BlockCost+uint64(s.cache.StateSwapNeed(tables...))*s.config.StateCost
	switch {
	case p.Blocks == 0 || p.Blocks > s.cache.HostFree():
	case s.config.Preemption == Swap:
		p.Swapped = true
	case s.config.Preemption == Cheaper:
		p.Swapped = p.Swap < p.Recompute
	}
	return p
}

// held lists the tables of r's sequences that have blocks.
func (s *Scheduler) held(r *request) []*paging.BlockTable {
	s.tables = s.tables[:0]
	for _, q := range r.members {
		if q.table.Tokens() > 0 && !q.table.Swapped() {
			s.tables = append(s.tables, q.table)
		}
	}
	return s.tables
}

// away lists the tables of r's sequences that are in host memory.
func (s *Scheduler) away(r *request) []*paging.BlockTable {
	s.tables = s.tables[:0]
	for _, q := range r.members {
		if q.table.Swapped() {
			s.tables = append(s.tables, q.table)
		}
	}
	return s.tables
}

// forgetSwap gives host memory back: r computes its tokens again.
func (s *Scheduler) forgetSwap(r *request) {
	for _, t := range s.away(r) {
		s.cache.Free(t)
	}
}

// forgetSwaps does so for all requests that were swapped out in that step or a later one.
func (s *Scheduler) forgetSwaps(from uint64) {
	for _, r := range s.waiting.preempted {
		if r.swapped >= from {
			s.forgetSwap(r)
		}
	}
}

// landedAway says whether r's blocks have arrived in host memory.
func (s *Scheduler) landedAway(r *request) bool {
	return len(s.flight) == 0 || s.flight[0].number > r.swapped
}

// room is the number of free blocks that r needs to come back, with those for its next tokens.
func (s *Scheduler) room(r *request, budget int) int {
	more, size := 0, s.config.BlockSize
	for _, q := range r.members {
		have := min(q.table.Tokens(), len(q.tokens)-1)
		n := min(len(q.tokens)-have, s.chunk(budget), s.wanted(r))
		blocks := (have+n+size-1)/size - (have+size-1)/size
		if have < q.table.Tokens() && have%size != 0 {
			blocks++ // others may share the block that is written again from its middle on
		}
		more = max(more, blocks)
	}
	if len(r.members) > 1 {
		more++ // a shared block is copied before it is written
	}
	return s.cache.SwapInNeed(s.away(r)...) + more*max(1, len(s.config.Groups))
}

// resume lets a swapped request in again, all its sequences at once, and gives the number of tokens that it computes in
// this step. The caller has seen that its blocks have landed in host memory and that there is room.
func (s *Scheduler) resume(st *step.Step, f *flight, r *request, budget int) int {
	if s.cache.SwapIn(s.away(r)...) != nil {
		s.forgetSwap(r)
		return 0
	}
	for _, q := range r.members {
		s.settle(q)
	}
	s.waiting.admit(r)
	s.start(r)
	for _, q := range r.members {
		if want := s.share(q, budget); want > 0 {
			if n, err := s.place(q, want); err == nil {
				s.emit(st, f, q, n)
				return n
			}
		}
	}
	return 0
}

// settle makes a sequence that came back go on where it was: its last token is computed again when it was dropped or
// replaced meanwhile.
func (s *Scheduler) settle(q *sequence) {
	if over := q.table.Tokens() - (len(q.tokens) - 1); over > 0 {
		if s.cache.Truncate(q.table, over) != nil || q.table.Tokens() == 0 {
			s.cache.Free(q.table)
		}
	}
	q.computed = q.table.Tokens()
}
