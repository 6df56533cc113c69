package toolcall

import (
	"slices"
	"strings"
)

// cut finds the first of some marks, the longest where several begin together. Without one, before is what surely comes before any.
func (p *Parser) cut(marks []string) (before, mark string) {
	first := len(p.text)
	for _, m := range marks {
		if i := strings.Index(p.text, m); i >= 0 && (i < first || i == first && len(m) > len(mark)) {
			first, mark = i, m
		}
	}
	if mark != "" || p.end {
		return p.text[:first], mark
	}
	longest := 0
	for _, m := range marks {
		longest = max(longest, len(m)-1)
	}
	for i := max(0, len(p.text)-longest); i < len(p.text); i++ {
		if begins(p.text[i:], marks) {
			return p.text[:i], ""
		}
	}
	return p.text, ""
}

// begins says whether a text is the beginning of a mark that is not whole.
func begins(text string, marks []string) bool {
	for _, m := range marks {
		if len(text) < len(m) && m[:len(text)] == text {
			return true
		}
	}
	return false
}

// at finds the mark that a text begins with, the longest of several.
func at(text string, marks []string) string {
	found := ""
	for _, m := range marks {
		if len(m) > len(found) && strings.HasPrefix(text, m) {
			found = m
		}
	}
	return found
}

// skip reads over white space, marks and single letters. It answers false where it needs more text to tell what comes next.
func (p *Parser) skip(marks []string, letters string) bool {
	for {
		p.next(len(p.text) - len(strings.TrimLeft(p.text, space+letters)))
		if m := at(p.text, marks); m != "" {
			p.next(len(m))
			continue
		}
		return p.end || p.text != "" && !begins(p.text, marks)
	}
}

// closes says whether a mark that ends calls follows at once on a call that is told and goes wrong: then only brackets are missing.
func (p *Parser) closes(marks []string) bool {
	return strings.TrimSpace(string(p.tried)) == "" && (at(p.text, marks) != "" || !p.end && begins(p.text, marks))
}

// afterCall reads over what may stand after a call, and says whether marks ended it. Stray brackets are part of the answer, unless
// such a mark or the end follows them. It answers false where it needs more text.
func (p *Parser) afterCall(close []string, separators, stray string) (ended, ok bool) {
	if !p.skip(close, separators+stray) {
		return false, false
	}
	ended = slices.ContainsFunc(close, func(mark string) bool { return strings.Contains(string(p.tried), mark) })
	if ended || p.text == "" || strings.Trim(string(p.tried), space+separators) == "" {
		p.tried = nil
	}
	return ended, true
}
