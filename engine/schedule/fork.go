package schedule

import (
	"fmt"
	"slices"
)

// forkSamples forks a request's further samples from its computed prompt. Each computes the prompt's last token again,
// for logits of its own. No step in flight holds q: Schedule saw to it.
func (s *Scheduler) forkSamples(q *sequence) {
	r := q.request
	samples := r.unforked
	r.unforked = nil
	for _, id := range samples {
		delete(s.pending, id)
		s.fork(q, id, q.tokens[:q.prompt], q.prompt-1)
	}
	s.cache.DropForks(q.table)
	if q.muted {
		s.end(q, q.prompt)
	}
}

// Fork makes a sequence that shares all of parent's blocks and tokens; Replace gives it another last token. A token that the
// parent has sampled lands first (ErrInFlight); the request must have been added with lanes for it, and one must be free
// (ErrNoLane).
func (s *Scheduler) Fork(parent, child uint64) error {
	q := s.byID[parent]
	switch {
	case q == nil:
		return fmt.Errorf("%w: %d", ErrUnknown, parent)
	case s.known(child):
		return fmt.Errorf("%w: sequence %d is live already", ErrCannot, child)
	case q.unlanded > 0:
		return ErrInFlight
	case !q.request.running || len(q.tokens) <= q.prompt || len(q.request.unforked) > 0:
		return fmt.Errorf("%w: sequence %d is not decoding", ErrCannot, parent)
	}
	r := q.request
	if len(r.members) >= r.capacity {
		return ErrNoLane
	}
	if grow := len(r.members) + 1 - r.reserved; grow > 0 && s.reserved+grow > s.config.MaxSeqs {
		return ErrNoLane
	}
	s.cache.Publish(q.table, q.tokens)
	s.fork(q, child, q.tokens, min(q.computed, len(q.tokens)-1))
	return nil
}

// Truncate drops the last n landed tokens that a sequence sampled, as if they had never been. Steps that
// hold it land first (ErrInFlight). The lane's last token and counts are the caller's to set right; sampling goes on with
// the counter of the first dropped token.
func (s *Scheduler) Truncate(id uint64, n int) error {
	q := s.byID[id]
	switch {
	case q == nil:
		return fmt.Errorf("%w: %d", ErrUnknown, id)
	case q.flights > 0:
		return ErrInFlight
	case n < 0 || n > len(q.tokens)-q.prompt:
		return fmt.Errorf("%w: sequence %d has sampled %d tokens, not %d", ErrCannot, id, len(q.tokens)-q.prompt, n)
	}
	q.tokens = q.tokens[:len(q.tokens)-n]
	q.logits = min(q.logits, len(q.tokens))
	q.draft = q.draft[:0]
	s.rewind(q)
	return nil
}

// fork adds a sequence with these tokens, of which the given number are computed in q's blocks.
func (s *Scheduler) fork(q *sequence, id uint64, tokens []int32, computed int) {
	r := q.request
	f := &sequence{
		id: id, request: r, ordinal: r.members[len(r.members)-1].ordinal + 1, tokens: slices.Clone(tokens),
		prompt: q.prompt, limit: q.limit, lane: noLane, logits: computed,
	}
	table, err := s.cache.Fork(q.table)
	if err == nil {
		err = s.cache.Truncate(table, table.Tokens()-computed)
		if err != nil || table.Tokens() == 0 { // a window has left what the fork needs, or there is nothing to share
			s.cache.Free(table)
		}
	} else {
		table = s.cache.NewTable(r.extras)
	}
	s.cache.DropForks(table)
	table.SkipLookup, table.Sequence = r.AllLogits, id
	f.table, f.computed = table, table.Tokens()
	r.members = append(r.members, f)
	s.byID[id] = f
	if need := r.lanesNeeded(); need > r.reserved {
		s.reserved += need - r.reserved
		r.reserved = need
	}
	s.open(f)
}
