package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type textMethod = method[string]

// textMethods are those of str. What they give of safe text is safe again: textAttribute sees to that.
var textMethods map[string]textMethod

func init() {
	textMethods = map[string]textMethod{}
	for _, entry := range textMethodTable {
		textMethods[entry.name] = entry.is
	}
}

// textMethodTable is data but for what calls make: a map's literal would be code, of which the tab has more to load.
var textMethodTable = []struct {
	name string
	is   textMethod
}{
	{"upper", mapping(upper)},
	{"lower", mapping(lower)},
	{"title", mapping(title)},
	{"capitalize", mapping(capitalize)},
	{"casefold", mapping(caseFold)},
	{"swapcase", mapping(swapCase)},
	{"strip", trimming(strings.Trim, strings.TrimFunc)},
	{"lstrip", trimming(strings.TrimLeft, strings.TrimLeftFunc)},
	{"rstrip", trimming(strings.TrimRight, strings.TrimRightFunc)},

	{"isalpha", allRunes(unicode.IsLetter)},
	{"isdigit", allRunes(isDigitRune)},
	{"isdecimal", allRunes(func(r rune) bool { return unicode.Is(unicode.Nd, r) })},
	{"isnumeric", allRunes(isNumeric)},
	{"isalnum", allRunes(isAlnum)},
	{"isspace", allRunes(isSpace)},
	{"isascii", asking(func(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 })},
	{"isprintable", asking(func(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 })},
	{"isidentifier", asking(isIdentifier)},
	{"istitle", asking(isTitle)},
	{"isupper", asking(func(s string) bool { return allOf(s, isUpper, isLower) })},
	{"islower", asking(func(s string) bool { return allOf(s, isLower, isUpper) })},

	{"startswith", affix(strings.HasPrefix)},
	{"endswith", affix(strings.HasSuffix)},
	{"removeprefix", textMethod{"/prefix", func(_ *evaluator, line int, s string, a []any) any {
		return strings.TrimPrefix(s, wantText(line, a[0], "prefix"))
	}}},
	{"removesuffix", textMethod{"/suffix", func(_ *evaluator, line int, s string, a []any) any {
		return strings.TrimSuffix(s, wantText(line, a[0], "suffix"))
	}}},
	{"find", finding(strings.Index, false)},
	{"rfind", finding(strings.LastIndex, false)},
	{"index", finding(strings.Index, true)},
	{"rindex", finding(strings.LastIndex, true)},
	{"count", textMethod{"/sub start? end?", countText}},
	{"replace", textMethod{"/old new count?", replaceText}},
	{"split", textMethod{"sep? maxsplit?", split}},
	{"rsplit", textMethod{"sep? maxsplit?", rsplit}},
	{"splitlines", textMethod{"keepends?", func(e *evaluator, line int, s string, a []any) any {
		return e.strings(line, lines(s, truth(or(a[0], false))))
	}}},
	{"partition", textMethod{"/sep", partition(strings.Index, false)}},
	{"rpartition", textMethod{"/sep", partition(strings.LastIndex, true)}},
	{"join", textMethod{"/iterable", joinTexts}},
	{"center", padding(func(n, width int) int { return n/2 + n&width&1 })},
	{"ljust", padding(func(int, int) int { return 0 })},
	{"rjust", padding(func(n, _ int) int { return n })},
	{"zfill", textMethod{"/width", zeroFill}},
	{"expandtabs", textMethod{"tabsize?", expandTabs}},
	{"translate", textMethod{"/table", translate}},
}

// textAttribute gives a method of text. Arguments that become part of safe text are escaped.
func textAttribute(v any, name string) (any, bool) {
	if name == "format" || name == "format_map" {
		return &function{name, func(e *evaluator, line int, a values) any { return e.formatMethod(line, name, v, a) }}, true
	}
	m, ok := textMethods[name]
	if !ok {
		return nil, false
	}
	return &function{name, func(e *evaluator, line int, a values) any {
		arguments := m.bind(line, name, a)
		s, _ := textOf(v)
		if _, safe := v.(markup); !safe {
			return m.run(e, line, s, arguments)
		}
		switch name {
		case "replace", "ljust", "rjust", "center":
			if fill, ok := arguments[1].(string); ok {
				arguments[1] = e.escape(line, fill)
			}
		case "join":
			l := &list{}
			for item := range e.each(line, arguments[0]) {
				l.items = append(l.items, e.escapeValue(line, item))
			}
			arguments[0] = l
		}
		return allSafe(m.run(e, line, s, arguments))
	}}, true
}

