package grammar

import (
	"strings"
	"unicode/utf8"
)

// gbnf reads llama.cpp's grammars: rules name ::= alternatives, of "literals", [classes], ., names, groups in parentheses,
// and *, +, ?, {n}, {n,}, {n,m} behind them. # begins a comment. The rule root is what a text must be.
type gbnf struct {
	text        string
	at          int
	depth       int
	limits      *budget
	numbers     map[string]int32
	definitions []definition
	used        []int // by rule: where it is used first
	rule        string
	start       string // the rule that a text must be
	schemas     map[string]*namedSchema
	directives  []directive
}

func compileGBNF(source string, limits *budget) *Grammar {
	p := &gbnf{text: source, limits: limits, numbers: map[string]int32{}, start: "root", schemas: map[string]*namedSchema{}}
	if !utf8.ValidString(source) {
		fail("", "it is not UTF-8")
	}
	for p.space(true); p.at < len(p.text); p.space(true) {
		switch p.rule = ""; {
		case p.take("%schema "):
			p.schemaStatement()
		case p.take("%start "):
			p.space(false)
			p.start = p.name()
		default:
			p.define()
		}
	}
	p.rule = ""
	for i, d := range p.definitions {
		if d.body == nil {
			p.at = p.used[i]
			p.wrong("the %s is not defined", d.name)
		}
	}
	root, ok := p.numbers[p.start]
	if !ok {
		fail("", "the rule %s is not defined", p.start)
	}
	p.resolve()
	return build(GBNF, p.definitions, root, limits)
}

func (p *gbnf) wrong(format string, values ...any) {
	before := p.text[:min(p.at, len(p.text))]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	where := "line " + decimal(line) + ", column " + decimal(column)
	if p.rule != "" {
		where = "rule " + p.rule + ", " + where
	}
	fail(where, format, values...)
}

// space skips white space and comments, over ends of lines if they end nothing.
func (p *gbnf) space(lines bool) {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == ' ' || c == '\t' || lines && (c == '\n' || c == '\r'):
			p.at++
		case c == '#':
			for p.at < len(p.text) && p.text[p.at] != '\n' && p.text[p.at] != '\r' {
				p.at++
			}
		default:
			return
		}
	}
}

func (p *gbnf) take(prefix string) bool {
	if strings.HasPrefix(p.text[p.at:], prefix) {
		p.at += len(prefix)
		return true
	}
	return false
}

func (p *gbnf) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

func (p *gbnf) name() string {
	start := p.at
	for isNameByte(p.peek()) {
		p.at++
	}
	if p.at == start {
		p.wrong("the name of a rule is missing")
	}
	return p.text[start:p.at]
}

func (p *gbnf) number(name string, at int) int32 {
	n, ok := p.numbers[name]
	if !ok {
		n = int32(len(p.definitions))
		p.numbers[name] = n
		p.definitions = append(p.definitions, definition{name: "rule " + name})
		p.used = append(p.used, at)
	}
	return n
}

func (p *gbnf) define() {
	at := p.at
	p.rule = ""
	name := p.name()
	p.rule = name
	p.space(false)
	if !p.take("::=") {
		p.wrong("::= is missing behind the name of a rule")
	}
	p.space(true)
	n := p.number(name, at)
	if p.definitions[n].body != nil {
		p.at = at
		p.wrong("the rule is defined twice")
	}
	body := p.choice(false)
	p.definitions[n].body = body
	if c := p.peek(); c != 0 && c != '\n' && c != '\r' {
		p.wrong("%q is not expected", rune(c))
	}
}

func (p *gbnf) choice(inside bool) *expr {
	if p.depth++; p.depth > p.limits.Depth {
		p.wrong("it is nested more than %d deep", p.limits.Depth)
	}
	defer func() { p.depth-- }()
	list := []*expr{p.sequence(inside)}
	for p.take("|") {
		p.space(true)
		list = append(list, p.sequence(inside))
	}
	if len(list) == 1 {
		return list[0]
	}
	return choice(list...)
}

