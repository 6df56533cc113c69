package grammar

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// dialect is what differs between regular expressions of a request, which follow Rust's and Python's, and patterns of JSON
// Schema, which follow ECMA-262 with its flag u.
type dialect uint8

const (
	unicodeDialect dialect = iota
	ecmaDialect
)

// Places in a text, in expressions of a regular expression only.
const (
	opBegin op = 100 + iota
	opEnd
)

type regexParser struct {
	text    string
	at      int
	depth   int
	limits  *budget
	dialect dialect
	where   string
	anchors int // places that the text names
	fold    bool
	dotAll  bool
	named   map[string]runeSet // sets of Unicode that were met
}

func (p *regexParser) wrong(format string, values ...any) {
	where := fmt.Sprintf("character %d", utf8.RuneCountInString(p.text[:min(p.at, len(p.text))])+1)
	if p.where != "" {
		where = p.where + ", " + where
	}
	fail(where, format, values...)
}

// parseRegex parses a regular expression. where is the property it stands in, for errors.
func parseRegex(text string, d dialect, where string, limits *budget) (e *expr, anchors int) {
	p := &regexParser{text: text, dialect: d, where: where, limits: limits}
	if !utf8.ValidString(text) {
		p.wrong("it is not UTF-8")
	}
	e = p.choice()
	if p.at < len(p.text) {
		p.wrong("a ) has no ( before it")
	}
	return e, p.anchors
}

func (p *regexParser) more() bool { return p.at < len(p.text) }

func (p *regexParser) has(prefix string) bool { return strings.HasPrefix(p.text[p.at:], prefix) }

func (p *regexParser) take(prefix string) bool {
	if p.has(prefix) {
		p.at += len(prefix)
		return true
	}
	return false
}

func (p *regexParser) rune() rune {
	r, n := utf8.DecodeRuneInString(p.text[p.at:])
	p.at += n
	return r
}

func (p *regexParser) choice() *expr {
	if p.depth++; p.depth > p.limits.Depth {
		p.wrong("it is nested more than %d deep", p.limits.Depth)
	}
	defer func() { p.depth-- }()
	list := []*expr{p.sequence()}
	for p.take("|") {
		list = append(list, p.sequence())
	}
	if len(list) == 1 {
		return list[0]
	}
	return choice(list...)
}

// atomSteps is what each part of an expression costs.
const atomSteps = 64

func (p *regexParser) sequence() *expr {
	var list []*expr
	var text []byte // literals, one after another
	flush := func() {
		if len(text) > 0 {
			list = append(list, literal(string(text)))
			text = nil
		}
	}
	for p.more() && !p.has("|") && !p.has(")") {
		if n := p.plain(); n > 0 {
			text = append(text, p.text[p.at:p.at+n]...)
			p.at += n
			continue
		}
		before := p.at
		e := p.atom()
		for quantified := false; p.more(); quantified = true {
			low, high, ok := p.quantifier()
			if !ok {
				break
			}
			if quantified {
				p.wrong("nothing to repeat")
			}
			if e.op == opBegin || e.op == opEnd {
				p.at = before
				p.wrong("a place cannot be repeated")
			}
			e = repeat(e, low, high)
		}
		if e.op == opLiteral {
			text = append(text, e.text...)
			continue
		}
		flush()
		list = append(list, e)
	}
	if flush(); len(list) == 1 {
		return list[0]
	}
	return sequence(list...)
}

// plain is how many bytes stand for themselves from here on, the last of which nothing repeats.
func (p *regexParser) plain() int {
	if p.fold {
		return 0
	}
	n := 0
	for p.at+n < len(p.text) && strings.IndexByte(`\|()[]{}^$.*+?`, p.text[p.at+n]) < 0 {
		n++
	}
	if p.at+n < len(p.text) && strings.IndexByte("*+?{", p.text[p.at+n]) >= 0 { // which repeats the last
		_, size := utf8.DecodeLastRuneInString(p.text[p.at : p.at+n])
		n -= size
	}
	return n
}

