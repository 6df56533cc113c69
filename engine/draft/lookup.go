package draft

// Lookup drafts what followed the last time the last tokens came: prompt lookup decoding (Saxena 2023), over the answer too,
// with longer drafts after longer matches (SuffixDecoding, Oliaro et al. 2024).
type Lookup struct {
	pace
	index
	seen   int // tokens that were looked at
	source int // the place of the token that is expected next; 0: none
	agreed int // tokens before it that agreed with the last ones
	lost   int // tokens since a source was left
	anchor int // where it was left

	need  int // tokens that must agree
	tried int // tokens when that last changed

	draft []int32
}

// needMost is how long a match must be at most for a draft, however many were wrong.
const needMost = 256

// retry is after how many tokens a shorter match is tried again.
const retry = 64

// catchUp is how many tokens are taken in at once: a long prompt's over several steps.
const catchUp = 2048

// window is how far from where a source was left it may go on.
const window = 16

// NewLookup makes a drafter for a new sequence.
func NewLookup(s Settings) *Lookup { return &Lookup{pace: newPace(s), need: gram} }

// Draft implements Drafter.
func (l *Lookup) Draft(tokens []int32, inFlight, most int) []int32 {
	l.follow(tokens)
	if l.source == 0 || l.seen < len(tokens) {
		return nil
	}
	if l.seen-l.tried >= retry {
		l.need, l.tried = max(gram, l.need/2), l.seen
	}
	n := min(l.most, most)
	switch {
	case l.agreed >= l.need:
	case l.lost > 0 && inFlight == 0 && l.gain >= 2*256:
		n = min(n, 3) // a text that was copied until now probably goes on behind a difference
	default:
		return nil
	}
	l.draft = l.draft[:0]
	for at := l.source; at < l.source+inFlight+n; at++ {
		token := int32(0)
		if at < len(tokens) {
			token = tokens[at]
		} else {
			token = l.draft[at-len(tokens)] // a text that repeats itself
		}
		l.draft = append(l.draft, token)
	}
	return l.draft
}

// Verified implements Drafter.
func (l *Lookup) Verified(drafted, accepted int) {
	switch {
	case l.verified(drafted, accepted, l.price(drafted)):
		l.need, l.tried = min(needMost, 2*l.need), l.seen
	case accepted == drafted:
		l.need = max(gram, l.need-1)
	}
}

// Close implements Drafter.
func (l *Lookup) Close() {}

// follow takes new tokens in.
func (l *Lookup) follow(tokens []int32) {
	to := min(len(tokens), l.seen+catchUp)
	if to-l.seen > longest {
		l.source, l.agreed, l.lost = 0, 0, 0
	}
	for i := l.seen; i < to && l.source > 0; i++ {
		l.step(tokens, i)
	}
	l.add(tokens, to)
	l.seen = to
	if to < len(tokens) || l.agreed >= longest {
		return
	}
	if next, length := l.find(tokens); length > l.agreed {
		l.source, l.agreed, l.lost = next, length, 0
	}
}

// step moves the source past the token at i.
func (l *Lookup) step(tokens []int32, i int) {
	switch {
	case l.source == 0:
		return
	case tokens[l.source] == tokens[i]:
		l.source++
		if l.agreed++; l.agreed >= gram {
			l.lost = 0
		}
		return
	case l.lost == 0:
		l.anchor = l.source
	}
	l.lost++
	l.agreed = 0
	if l.lost > window {
		l.source, l.lost = 0, 0
		return
	}
	l.source = l.anchor + l.lost // as many tokens stand for others
	for at := l.anchor; at < min(l.anchor+window, i); at++ {
		if tokens[at] == tokens[i] {
			l.source, l.agreed = at+1, 1
			break
		}
	}
	if l.source >= i {
		l.source, l.lost = 0, 0
	}
}
