package schedule

// Snapshots of sequences' states: a chunk ends where one is due, and whoever shares the text up to there, or goes on with it
// later, begins there. One is due every SnapshotInterval tokens and at the last full block of a prompt; a sequence that samples
// has one at its last full block, which rolls on with it. Further samples of a prompt fork from the state before its last token.

// lastFull is the end of the last full block of q's prompt that a lookup of the prompt can find.
func (s *Scheduler) lastFull(q *sequence) int {
	return (q.prompt - 1) / s.config.BlockSize * s.config.BlockSize
}

// untilDue shortens a chunk of n tokens from a position on so that it ends where a state is to be kept.
func (s *Scheduler) untilDue(q *sequence, from, n int) int {
	if !s.cache.HasStates() || s.config.NoChunking {
		return n
	}
	every := s.config.SnapshotInterval
	next := from/every*every + every
	for _, due := range []int{s.lastFull(q), s.forkPoint(q)} {
		if due > from {
			next = min(next, due)
		}
	}
	return min(n, next-from)
}

// forkPoint is where samples that wait for q's prompt fork from it; 0 where none do.
func (s *Scheduler) forkPoint(q *sequence) int {
	if len(q.request.unforked) == 0 {
		return 0
	}
	return q.prompt - 1
}

// keep keeps the state that a step leaves where it is due.
func (s *Scheduler) keep(q *sequence) {
	if !s.cache.HasStates() {
		return
	}
	end := q.computed
	if end == s.forkPoint(q) {
		s.cache.KeepFork(q.table)
	}
	if end%s.config.BlockSize != 0 {
		return
	}
	switch every := end%s.config.SnapshotInterval == 0; {
	case every || end == s.lastFull(q) || end == q.prompt:
		s.cache.Snapshot(q.table, false)
	case end > q.prompt:
		s.cache.Snapshot(q.table, true)
	}
}
