package loop

import (
	"slices"
	"time"

	"quire/engine/generation"
	"quire/engine/sample"
	"quire/engine/schedule"
)

// draw has the tokens of a step drawn that has been submitted. What its sequences said last lands meanwhile, and tells what they
// may say next; behind tokens of a draft, what they might if those were said.
func (l *Loop) draw() error {
	l.forced = l.forced[:0]
	for l.runner.InFlight() > 1 {
		if err := l.land(); err != nil {
			return err
		}
	}
	l.masks.Reset((l.config.Vocabulary + 31) / 32)
	row, ahead := int32(-1), (*generation.Ahead)(nil) // of the output before
	for _, o := range l.step.Outputs {
		if !o.Masked {
			continue
		}
		mask := l.masks.Add()
		drafted := o.Row == row
		row = o.Row
		q := l.sequences[l.step.Rows[o.Row].Sequence]
		if q == nil || slices.Contains(l.forced, q.ID) {
			continue
		}
		if drafted {
			if ahead == nil {
				ahead = q.Ahead()
			}
			if !ahead.Take(l.step.Tokens[o.Token]) || !ahead.Mask(mask, o.NoStop) {
				l.scheduler.Undraft(q.ID) // why is told where it comes to that
				q.StopDrafts()
			}
			continue
		}
		ahead = nil
		end := q.Mask(mask, o.NoStop)
		if end == "" {
			continue
		}
		if end == generation.FinishError {
			l.finish(q.Generation, end, q.Err())
			continue
		}
		err := l.scheduler.End(q.ID, 0)
		if err != nil {
			end = generation.FinishError
		}
		l.end(q, end, err)
	}
	l.lap(&l.times.Mask)
	defer l.lap(&l.times.Submit)
	return l.runner.Draw(&l.masks)
}

// force gives a sequence the tokens that come next whatever is drawn, if there are any.
func (l *Loop) force(q *generation.Sequence, now time.Time) {
	forced := q.Forced()
	if len(forced) == 0 {
		return
	}
	taken, reason, err := l.scheduler.Force(q.ID, forced)
	if err != nil {
		l.finish(q.Generation, generation.FinishError, err)
		return
	}
	l.forced = append(l.forced, q.ID)
	for i, token := range forced[:taken] {
		said := schedule.Going
		if i == taken-1 {
			said = reason
		}
		end := q.Land(sample.Token{Candidate: sample.Candidate{ID: token}}, said, now)
		if end == "" {
			continue
		}
		if end == generation.FinishError {
			l.finish(q.Generation, end, q.Err())
			return
		}
		if reason == schedule.Going {
			if err = l.scheduler.End(q.ID, taken-1-i); err != nil {
				end = generation.FinishError
			}
		}
		l.end(q, end, err)
		return
	}
}
