package schedule

import "fmt"

// ahead says whether a sequence of a lockstep request has landed its token and others of the request have not.
func (q *sequence) ahead() bool {
	if !q.request.Lockstep {
		return false
	}
	for _, o := range q.request.members {
		if len(o.tokens) < len(q.tokens) {
			return true
		}
	}
	return false
}

// ready gives the known tokens that may be computed: a sequence that is ahead keeps its last one for later.
func (q *sequence) ready() []int32 {
	if q.ahead() {
		return q.tokens[:len(q.tokens)-1]
	}
	return q.tokens
}

// Replace puts another token in the place of the last landed one, which nothing has computed yet: a beam takes the
// continuation that was chosen for it. Steps that may sample for the sequence land first (ErrInFlight).
func (s *Scheduler) Replace(id uint64, token int32) error {
	q := s.byID[id]
	switch {
	case q == nil:
		return fmt.Errorf("%w: %d", ErrUnknown, id)
	case q.unlanded > 0:
		return ErrInFlight
	case token < 0 || len(q.tokens) == q.prompt || q.computed == len(q.tokens):
		return fmt.Errorf("%w: sequence %d has no sampled token in whose place %d could be", ErrCannot, id, token)
	}
	q.tokens[len(q.tokens)-1] = token
	q.draft = q.draft[:0]
	return nil
}

// Room gives how many tokens a live sequence may still sample.
func (s *Scheduler) Room(id uint64) int {
	if q := s.byID[id]; q != nil {
		return q.limit - q.total()
	}
	return 0
}