// quantifier reads *, +, ?, {n}, {n,} or {n,m}. What is matched reluctantly or possessively is the same set of texts, but for
// the latter, which is refused.
func (p *regexParser) quantifier() (low, high int, ok bool) {
	switch {
	case p.take("*"):
		low, high = 0, unbounded
	case p.take("+"):
		low, high = 1, unbounded
	case p.take("?"):
		low, high = 0, 1
	case p.has("{"):
		start := p.at
		p.at++
		low, ok = p.number()
		high = low
		if !ok && p.dialect == unicodeDialect && p.has(",") {
			ok = true // {,n}
		}
		if ok && p.take(",") {
			if n, given := p.number(); given {
				high = n
			} else {
				high = unbounded
			}
		}
		if !ok || !p.take("}") {
			p.at = start
			if p.dialect == ecmaDialect {
				p.wrong("a { that counts nothing must be written \\{")
			}
			return 0, 0, false
		}
		if high < low {
			p.at = start
			p.wrong("the least count %d is over the most, %d", low, high)
		}
	default:
		return 0, 0, false
	}
	if p.has("+") {
		p.wrong("possessive repetition is not supported")
	}
	p.take("?")
	return low, high, true
}

func (p *regexParser) number() (n int, ok bool) {
	for p.more() && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
		n, ok = n*10+int(p.text[p.at]-'0'), true
		if n > 10_000_000 {
			p.wrong("a count is over 10,000,000")
		}
		p.at++
	}
	return n, ok
}

func (p *regexParser) atom() *expr {
	p.limits.spend(atomSteps, p.where)
	switch {
	case p.has("(?"):
		return p.special()
	case p.take("("):
		fold, dotAll := p.fold, p.dotAll
		e := p.choice()
		if p.fold, p.dotAll = fold, dotAll; !p.take(")") {
			p.wrong("a ( is not closed")
		}
		return e
	case p.take("["):
		return class(p.class())
	case p.take("."):
		switch {
		case p.dotAll:
			return anyRune
		case p.dialect == ecmaDialect:
			return inLineECMA
		}
		return inLine
	case p.take("^"):
		p.anchors++
		return &expr{op: opBegin}
	case p.take("$"):
		p.anchors++
		return &expr{op: opEnd}
	case p.has("*"), p.has("+"), p.has("?"):
		p.wrong("nothing to repeat")
	case p.has(`\`):
		start := p.at
		p.at++
		switch {
		case p.dialect == unicodeDialect && p.take("A"):
			p.anchors++
			return &expr{op: opBegin}
		case p.dialect == unicodeDialect && (p.take("z") || p.take("Z")):
			p.anchors++
			return &expr{op: opEnd}
		}
		p.at = start
		return class(p.escape(false))
	}
	if r := p.rune(); !p.fold {
		return literal(string(r))
	} else {
		return class(p.folded(newSet(spanOf(r))))
	}
}

// What a dot stands for.
var (
	anyRune    = shared(class(runeSet{{0, lastRune}}))
	inLine     = shared(class(newSet(spanOf('\n')).not()))
	inLineECMA = shared(class(newSet(spanOf('\n'), spanOf('\r'), span{0x2028, 0x2029}).not()))
)

func spanOf(r rune) span { return span{r, r} }

// special reads a group that begins with (?.
func (p *regexParser) special() *expr {
	for _, look := range []string{"(?=", "(?!", "(?<=", "(?<!"} {
		if p.has(look) {
			p.wrong("looking ahead or back, %s, is not supported", look)
		}
	}
	if p.has("(?P=") {
		p.wrong("what refers back to a group, (?P=, is not supported")
	}
	fold, dotAll := p.fold, p.dotAll
	switch {
	case p.take("(?:"):
	case p.has("(?<"), p.has("(?P<"):
		end := strings.IndexByte(p.text[p.at:], '>')
		if end < 0 {
			p.wrong("a group's name is not closed")
		}
		p.at += end + 1
	default:
		start := p.at
		p.at += 2
		on := true
	flags:
		for {
			if !p.more() {
				p.at = start
				p.wrong("a ( is not closed")
			}
			switch p.text[p.at] {
			case '-':
				on = false
			case 'i':
				p.fold = on
			case 's':
				p.dotAll = on
			case 'u':
			case ')', ':':
				break flags
			default:
				p.wrong("the flag %q is not supported", rune(p.text[p.at]))
			}
			p.at++
		}
		if p.take(")") {
			return nothing
		}
		p.at++
	}
	e := p.choice()
	if p.fold, p.dotAll = fold, dotAll; !p.take(")") {
		p.wrong("a ( is not closed")
	}
	return e
}
