package chat

import (
	"strings"
	"unicode/utf8"
)

// titleFilter gives a capital to what begins a word: after white space, hyphens and opening brackets only.
func titleFilter(e *evaluator, line int, v any, _ []any) any {
	s := e.text(line, v)
	e.cost(line, len(s)>>4)
	between := func(r rune) bool { return isSpace(r) || strings.ContainsRune("-({[<", r) }
	var out strings.Builder
	for s != "" {
		end := strings.IndexFunc(s, func(r rune) bool { return !between(r) })
		if end < 0 {
			end = len(s)
		}
		out.WriteString(s[:end])
		s = s[end:]
		if end = strings.IndexFunc(s, between); end < 0 {
			end = len(s)
		}
		if end > 0 {
			_, size := utf8.DecodeRuneInString(s)
			out.WriteString(upper(s[:size]) + lower(s[size:end]))
		}
		s = s[end:]
	}
	e.fits(line, out.Len())
	return out.String()
}

// indent puts spaces, or a given text, in front of every line but the first.
func indent(e *evaluator, line int, v any, a []any) any {
	text := wantText(line, v, "what is indented")
	with, isText := textOf(or(a[0], int64(4)))
	if !isText {
		n, ok := large(or(a[0], int64(4)))
		if !ok {
			fail(line, "width must be an integer or a str, not %s", typeName(a[0]))
		}
		with = e.repeat(line, " ", n)
	}
	first, blank := truth(or(a[1], false)), truth(or(a[2], false))
	var out strings.Builder
	for i, l := range lines(text+"\n", false) {
		if i > 0 {
			out.WriteByte('\n')
		}
		if i == 0 && first || i > 0 && (blank || l != "") {
			out.WriteString(with)
		}
		out.WriteString(l)
		e.cost(line, 1+(len(with)+len(l))>>6)
		e.fits(line, out.Len())
	}
	return like(v, out.String())
}

// truncate cuts a text that is longer than length by more than the leeway: at a space, unless words may be cut.
func truncate(e *evaluator, line int, v any, a []any) any {
	most, end, leeway := or(a[0], int64(255)), wantText(line, or(a[2], "..."), "end"), or(a[3], nil)
	if leeway == nil {
		leeway = int64(5)
	}
	if e.compare(line, "<", most, int64(runeCount(end))) || e.compare(line, "<", leeway, int64(0)) {
		fail(line, "truncate needs a length of at least its end's, and a leeway of at least 0")
	}
	n, ok := length(v)
	if !ok {
		fail(line, "truncate needs a text, not %s", typeName(v))
	}
	if e.compare(line, "<=", n, e.arithmetic(line, "+", most, leeway)) {
		return v
	}
	text := wantText(line, v, "what is truncated")
	text = string([]rune(text)[:wantInteger(line, most, "length")-runeCount(end)])
	if at := strings.LastIndexByte(text, ' '); at >= 0 && !truth(or(a[1], false)) {
		text = text[:at]
	}
	return e.arithmetic(line, "+", like(v, text), or(a[2], "..."))
}

func wordCount(e *evaluator, line int, v any, _ []any) any {
	s := e.text(line, v)
	e.cost(line, len(s)>>4)
	return int64(len(strings.FieldsFunc(s, func(r rune) bool { return !isWord(r) })))
}

func stripTags(e *evaluator, line int, v any, _ []any) any {
	s := e.text(line, v)
	for _, mark := range [][2]string{{"<!--", "-->"}, {"<", ">"}} {
		for {
			start := strings.Index(s, mark[0])
			if start < 0 {
				break
			}
			end := strings.Index(s[start:], mark[1])
			if end < 0 {
				break
			}
			e.cost(line, 1+len(s)>>6)
			s = s[:start] + s[start+end+len(mark[1]):]
		}
	}
	return unescapeHTML(strings.Join(strings.FieldsFunc(s, isSpace), " "))
}
