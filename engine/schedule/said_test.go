package schedule

import "slices"

// words gives tokens that begin like many others and then do not.
func (w *walk) words(n int) []int32 {
	var tokens []int32
	family, same := w.from.below(2), w.from.below(n+1)
	if w.from.below(3) == 0 {
		same = n
	}
	for i := range n {
		token := int32((i*i+family*i)%3 + 1 + family*3)
		if i >= same {
			token = int32(w.from.below(3) + 1)
		}
		tokens = append(tokens, token)
	}
	return tokens
}

var salts = []string{"", "", "", "a"}

// remember keeps what was said lately.
func (w *walk) remember(l *line) {
	if len(w.past) > 7 {
		w.past = slices.Delete(w.past, 0, 1)
	}
	w.past = append(w.past, l)
}

// someText gives a text that was said, or goes on as nobody did.
func (w *walk) someText() (salt string, tokens []int32) {
	var l *line
	switch {
	case len(w.ids) > 0 && w.from.below(2) == 0:
		l = w.lines[w.ids[w.from.below(len(w.ids))]]
	case len(w.past) > 0:
		l = w.past[w.from.below(len(w.past))]
	default:
		return salts[w.from.below(len(salts))], w.words(1 + w.from.below(24))
	}
	tokens = slices.Clone(l.tokens[:w.from.below(l.landed+1)])
	return l.salt, append(tokens, w.words(w.from.below(9))...)
}
