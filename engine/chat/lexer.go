package chat

import "strings"

// kind of a token. Operators are of kind operator, with their text.
type kind uint8

const (
	textToken kind = iota // text outside of tags
	openExpression
	closeExpression
	openStatement
	closeStatement
	nameToken
	stringToken
	integerToken
	floatToken
	operator
	endToken
)

type token struct {
	kind kind
	text string
	line int
}

// lexer cuts a template into tokens and does the white space control of Jinja with trim_blocks and
// lstrip_blocks set.
type lexer struct {
	source    string
	at        int
	line      int
	tokens    []token
	lineStart bool // the tag before ended a line, or there was none
	stripNext bool // the tag before ended with "-"
}

func lex(source string) []token {
	source = strings.ReplaceAll(strings.ReplaceAll(source, "\r\n", "\n"), "\r", "\n")
	l := &lexer{source: strings.TrimSuffix(source, "\n"), line: 1, lineStart: true}
	for l.at < len(l.source) {
		l.text()
	}
	l.emit(endToken, "")
	return l.tokens
}

func (l *lexer) emit(k kind, text string) {
	l.tokens = append(l.tokens, token{k, text, l.line})
}

// advance goes on by n bytes and counts lines.
func (l *lexer) advance(n int) {
	l.line += strings.Count(l.source[l.at:l.at+n], "\n")
	l.at += n
}

// text takes the text up to the next tag, and the tag.
func (l *lexer) text() {
	rest := l.source[l.at:]
	end := len(rest)
	for i := 0; i+1 < len(rest); i++ {
		if rest[i] == '{' && (rest[i+1] == '{' || rest[i+1] == '%' || rest[i+1] == '#') {
			end = i
			break
		}
	}
	text := rest[:end]
	var mark, modifier byte
	if end < len(rest) {
		mark = rest[end+1]
		if end+2 < len(rest) && (rest[end+2] == '-' || rest[end+2] == '+') {
			modifier = rest[end+2]
		}
	}
	l.putText(text, mark, modifier)
	l.advance(end)
	if mark == 0 {
		return
	}
	l.advance(2)
	if modifier != 0 {
		l.advance(1)
	}
	switch mark {
	case '#':
		l.comment()
	case '%':
		if !l.raw() {
			l.emit(openStatement, "")
			l.tag("%}", closeStatement)
		}
	default:
		l.emit(openExpression, "")
		l.tag("}}", closeExpression)
	}
}

// putText emits text with the white space taken off that the tags around it ask for.
func (l *lexer) putText(text string, mark, modifier byte) {
	switch {
	case modifier == '-':
		text = strings.TrimRightFunc(text, isSpace)
	case mark != 0 && mark != '{' && modifier != '+':
		line := strings.LastIndexByte(text, '\n') + 1
		if (line > 0 || l.lineStart) && strings.TrimFunc(text[line:], isSpace) == "" {
			text = text[:line]
		}
	}
	if l.stripNext {
		text = strings.TrimLeftFunc(text, isSpace)
	}
	if text != "" {
		l.emit(textToken, text)
	}
}

// close ends a tag: "-" strips the text after it, a statement's or comment's newline is dropped.
func (l *lexer) close(length int, modifier byte, trim bool) {
	l.advance(length)
	l.stripNext, l.lineStart = modifier == '-', false
	if trim && modifier == 0 && strings.HasPrefix(l.source[l.at:], "\n") {
		l.advance(1)
		l.lineStart = true
	}
}

func (l *lexer) comment() {
	end := strings.Index(l.source[l.at:], "#}")
	if end < 0 {
		fail(l.line, "a comment does not end: missing #}")
	}
	modifier := modifierBefore(l.source[l.at:], end)
	l.advance(end)
	l.close(2, modifier, true)
}

func modifierBefore(text string, end int) byte {
	if end > 0 && (text[end-1] == '-' || text[end-1] == '+') {
		return text[end-1]
	}
	return 0
}