// allSafe makes text safe, and the texts of a list.
func allSafe(v any) any {
	switch v := v.(type) {
	case string:
		return markup(v)
	case *list:
		for i, item := range v.items {
			v.items[i] = allSafe(item)
		}
	}
	return v
}

func mapping(f func(string) string) textMethod {
	return textMethod{"", func(e *evaluator, line int, s string, _ []any) any {
		e.cost(line, len(s)>>4)
		s = f(s)
		e.fits(line, len(s))
		return s
	}}
}

func asking(f func(string) bool) textMethod {
	return textMethod{"", func(e *evaluator, line int, s string, _ []any) any {
		e.cost(line, len(s)>>4)
		return f(s)
	}}
}

func allRunes(f func(rune) bool) textMethod {
	return asking(func(s string) bool { return s != "" && strings.IndexFunc(s, func(r rune) bool { return !f(r) }) < 0 })
}

func trimming(set func(s, cutset string) string, all func(string, func(rune) bool) string) textMethod {
	return textMethod{"/chars?", func(e *evaluator, line int, s string, a []any) any {
		e.cost(line, len(s)>>6)
		if chars := or(a[0], nil); chars != nil {
			return set(s, wantText(line, chars, "chars"))
		}
		return all(s, isSpace)
	}}
}

func isIdentifier(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.In(r, unicode.L, unicode.Nl, unicode.Other_ID_Start) &&
			(i == 0 || !unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc, unicode.Other_ID_Continue)) {
			return false
		}
	}
	return s != ""
}

// part gives the part of a text between two places, and the first of them, in letters; ok is false where that lies behind the end.
func part(line int, s string, start, stop any) (out string, from int, ok bool) {
	if (start == nil || start == any(missing{})) && (stop == nil || stop == any(missing{})) {
		return s, 0, true
	}
	runes := []rune(s)
	from, to := window(line, start, stop, len(runes))
	if from > len(runes) || from > to {
		return "", from, false
	}
	return string(runes[from:to]), from, true
}

// affix tests for one prefix or suffix, or for any of a tuple.
func affix(has func(s, affix string) bool) textMethod {
	return textMethod{"/prefix start? end?", func(_ *evaluator, line int, s string, a []any) any {
		s, _, ok := part(line, s, a[1], a[2])
		l, isList := a[0].(*list)
		if !isList || !l.tuple {
			return has(s, wantText(line, a[0], "prefix")) && ok
		}
		for _, item := range l.items {
			if has(s, wantText(line, item, "prefix")) && ok {
				return true
			}
		}
		return false
	}}
}

func finding(find func(s, sub string) int, must bool) textMethod {
	return textMethod{"/sub start? end?", func(e *evaluator, line int, s string, a []any) any {
		e.cost(line, len(s)>>4)
		sub := wantText(line, a[0], "sub")
		s, from, ok := part(line, s, a[1], a[2])
		if at := find(s, sub); ok && at >= 0 {
			return int64(from + runeCount(s[:at]))
		}
		if must {
			fail(line, "the text does not hold %q", sub)
		}
		return int64(-1)
	}}
}

func countText(e *evaluator, line int, s string, a []any) any {
	e.cost(line, len(s)>>4)
	sub := wantText(line, a[0], "sub")
	if s, _, ok := part(line, s, a[1], a[2]); ok {
		return int64(strings.Count(s, sub))
	}
	return int64(0)
}

func replaceText(e *evaluator, line int, s string, a []any) any {
	before, after := wantText(line, a[0], "old"), wantText(line, a[1], "new")
	n := wantInteger(line, or(a[2], int64(-1)), "count")
	found := strings.Count(s, before)
	if n >= 0 {
		found = min(found, n)
	}
	e.fits(line, len(s)+found*max(0, len(after)-len(before)))
	e.cost(line, 1+len(s)>>6+found>>4)
	return strings.Replace(s, before, after, n)
}

func joinTexts(e *evaluator, line int, s string, a []any) any {
	var out strings.Builder
	first := true
	for item := range e.each(line, a[0]) {
		if !first {
			out.WriteString(s)
		}
		first = false
		text := wantText(line, item, "what is joined")
		out.WriteString(text)
		e.cost(line, (len(s)+len(text))>>6)
		e.fits(line, out.Len())
	}
	return out.String()
}
