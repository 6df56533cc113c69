package generation

import (
	"slices"

	"quire/engine/sample"
	"quire/engine/schedule"
)

// landedOf is what a choice has had elsewhere.
func (r *Request) landedOf(choice int) []sample.Token {
	if choice < len(r.Landed) {
		return r.Landed[choice]
	}
	return nil
}

// resume takes in what has landed elsewhere. A sequence that ends with it is not live; all may be.
func (g *Generation) resume() {
	for _, q := range slices.Clone(g.Live) {
		for _, token := range g.Request.landedOf(q.index) {
			g.before++
			reason := g.endsWith(q, token.ID)
			end := finish(reason, q.take(token, reason))
			if g.err = q.Err(); g.err != nil {
				g.reason, end = FinishError, FinishError
			}
			if end != "" {
				g.out(q, end)
				break
			}
		}
	}
}

// endsWith is what the scheduler would say of a token that is next in a sequence.
func (g *Generation) endsWith(q *Sequence, token int32) schedule.Reason {
	n := len(q.ids) + 1
	switch r := &g.Request; {
	case n >= r.MinTokens && slices.Contains(g.ends, token):
		return schedule.Stopped
	case n == r.MaxTokens || n == r.room:
		return schedule.Length
	}
	return schedule.Going
}

// validateLanded checks what has landed elsewhere.
func (r *Request) validateLanded(l Limits) error {
	if len(r.Landed) == 0 {
		return nil
	}
	if r.Embed != nil || r.Logits != nil {
		return refuse("Landed goes without Embed and Logits")
	}
	if len(r.Landed) > r.choices() {
		return refuse("Landed has %d choices, N is %d", len(r.Landed), r.choices())
	}
	longest := l.Context(r.Sequences()) - len(r.Prompt)
	if r.MaxTokens > 0 {
		longest = min(longest, r.MaxTokens)
	}
	for i, tokens := range r.Landed {
		if len(tokens) > longest {
			return refuse("Landed has %d tokens of choice %d, which can have %d", len(tokens), i, longest)
		}
		for j, token := range tokens {
			if token.ID < 0 || int(token.ID) >= l.Vocabulary {
				return refuse("Landed token %d of choice %d is %d, the vocabulary has %d", j, i, token.ID, l.Vocabulary)
			}
		}
	}
	return nil
}