func (p *gbnf) sequence(inside bool) *expr {
	var list []*expr
	for {
		p.limits.spend(atomSteps, "")
		var e *expr
		switch c := p.peek(); {
		case c == '"':
			e = p.literal()
		case c == '[':
			e = p.class()
		case c == '.':
			p.at++
			e = anyRune
		case c == '(':
			p.at++
			p.space(true)
			e = p.choice(true)
			if !p.take(")") {
				p.wrong("a ( is not closed")
			}
		case c == '%':
			e = p.directive()
		case c == '<' || c == '!':
			p.wrong("tokens in a grammar are not supported")
		case isNameByte(c):
			at := p.at
			e = reference(p.number(p.name(), at))
		default:
			return sequence(list...)
		}
		p.space(inside)
		for {
			low, high, ok := p.quantifier()
			if !ok {
				break
			}
			e = repeat(e, low, high)
			p.space(inside)
		}
		list = append(list, e)
	}
}

func (p *gbnf) quantifier() (low, high int, ok bool) {
	switch {
	case p.take("*"):
		return 0, unbounded, true
	case p.take("+"):
		return 1, unbounded, true
	case p.take("?"):
		return 0, 1, true
	case !p.take("{"):
		return 0, 0, false
	}
	p.space(false)
	low, given := p.count()
	high = low
	p.space(false)
	if p.take(",") {
		p.space(false)
		if n, bounded := p.count(); bounded {
			high = n
		} else {
			high = unbounded
		}
		p.space(false)
	} else if !given {
		p.wrong("a count is missing")
	}
	if !p.take("}") {
		p.wrong("a { is not closed")
	}
	if high < low {
		p.wrong("the least count %d is over the most, %d", low, high)
	}
	return low, high, true
}

func (p *gbnf) count() (n int, ok bool) {
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		if n, ok = n*10+int(c-'0'), true; n > 10_000_000 {
			p.wrong("a count is over 10,000,000")
		}
		p.at++
	}
	return n, ok
}

func (p *gbnf) literal() *expr {
	start := p.at
	p.at++
	var out []byte
	for {
		switch c := p.peek(); {
		case p.at >= len(p.text) || c == '\n':
			p.at = start
			p.wrong("a \" is not closed")
		case c == '"':
			p.at++
			return literal(string(out))
		}
		out = utf8.AppendRune(out, p.character())
	}
}

func (p *gbnf) class() *expr {
	start := p.at
	p.at++
	negated := p.take("^")
	var set []span
	for {
		switch c := p.peek(); {
		case p.at >= len(p.text) || c == '\n':
			p.at = start
			p.wrong("a [ is not closed")
		case c == ']':
			p.at++
			out := newSet(set...)
			if negated {
				out = out.not()
			}
			return class(out)
		}
		lo := p.character()
		hi := lo
		if p.peek() == '-' && p.at+1 < len(p.text) && p.text[p.at+1] != ']' {
			p.at++
			hi = p.character()
		}
		if hi < lo {
			p.wrong("a range of a class is in reverse order")
		}
		set = append(set, span{lo, hi})
	}
}

// character reads a character of a literal or a class.
func (p *gbnf) character() rune {
	r, n := utf8.DecodeRuneInString(p.text[p.at:])
	p.at += n
	if r != '\\' {
		return r
	}
	c := p.peek()
	p.at++
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case '\\', '"', '[', ']', '-', '^':
		return rune(c)
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if digits == 0 || p.at+digits > len(p.text) {
		p.at -= 2
		p.wrong("the escape \\%c is not known", c)
	}
	value := rune(0)
	for _, d := range p.text[p.at : p.at+digits] {
		i := strings.IndexRune("0123456789abcdef", d|0x20)
		if d < '0' || i < 0 || value > lastRune {
			p.wrong("%d hexadecimal digits are missing", digits)
		}
		value = value<<4 | rune(i)
	}
	p.at += digits
	if value > lastRune || 0xD800 <= value && value < 0xE000 {
		p.wrong("it names no character")
	}
	return value
}
