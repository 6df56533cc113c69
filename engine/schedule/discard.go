package schedule

// Discard is Cancel for a sequence whose K and V are no good: lookups find neither its blocks nor those of its request's
// other sequences any more.
func (s *Scheduler) Discard(id uint64) error {
	if r := s.pending[id]; r != nil {
		r.spoiled = true
	} else if q := s.byID[id]; q != nil {
		q.request.spoiled = true
	}
	return s.Cancel(id)
}
