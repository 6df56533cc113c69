package chat

import "strings"

// padding fills up to a width; left says how much of the fill stands in front.
func padding(left func(n, width int) int) textMethod {
	return textMethod{"/width fillchar?", func(e *evaluator, line int, s string, a []any) any {
		width, fill := wantInteger(line, a[0], "width"), wantText(line, or(a[1], " "), "fillchar")
		if runeCount(fill) != 1 {
			fail(line, "the fill must be one character, not %q", fill)
		}
		n := width - runeCount(s)
		if n <= 0 {
			return s
		}
		e.fits(line, min(n, e.limits.text+1)*len(fill)+len(s))
		e.cost(line, n>>6)
		in := left(n, width)
		return strings.Repeat(fill, in) + s + strings.Repeat(fill, n-in)
	}}
}

func zeroFill(e *evaluator, line int, s string, a []any) any {
	n := wantInteger(line, a[0], "width") - runeCount(s)
	if n <= 0 {
		return s
	}
	e.fits(line, min(n, e.limits.text+1)+len(s))
	sign := ""
	if s != "" && (s[0] == '+' || s[0] == '-') {
		sign, s = s[:1], s[1:]
	}
	return sign + strings.Repeat("0", n) + s
}

func expandTabs(e *evaluator, line int, s string, a []any) any {
	size := wantInteger(line, or(a[0], int64(8)), "tabsize")
	var out strings.Builder
	column := 0
	for _, r := range s {
		switch r {
		case '\t':
			if size > 0 {
				n := size - column%size
				e.fits(line, out.Len()+min(n, e.limits.text+1))
				out.WriteString(strings.Repeat(" ", n))
				column += n
			}
			continue
		case '\n', '\r':
			column = -1
		}
		out.WriteRune(r)
		column++
	}
	return out.String()
}

// translate puts another character, a text or nothing for those that a dict holds by number.
func translate(e *evaluator, line int, s string, a []any) any {
	table, ok := a[0].(*dict)
	if !ok {
		fail(line, "translate needs a dict, not %s", typeName(a[0]))
	}
	var out strings.Builder
	for _, r := range s {
		v, held := table.get(int64(r))
		text, isText := textOf(v)
		n, isNumber := integer(v)
		switch {
		case !held:
			out.WriteRune(r)
		case isText:
			out.WriteString(text)
		case isNumber:
			out.WriteRune(rune(n))
		case v != nil:
			fail(line, "translate puts no %s into a text", typeName(v))
		}
		e.fits(line, out.Len())
	}
	return out.String()
}