// raw takes {% raw %} … {% endraw %}, if it stands here.
func (l *lexer) raw() bool {
	rest := l.source[l.at:]
	open, modifier, ok := namedTag(rest, "raw")
	if !ok || modifier == '+' {
		return false
	}
	l.close(open, modifier, false)
	for i := l.at; i < len(l.source); i++ {
		if !strings.HasPrefix(l.source[i:], "{%") {
			continue
		}
		inner := i + 2
		var before byte
		if inner < len(l.source) && (l.source[inner] == '-' || l.source[inner] == '+') {
			before = l.source[inner]
			inner++
		}
		if closing, after, ok := namedTag(l.source[inner:], "endraw"); ok {
			l.putText(l.source[l.at:i], '%', before)
			l.advance(inner - l.at)
			l.close(closing, after, true)
			return true
		}
	}
	fail(l.line, "raw does not end: missing endraw")
	return false
}

// namedTag reads the rest of a statement that is only a name, and its length.
func namedTag(rest, name string) (length int, modifier byte, ok bool) {
	inside := strings.TrimLeftFunc(rest, isSpace)
	if !strings.HasPrefix(inside, name) {
		return 0, 0, false
	}
	inside = strings.TrimLeftFunc(inside[len(name):], isSpace)
	if inside != "" && (inside[0] == '-' || inside[0] == '+') {
		modifier = inside[0]
		inside = inside[1:]
	}
	if !strings.HasPrefix(inside, "%}") {
		return 0, 0, false
	}
	return len(rest) - len(inside) + 2, modifier, true
}

// tag takes the tokens of an expression or statement up to its end.
func (l *lexer) tag(end string, closing kind) {
	open := l.line
	var awaited []byte // closing brackets, so that in {"a": {}} nothing ends
	for {
		l.advance(len(l.source[l.at:]) - len(strings.TrimLeftFunc(l.source[l.at:], isSpace)))
		rest := l.source[l.at:]
		if rest == "" {
			fail(open, "a tag does not end: missing %s", end)
		}
		if len(awaited) == 0 {
			if strings.HasPrefix(rest, end) {
				l.emit(closing, "")
				l.close(2, 0, closing == closeStatement)
				return
			}
			if (rest[0] == '-' || rest[0] == '+' && closing == closeStatement) && strings.HasPrefix(rest[1:], end) {
				l.emit(closing, "")
				l.close(3, rest[0], closing == closeStatement)
				return
			}
		}
		switch c := rest[0]; c {
		case '{':
			awaited = append(awaited, '}')
		case '(':
			awaited = append(awaited, ')')
		case '[':
			awaited = append(awaited, ']')
		case '}', ')', ']':
			if len(awaited) == 0 || awaited[len(awaited)-1] != c {
				fail(l.line, "unexpected %q", c)
			}
			awaited = awaited[:len(awaited)-1]
		}
		l.item(rest)
	}
}

func (l *lexer) item(rest string) {
	c := rest[0]
	switch {
	case c == '"' || c == '\'':
		l.quoted(rest)
	case isDigit(c):
		l.number(rest)
	case isNameByte(c):
		n := 1
		for n < len(rest) && (isNameByte(rest[n]) || isDigit(rest[n])) {
			n++
		}
		l.emit(nameToken, rest[:n])
		l.advance(n)
	default:
		for _, op := range [...]string{"**", "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "<", ">",
			"=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|"} {
			if strings.HasPrefix(rest, op) {
				l.emit(operator, op)
				l.advance(len(op))
				return
			}
		}
		fail(l.line, "unexpected character %q", firstRune(rest))
	}
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameByte(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

func (l *lexer) quoted(rest string) {
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case rest[0]:
			l.emit(stringToken, l.unescape(rest[1:i]))
			l.advance(i + 1)
			return
		}
	}
	fail(l.line, "a string does not end")
}
