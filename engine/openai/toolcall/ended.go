package toolcall

import (
	"slices"
	"strings"
)

// ended is a place in a text at which a mark stands that ends calls. If the value does not come to its end, the text's closing quote is
// missing, and the value ended there.
type ended struct {
	before value
	since  []byte // what was read after it
}

// read notes what was read.
func (e *ended) read(text string) {
	if e != nil {
		e.since = append(e.since, text...)
	}
}

// after is the text from the mark on: the brackets before it were the value's and what it stands in.
func (e *ended) after() string {
	return string(e.since[brackets(string(e.since)):])
}

// mark notes that a text may have ended here.
func (v *value) mark() {
	before := *v
	before.stack, before.word, before.held = slices.Clone(v.stack), slices.Clone(v.word), slices.Clone(v.held)
	before.out, before.source = append(slices.Clone(v.out), '"'), nil
	before.after()
	v.ended = &ended{before: before}
}

// maxBrackets is how many bytes of brackets and white space may stand before a mark.
const maxBrackets = 64

// brackets is how many bytes of closing brackets and white space a text begins with.
func brackets(text string) int {
	n := min(len(text), maxBrackets)
	return n - len(strings.TrimLeft(text[:n], "]})"+space))
}

// tail says whether a mark that ends calls stands here, with nothing but brackets before it.
func (v *value) tail(text string) verdict {
	rest := text[brackets(text):]
	switch {
	case at(rest, v.ends) != "":
		return whole
	case rest == "" && len(text) < maxBrackets, rest != "" && begins(rest, v.ends):
		return needs
	}
	return going
}

// mayEnd says whether a tail may begin with a letter.
func (v *value) mayEnd(c byte) bool {
	if len(v.ends) == 0 || v.key || v.ended != nil {
		return false
	}
	return strings.IndexByte("]}) ", c) >= 0 || slices.ContainsFunc(v.ends, func(mark string) bool { return mark[0] == c })
}
