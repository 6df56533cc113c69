package grammar

import (
	"strings"
	"unicode"
)

// folded adds the other cases of a set's letters, where they are ignored.
func (p *regexParser) folded(set runeSet) runeSet {
	if !p.fold {
		return set
	}
	out := append([]span(nil), set...)
	for _, s := range set {
		for r := s.lo; r <= min(s.hi, 0x1FFFF); r++ {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				out = append(out, spanOf(f))
			}
		}
	}
	return newSet(out...)
}

// class reads a class from behind its [.
func (p *regexParser) class() runeSet {
	start := p.at
	negated := p.take("^")
	var set runeSet
	for first := true; ; first = false {
		if !p.more() {
			p.at = start
			p.wrong("a [ is not closed")
		}
		if p.has("]") && !(first && p.dialect == unicodeDialect) {
			p.at++
			break
		}
		if p.has("[:") {
			if end := strings.Index(p.text[p.at:], ":]"); end > 1 {
				set = set.union(p.posix(p.text[p.at+2 : p.at+end]))
				p.at += end + 2
				continue
			}
		}
		low, one := p.member()
		if !p.has("-") || p.has("-]") {
			set = set.union(low)
			continue
		}
		p.at++
		high, last := p.member()
		if !one || !last {
			p.wrong("a range of a class needs a character at both ends")
		}
		if low[0].lo > high[0].lo {
			p.wrong("a range of a class is in reverse order")
		}
		set = set.union(runeSet{{low[0].lo, high[0].lo}})
	}
	set = p.folded(set)
	if negated {
		set = set.not()
	}
	return set
}

// member reads a character of a class, or an escape that stands for several.
func (p *regexParser) member() (set runeSet, one bool) {
	if !p.more() {
		p.wrong("a [ is not closed")
	}
	if p.has(`\`) {
		set = p.escape(true)
	} else {
		for _, operator := range []string{"&&", "--", "~~"} {
			if p.dialect == unicodeDialect && p.has(operator) {
				p.wrong("%s inside a class is not supported", operator)
			}
		}
		set = runeSet{spanOf(p.rune())}
	}
	return set, len(set) == 1 && set[0].lo == set[0].hi
}
