package schedule

import (
	"math"

	"quire/engine/step"
)

// A draft is what somebody guesses that a sequence will say. The step computes it behind the sequence's last token and samples
// at every place, with the counters that those tokens would have had anyway: as long as what is drawn is what was drafted,
// the next draw is as good as any, and what comes behind the first difference is dropped. So the text is the same with drafts
// and without, however it is drawn.
//
// Where a token falls is known only once it has landed, so a sequence with a draft runs in no other step meanwhile, and
// nobody runs ahead of it.

// Drafter guesses at what follows a sequence's landed tokens, the prompt first: at most so many behind those that are in flight,
// with which the guess begins.
type Drafter interface {
	Draft(tokens []int32, inFlight, most int) []int32
}

// Draft asks for a draft of a sequence for the next step: call it when its tokens have landed. Nobody is asked where none can be
// verified, or it would cost too much: with LandEach, Lockstep and AllLogits, beyond Config.DraftRows, and where states have no
// slots to spare.
func (s *Scheduler) Draft(id uint64, d Drafter) {
	q := s.byID[id]
	if q == nil || q.drafted > 0 {
		return
	}
	q.draft = q.draft[:0]
	if !s.drafts(q) {
		return
	}
	most := min(s.config.DraftRows-len(s.running), q.limit-q.total()-1, s.spareStates())
	if s.config.MoreLogits > 0 {
		most = min(most, s.config.MoreLogits)
	}
	if most < 1 {
		return
	}
	if tokens := d.Draft(q.tokens, q.unlanded, most); len(tokens) > q.unlanded {
		q.draft = append(q.draft, tokens...)
	}
}

// drafts says whether drafts of a sequence can be verified.
func (s *Scheduler) drafts(q *sequence) bool {
	r := q.request
	return r.running && !s.config.NoChunking &&
		!r.LandEach && !r.Lockstep && !r.AllLogits && r.Pooling == step.NoPooling
}

// spareStates is how many states drafts may keep: what no row needs to write its own, and a request that comes in.
func (s *Scheduler) spareStates() int {
	if !s.cache.HasStates() {
		return math.MaxInt
	}
	return s.cache.SpareStates() - len(s.running) - 1
}

// keepStates has the step leave the state after each token of a row but the last, whose draft may end there.
func (s *Scheduler) keepStates(st *step.Step, q *sequence, first, drafted int) {
	if drafted == 0 || !s.cache.HasStates() {
		return
	}
	s.kept = s.cache.KeepDraft(q.table, drafted, s.kept[:0])
	for i, slot := range s.kept {
		st.Keeps = append(st.Keeps, step.Keep{Token: int32(first + i), Slot: slot})
	}
}

// awaited says whether a sequence with a draft is in flight.
func (s *Scheduler) awaited() bool {
	for _, q := range s.running {
		if len(q.draft) > 0 && q.flights > 0 {
			return true
		}
	}
	return false
}

// shareDrafts settles how much of each draft the next step verifies: what no other sequence needs of blocks, and an equal share
// of the rows.
func (s *Scheduler) shareDrafts() {
	drafting := 0
	for _, q := range s.running {
		if q.drafted > 0 {
			return // it is awaited
		}
		q.verify = 0
		if len(q.draft) > 0 {
			drafting++
		}
	}
	if drafting == 0 {
		return
	}
	rows, free, states := s.config.DraftRows-len(s.running), s.cache.Pool().Free(), s.spareStates()
	for _, q := range s.running {
		free -= max(0, s.cache.Need(q.table, s.share(q, s.budget())))
	}
	for _, q := range s.running {
		if len(q.draft) == 0 {
			continue
		}
		if q.total()-q.computed == 1 {
			n := max(0, min(len(q.draft), rows/drafting, q.limit-q.total()-1, states))
			plain := s.cache.Need(q.table, 1)
			for n > 0 && s.cache.Need(q.table, 1+n)-plain > free {
				n--
			}
			free -= s.cache.Need(q.table, 1+n) - plain
			rows, states = rows-n, states-n
			q.verify = n
		}
		drafting--
		if q.verify == 0 {
			q.draft = q.draft[:0]
		}
	}
}

// Undraft says that what the oldest step in flight made of a sequence is no good. Where a draft may be why, it is true: nothing of
// that step lands then, and the sequence's last token is computed again, alone.
func (s *Scheduler) Undraft(id uint64) bool {
	q := s.byID[id]
	if q == nil || q.drafted == 0 {
		return false
	}
	q.undraft = true
	return true
}

// landDraft takes what was drawn at a sequence's last token and behind each token of its draft.
func (s *Scheduler) landDraft(q *sequence, drawn []int32, index int) {
	drafted := len(drawn) - 1
	q.unlanded, q.drafted = q.unlanded-1, 0
	if q.undraft {
		q.undraft, q.draft = false, q.draft[:0]
		s.rewind(q)
		return
	}
	accepted := 0
	for i, token := range drawn {
		s.land(q, token, index+i)
		if i == drafted || q.ended || token != q.draft[i] {
			break
		}
		accepted++
	}
	if drafted > 0 {
		last := &s.landed[len(s.landed)-1]
		last.Drafted, last.Accepted = drafted, accepted
		s.stats.Drafts++
		s.stats.Drafted += uint64(drafted)
		s.stats.Accepted += uint64(accepted)
		if !q.ended {
			s.rewind(q)
		}
	}
	q.draft = q.draft[:0]
}

// rewind drops what is computed behind a sequence's tokens; the last of them needs no slot yet.
func (s *Scheduler) rewind(q *sequence) {
	if keep := min(q.computed, len(q.tokens)-1); keep < q.computed {
		s.cut(q, keep)
	}
	if s.cache.HasStates() {
		s.cache.DropDrafts(q.table)
	}
}

// cut leaves of a sequence what is computed of its first tokens, or less.
func (s *Scheduler) cut(q *sequence, keep int) {
	if keep == 0 || s.cache.Truncate(q.table, q.computed-keep) != nil {
		s.cache.Free(q.table) // what a window has left behind is computed again
	}
	if q.computed = q.table.Tokens(); q.computed == 0 {
		s.cache.Free(q.table)
	}
}
