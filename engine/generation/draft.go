package generation

// Drafts says whether several tokens of the request may be verified at once: not where a token's logits depend on those before it
// in more ways than through the model and its grammar, nor where they are read back.
func (r *Request) Drafts() bool {
	return r.DraftMax >= 0 && r.Beams == nil && r.Embed == nil && r.Logits == nil && !r.Sample.Penalizes()
}

// Verified notes what became of a draft.
func (q *Sequence) Verified(drafted, accepted int) {
	if drafted == 0 || q.Drafter == nil {
		return
	}
	q.Drafter.Verified(drafted, accepted)
	q.Generation.figures.DraftedTokens += drafted
	q.Generation.figures.AcceptedTokens += accepted
}

// StopDrafts lets go of what drafts for the sequence, if anything does.
func (q *Sequence) StopDrafts() {
	if q.Drafter != nil {
		q.Drafter.Close()
		q.Drafter = nil
	}
}
