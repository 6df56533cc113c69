package schedule

import (
	"fmt"
	"slices"

	"quire/engine/step"
	"quire/paging"
)

// Reason says why a sequence ended.
type Reason uint8

const (
	Going     Reason = iota // it has not
	Stopped                 // a stop token, or End
	Length                  // MaxTokens, or the context's end
	Cancelled               // Cancel
	Computed                // its prompt is, and Pooling asks for no more
)

// Landed is a sampled token that a sequence keeps, or with Computed that its prompt is. Tokens behind a stop are surplus and
// never appear.
type Landed struct {
	Sequence uint64
	Token    int32
	Index    int // into Land's tokens
	Reason   Reason
	Drafted  int // of the last token of a sequence in the list: tokens of the draft that was verified,
	Accepted int // and of them those that are right
}

// Land takes the tokens that the oldest step in flight sampled, one for each Output with Sample, in order, and gives the
// kept ones. A sequence that ends gives its lane and blocks back at once: steps in flight may still write them, and only
// later steps get them. The slice is valid until the next call. ErrOrder changes nothing.
func (s *Scheduler) Land(number uint64, tokens []int32) ([]Landed, error) {
	if len(s.flight) == 0 || s.flight[0].number != number {
		return nil, fmt.Errorf("%w: step %d", ErrOrder, number)
	}
	f := s.flight[0]
	if len(tokens) != f.samples {
		return nil, fmt.Errorf("%w: step %d sampled %d tokens, not %d", ErrOrder, number, f.samples, len(tokens))
	}
	s.flight = slices.Delete(s.flight, 0, 1)
	s.spare = append(s.spare, f)
	s.landed = s.landed[:0]
	index := 0
	for _, row := range f.rows {
		q := row.sequence
		q.flights--
		index += row.samples
		if q.ended {
			continue
		}
		q.logits = max(q.logits, row.end)
		if row.end >= q.prompt && len(q.request.unforked) > 0 {
			s.forkSamples(q)
		}
		switch {
		case q.ended, row.void:
		case row.samples > 0:
			s.landDraft(q, tokens[index-row.samples:index], index-row.samples)
		case q.request.Pooling != step.NoPooling && row.end == q.prompt:
			s.landed = append(s.landed, Landed{Sequence: q.id, Reason: Computed})
			s.end(q, q.prompt)
		}
	}
	return s.landed, nil
}

// Force gives a sequence tokens that nobody draws, as many as it has room for, and says how many that were and whether it ends with
// the last of them. What steps in flight draw for it is dropped. One that verifies a draft lands first (ErrInFlight); a sequence whose
// request's others wait for it is given none (ErrCannot).
func (s *Scheduler) Force(id uint64, tokens []int32) (taken int, reason Reason, err error) {
	q := s.byID[id]
	switch {
	case q == nil:
		return 0, Going, fmt.Errorf("%w: %d", ErrUnknown, id)
	case q.drafted > 0:
		return 0, Going, ErrInFlight
	case q.muted || len(q.request.unforked) > 0 || q.request.Lockstep:
		return 0, Going, fmt.Errorf("%w: others wait for sequence %d", ErrCannot, id)
	}
	s.void(q, len(q.tokens))
	if q.table.Swapped() && q.table.Tokens() >= len(q.tokens) {
		s.cache.Free(q.table) // it holds what was replaced since
	}
	taken = min(len(tokens), q.limit-len(q.tokens))
	q.tokens = append(q.tokens, tokens[:taken]...)
	q.draft, q.forced = q.draft[:0], len(q.tokens)
	if len(q.tokens) >= q.limit {
		reason = Length
		s.end(q, len(q.tokens)-1)
	}
	return taken, reason, nil
}

// Redraw drops what steps in flight draw for a sequence: its last token is computed again, and what follows is drawn then. Where
// others wait for it, or a draft is verified, nothing was drawn that could be wrong (ErrCannot, ErrInFlight).
func (s *Scheduler) Redraw(id uint64) error {
	q := s.byID[id]
	switch {
	case q == nil:
		return fmt.Errorf("%w: %d", ErrUnknown, id)
	case q.drafted > 0:
		return ErrInFlight
	case q.muted || len(q.request.unforked) > 0 || q.request.Lockstep || len(q.tokens) == q.prompt:
		return fmt.Errorf("%w: others wait for sequence %d", ErrCannot, id)
	}
	if q.unlanded > 0 {
		s.void(q, len(q.tokens)-1)
		q.draft = q.draft[:0]
	}
	return nil
}

// Void says whether nothing of what the oldest step in flight draws for a sequence lands, after Force or Redraw: it may have run on a
// token that the sequence does not say.
func (s *Scheduler) Void(id uint64) bool {
	return len(s.flight) > 0 && slices.ContainsFunc(s.flight[0].rows, func(r flightRow) bool { return r.void && r.sequence == s.byID[id] })
}

// void has nothing land that steps in flight draw for a sequence, and leaves of it what is computed of its first tokens.
func (s *Scheduler) void(q *sequence, keep int) {
	q.unlanded = 0
	for _, f := range s.flight {
		for i := range f.rows {
			if row := &f.rows[i]; row.sequence == q && row.samples > 0 {
				row.void = true
			}
		}
	}
	if q.computed > keep {
		s.cut(q, keep)
	}
}

