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
