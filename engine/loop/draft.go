package loop

import "quire/engine/generation"

// draftFor gives a new sequence what drafts for it, if anything may.
func (l *Loop) draftFor(q *generation.Sequence) {
	if r := &q.Generation.Request; l.config.Drafter != nil && r.Drafts() {
		q.Drafter = l.config.Drafter(r.DraftMax, r.Salt)
	}
}
