package schedule

import "math"

// A step may compute all tokens that were forced. But where they make it larger than one of Config.StepRows, the others, which have a token
// each in it, wait longer for it than a few are worth: the rest of them then goes with the steps that follow.

// StepRows is a number of tokens beyond which a step takes longer at once, and how many are worth that.
type StepRows struct{ Rows, Worth int }

// catchesUp says whether tokens are to be computed that were forced.
func (q *sequence) catchesUp() bool { return q.decodes() && q.computed < q.forced }

// roomForForced is how many forced tokens the next step may have beyond one a sequence: any number where less than half of one of
// Config.StepRows has to be computed.
func (s *Scheduler) roomForForced(budget int) int {
	s.moreForced = math.MaxInt - 1
	least, all := 0, 0
	for _, q := range s.running {
		if !q.decodes() {
			return s.moreForced
		}
		n := s.share(q, budget)
		all += n
		if q.catchesUp() {
			n = min(n, 1)
		}
		least += n
	}
	for _, r := range s.config.StepRows {
		if least <= r.Rows && 2*least > r.Rows && all > r.Rows && all < r.Worth {
			return r.Rows - least
		}
	}
	return s.moreForced
}