func (s *Scheduler) land(q *sequence, token int32, index int) {
	q.tokens = append(q.tokens, token)
	reason := Going
	sampled := len(q.tokens) - q.prompt
	switch {
	case sampled >= q.request.MinTokens && slices.Contains(q.request.StopTokens, token):
		reason = Stopped
	case len(q.tokens) >= q.limit:
		reason = Length
	}
	s.stats.Sampled++
	s.landed = append(s.landed, Landed{Sequence: q.id, Token: token, Index: index, Reason: reason})
	if reason != Going {
		s.end(q, len(q.tokens)-1)
	}
}

// end takes a sequence out. Of its tokens the first known may be in published blocks: not a stop token, nor surplus.
func (s *Scheduler) end(q *sequence, known int) {
	r := q.request
	q.ended = true
	delete(s.byID, q.id)
	if r.spoiled {
		s.cache.Forget(q.table)
	} else if q.lane != noLane {
		s.cache.Publish(q.table, q.tokens[:known])
	}
	s.close(q)
	s.cache.Free(q.table)
	r.members = slices.DeleteFunc(r.members, func(o *sequence) bool { return o == q })
	if r.running {
		keep := 0
		if len(r.members) > 0 {
			keep = r.lanesNeeded()
		}
		s.reserved += keep - r.reserved
		r.reserved = keep
	}
	if len(r.members) == 0 {
		if !r.running {
			s.waiting.remove(r)
		}
		s.live--
	}
}

// End takes a sequence out at the last of its landed tokens but so many, which the caller takes for its stop: call it between
// the landing of that token and the next step. One that has no landed token is cancelled.
func (s *Scheduler) End(id uint64, but int) error {
	q := s.byID[id]
	if q == nil {
		return fmt.Errorf("%w: %d", ErrUnknown, id)
	}
	if len(q.tokens) == q.prompt {
		return s.Cancel(id)
	}
	s.end(q, len(q.tokens)-1-but)
	return nil
}

// Cancel ends a sequence, wherever it is. A prompt that other samples of the request still wait for is computed first.
func (s *Scheduler) Cancel(id uint64) error {
	if r := s.pending[id]; r != nil {
		delete(s.pending, id)
		r.unforked = slices.DeleteFunc(r.unforked, func(o uint64) bool { return o == id })
		if len(r.unforked) == 0 && r.members[0].muted {
			s.end(r.members[0], len(r.members[0].tokens))
		}
		return nil
	}
	q := s.byID[id]
	if q == nil {
		return fmt.Errorf("%w: %d", ErrUnknown, id)
	}
	if len(q.request.unforked) > 0 {
		q.muted = true
		delete(s.byID, id)
		return nil
	}
	s.end(q, len(q.tokens))
	return nil
}

// Fail says that the oldest step in flight did not run. What it and the steps behind it wrote never came to be: they are
// dropped, their blocks hidden from lookups, and their sequences, and whoever shares those blocks or came back with them,
// wait again with all landed tokens.
func (s *Scheduler) Fail(number uint64) error {
	if len(s.flight) == 0 || s.flight[0].number != number {
		return fmt.Errorf("%w: step %d", ErrOrder, number)
	}
	s.cache.Failed(number)
	s.drop()
	for i := 0; i < len(s.running); {
		if q := s.running[i]; s.cache.Spoilt(q.table, number) {
			s.sendBack(q.request)
			i = 0
			continue
		}
		i++
	}
	s.forgetSwaps(number)
	return nil
}

// drop forgets all steps in flight and sends their sequences back.
func (s *Scheduler) drop() {
	for _, f := range s.flight {
		for _, row := range f.rows {
			if q := row.sequence; !q.ended && q.request.running {
				s.sendBack(q.request)
			}
		}
		s.spare = append(s.spare, f)
	}
	s.flight = s.flight[:0]
}

// Reset is for a lost device: nothing is computed any more, nor swapped or pinned, all steps in flight are dropped, the prefix cache is empty,
// and every live sequence waits again, in order, with all landed tokens. The same counters sample the rest again.
func (s *Scheduler) Reset() error {
	s.drop()
	for len(s.running) > 0 {
		s.sendBack(s.running[0].request)
	}
	s.forgetSwaps(0)
	for len(s.pins) > 0 {
		s.Unpin(s.pins[0])
	}
	return s.cache.Reset()
}

// Stats says what the scheduler has done, and how it stands.
type Stats struct {
	Steps       uint64
	Asked       uint64 // of them, those of which something is asked
	Read        uint64 // tokens before the ends of steps' rows, whose K and V are read: each as often as rows read it
	AskedRead   uint64 // of them by rows of steps of which something is asked
	Tokens      uint64 // computed, chunks and decode
	Sampled     uint64 // landed and kept
	Drafts      uint64 // that were verified
	Drafted     uint64 // tokens of them
	Accepted    uint64 // of those, landed and kept
	Preemptions uint64 // of requests
	Swaps       uint64 // of them by swap
	Yielded     uint64 // pins that gave way
	Pinned      int    // pins
	Waiting     int    // requests
	Running     int    // sequences
	InFlight    int    // steps
	Cache       paging.Stats
}

// Stats says how things stand.
func (s *Scheduler) Stats() Stats {
	st := s.stats
	st.Waiting = s.waiting.fresh + len(s.waiting.preempted)
	st.Running = len(s.running)
	st.Pinned = len(s.pins)
	st.InFlight = len(s.flight)
	st.Cache = s.cache.Stats()
	return st
}
