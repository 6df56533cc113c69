package grammar

import (
	"slices"
	"strings"
	"sync"
	"unicode"
)

// folded adds the other cases of a set's letters, where they are ignored.
func (p *regexParser) folded(set runeSet) runeSet {
	if !p.fold {
		return set
	}
	p.limits.spend(2*len(set), p.where)
	out := append([]span(nil), set...)
	cased := casedRunes()
	for _, s := range set {
		first, _ := slices.BinarySearch(cased, s.lo)
		for _, r := range cased[first:] {
			if r > s.hi {
				break
			}
			p.limits.spend(4, p.where)
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				if !set.has(f) {
					out = append(out, spanOf(f))
				}
			}
		}
	}
	return newSet(out...)
}

// casedRunes are the runes that have other cases.
var casedRunes = sync.OnceValue(func() (list []rune) {
	for r := range rune(0x20000) {
		if unicode.SimpleFold(r) != r {
			list = append(list, r)
		}
	}
	return list
})

// class reads a class from behind its [.
func (p *regexParser) class() runeSet {
	start := p.at
	negated := p.take("^")
	var spans []span
	for first := true; ; first = false {
		if !p.more() {
			p.at = start
			p.wrong("a [ is not closed")
		}
		if p.has("]") && !(first && p.dialect == unicodeDialect) {
			p.at++
			break
		}
		if name := p.posixName(); name != "" {
			if p.dialect == ecmaDialect {
				p.wrong("the class [:%s:] is not supported", name)
			}
			spans = append(spans, p.posix(name)...)
			p.at += len("[::]") + len(name)
			continue
		}
		low, one := p.member()
		if !p.has("-") || p.has("-]") {
			spans = append(spans, low...)
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
		spans = append(spans, span{low[0].lo, high[0].lo})
	}
	p.limits.spend(4*len(spans), p.where)
	set := p.folded(newSet(spans...))
	if negated {
		set = set.not()
	}
	return set
}

// posixName is the name of a class as in [:alpha:], if one stands here.
func (p *regexParser) posixName() string {
	if !p.has("[:") {
		return ""
	}
	name, _, closed := strings.Cut(p.text[p.at+2:], ":]")
	for _, c := range name {
		closed = closed && ('a' <= c && c <= 'z' || c == '^')
	}
	if !closed {
		return ""
	}
	return name
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
		if p.dialect == unicodeDialect && p.has("[") {
			p.wrong("a [ inside a class must be written \\[")
		}
		set = runeSet{spanOf(p.rune())}
	}
	return set, len(set) == 1 && set[0].lo == set[0].hi
}
