package schedule

import "math"

// A step may compute all tokens that were forced. But where they make it a little larger than one of Config.StepRows, the others, which
// have a token each in it, wait longer for it than these few are worth: the rest of them then goes with the steps that follow.

// catchesUp says whether tokens are to be computed that were forced.
func (q *sequence) catchesUp() bool { return q.decodes() && q.computed < q.forced }

// roomForForced is how many forced tokens the next step may have beyond one a sequence. A quarter more than one of Config.StepRows is worth
// the time, and so is any number where less than half of these has to be computed.
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
	for _, rows := range s.config.StepRows {
		if least <= rows && 2*least > rows && all > rows && 4*all <= 5*rows {
			return rows - least
		}
	}
	return s.moreForced
}
