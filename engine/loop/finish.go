package loop

import (
	"errors"
	"slices"
	"time"

	"quire/engine/generation"
	"quire/engine/sample"
	"quire/engine/schedule"
)

// finish ends all that is left of a request.
func (l *Loop) finish(g *generation.Generation, reason generation.FinishReason, err error) {
	cancel := l.scheduler.Cancel
	if errors.Is(err, generation.ErrNotNumbers) {
		cancel = l.scheduler.Discard
	}
	for _, q := range slices.Clone(g.Live) {
		if cancelErr := cancel(q.ID); cancelErr != nil && !errors.Is(cancelErr, schedule.ErrUnknown) {
			reason, err = generation.FinishError, errors.Join(err, cancelErr)
		}
		l.end(q, reason, err)
	}
}

// finishAll finishes every request.
func (l *Loop) finishAll(reason generation.FinishReason, err error) {
	for _, g := range l.generations {
		l.finish(g, reason, err)
	}
}

// end takes a sequence out, and its request with the last one.
func (l *Loop) end(q *generation.Sequence, reason generation.FinishReason, err error) {
	l.forget(q)
	q.StopDrafts()
	if q.Generation.End(q, reason, err) {
		delete(l.generations, q.Generation.ID)
		delete(l.tallies, q.Generation.ID)
	}
}

// giveBeam hands a landed beam to its search, and makes the turn that the search takes when all of them have landed.
func (l *Loop) giveBeam(q *generation.Sequence, drawn sample.Token, now time.Time) {
	g := q.Generation
	turn, over := q.LandBeam(drawn, now)
	if over {
		l.finish(g, "", nil)
	} else if turn != nil {
		if err := l.turn(g, turn); err != nil {
			l.finish(g, generation.FinishError, err)
		}
	}
}

// turn makes a search's sequences its next beams.
func (l *Loop) turn(g *generation.Generation, t *generation.Turn) error {
	for _, q := range t.Ended {
		l.forget(q)
		if err := l.scheduler.Cancel(q.ID); err != nil {
			return err
		}
	}
	for _, f := range t.Forks {
		f.Child.ID = l.newID()
		if err := l.scheduler.Fork(f.Parent.ID, f.Child.ID); err != nil {
			return err
		}
		l.sequences[f.Child.ID] = f.Child
	}
	for i, q := range g.Live {
		if err := l.scheduler.Replace(q.ID, t.Tokens[i]); err != nil {
			return err
		}
	}
	return nil
}

// forget leaves a sequence out of what comes.
func (l *Loop) forget(q *generation.Sequence) {
	delete(l.sequences, q.ID)
	delete(l.unsure, q.ID)
	l.tallies[q.Generation.ID].drop(q.ID)
}

func (l *Loop) newID() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	return l.next
}
