package loop

import (
	"quire/engine/draft"
	"quire/engine/generation"
	"quire/engine/step"
)

// draftFor gives a new sequence what drafts for it, if anything may.
func (l *Loop) draftFor(q *generation.Sequence) {
	if r := &q.Generation.Request; l.config.Drafter != nil && r.Drafts() {
		q.Drafter = l.config.Drafter(r.DraftMax, r.Salt)
	}
}

// draft asks for a draft of a sequence whose tokens have landed.
func (l *Loop) draft(q *generation.Sequence) {
	switch {
	case q.Drafter == nil || len(q.Forced()) > 0: // what is forced is known without
	case q.Bound():
		l.scheduler.Draft(q.ID, bound{q})
	default:
		l.scheduler.Draft(q.ID, q.Drafter)
	}
}

// bound drafts for a sequence as far as its grammar lets it go.
type bound struct{ *generation.Sequence }

// Draft implements schedule.Drafter. While tokens are in flight it is asked again before any draft is verified.
func (b bound) Draft(tokens []int32, inFlight, most int) []int32 {
	draft := b.Drafter.Draft(tokens, inFlight, most)
	if inFlight > 0 || len(draft) == 0 {
		return draft
	}
	place := b.Ahead()
	for i, token := range draft {
		if !place.Take(token) {
			if draft = draft[:i]; i == 0 {
				b.Drafter.Verified(1, 0) // as wrong as another: its step was waited for
			}
			break
		}
	}
	return draft
}

// guess has the step guess, where a sequence of it wants that.
func (l *Loop) guess() {
	if len(l.step.Rows) > l.config.Guesses {
		return
	}
	l.step.Guessing = step.KeepUp
	for i := range l.step.Rows {
		if q := l.sequences[l.step.Rows[i].Sequence]; q != nil {
			if g, ok := q.Drafter.(draft.Guesser); ok && g.Wants() {
				l.step.Guessing = step.Guess
			}
		}
	}
}

// guessed hands over what a step guessed behind a token that it drew.
func guessed(q *generation.Sequence, r *step.Result, index int) {
	g, ok := q.Drafter.(draft.Guesser)
	switch {
	case !ok:
	case index < len(r.Guesses):
		g.Guessed(r.Guesses[index])
	default:
		g.Guessed(-1)
	}
}
