package schedule

import (
	"slices"

	"quire/engine/step"
)

// admit lets waiting requests in, in order and as long as the next one fits: nobody skips ahead.
func (s *Scheduler) admit(st *step.Step, f *flight, budget int) {
	for budget > 0 {
		r := s.waiting.peek()
		if r == nil || s.reserved+r.lanesNeeded() > s.config.MaxSeqs {
			return
		}
		spare := 0
		if len(s.running) > 0 {
			spare = s.config.Watermark
		}
		if len(s.away(r)) > 0 {
			fits := s.room(r, budget) <= s.cache.Pool().Free()-spare
			if !s.landedAway(r) || !fits && len(s.running) > 0 {
				return
			}
			if !fits && s.yield() {
				continue
			}
			if fits && r.swapped != s.cache.Step() {
				budget -= s.resume(st, f, r, budget)
				continue
			}
			s.forgetSwap(r)
		}
		q := r.members[0]
		if s.config.NoChunking && len(q.tokens)-s.cache.Match(q.table, q.tokens) > budget {
			return
		}
		if len(r.members) > 1 && !s.fits(r, spare) {
			return
		}
		chunk, tokens := min(s.chunk(budget), s.wanted(r)), q.ready()
		if s.cache.HasStates() {
			chunk = s.untilDue(q, s.cache.Match(q.table, tokens), chunk)
		}
		hit, err := s.cache.Allocate(q.table, tokens, chunk, spare)
		if err != nil {
			if len(s.running) == 0 && s.yield() {
				continue
			}
			return
		}
		if !r.counted {
			r.counted = true
			s.cache.CountHit(len(q.tokens), hit)
		}
		s.waiting.admit(r)
		q.computed = hit
		s.start(r)
		n := min(len(tokens)-hit, chunk)
		s.emit(st, f, q, n)
		budget -= n
	}
}

// fits says whether all sequences of a request that comes back have room, sharing aside.
func (s *Scheduler) fits(r *request, spare int) bool {
	blocks := 0
	for _, q := range r.members {
		blocks += s.blocks(len(q.tokens))
	}
	return blocks <= s.cache.Pool().Free()-spare || len(s.running) == 0
}

// blocks is how many blocks new tokens of a sequence take, in all groups.
func (s *Scheduler) blocks(tokens int) int {
	size := s.config.BlockSize
	return (tokens + size - 1) / size * max(1, len(s.config.Groups))
}

// start gives a request's sequences their lanes and places among the running.
func (s *Scheduler) start(r *request) {
	r.running = true
	r.reserved = r.lanesNeeded()
	s.reserved += r.reserved
	for _, q := range r.members {
		s.open(q)
	}
}

// open gives a sequence a lane. The caller has reserved it.
func (s *Scheduler) open(q *sequence) {
	ahead := min(q.limit-len(q.tokens), reserveTokens)
	q.tokens = slices.Grow(q.tokens, ahead)
	s.cache.Reserve(q.table, len(q.tokens)+ahead)
	last := len(s.lanes) - 1
	q.lane = s.lanes[last]
	s.lanes = s.lanes[:last]
	at := len(s.running)
	for at > 0 && q.before(s.running[at-1]) {
		at--
	}
	s.running = append(s.running, q)
	copy(s.running[at+1:], s.running[at:])
	s.running[at] = q
	s.opened = append(s.opened, Opened{Sequence: q.id, Lane: q.lane, Sampled: len(q.tokens) - q.prompt, Cached: q.computed})
}
