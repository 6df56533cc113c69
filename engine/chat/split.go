package chat

import (
	"slices"
	"strings"
	"unicode/utf8"
)

func (e *evaluator) strings(line int, parts []string) *list {
	e.fitsItems(line, len(parts))
	e.cost(line, len(parts))
	l := &list{}
	for _, part := range parts {
		l.items = append(l.items, part)
	}
	return l
}

// splitting reads the arguments of split and rsplit: without a separator white space separates; most is -1 for all.
func splitting(e *evaluator, line int, s string, a []any) (separator string, given bool, most int) {
	e.cost(line, len(s)>>6)
	most = max(wantInteger(line, or(a[1], int64(-1)), "maxsplit"), -1)
	if or(a[0], nil) == nil {
		return "", false, most
	}
	separator = wantText(line, a[0], "sep")
	if separator == "" {
		fail(line, "split needs a separator")
	}
	e.fitsItems(line, strings.Count(s, separator))
	return separator, true, most
}

func split(e *evaluator, line int, s string, a []any) any {
	separator, given, most := splitting(e, line, s, a)
	if given {
		if most < 0 {
			return e.strings(line, strings.Split(s, separator))
		}
		return e.strings(line, strings.SplitN(s, separator, most+1))
	}
	var parts []string
	for s = strings.TrimLeftFunc(s, isSpace); s != ""; s = strings.TrimLeftFunc(s, isSpace) {
		end := strings.IndexFunc(s, isSpace)
		if end < 0 || len(parts) == most {
			end = len(s)
		}
		parts = append(parts, s[:end])
		s = s[end:]
	}
	return e.strings(line, parts)
}

func rsplit(e *evaluator, line int, s string, a []any) any {
	separator, given, most := splitting(e, line, s, a)
	var parts []string
	if given {
		for len(parts) != most {
			at := strings.LastIndex(s, separator)
			if at < 0 {
				break
			}
			parts = append(parts, s[at+len(separator):])
			s = s[:at]
		}
		parts = append(parts, s)
	}
	for !given {
		s = strings.TrimRightFunc(s, isSpace)
		if s == "" {
			break
		}
		start := strings.LastIndexFunc(s, isSpace)
		if start < 0 || len(parts) == most {
			parts = append(parts, s)
			break
		}
		_, size := utf8.DecodeRuneInString(s[start:])
		parts = append(parts, s[start+size:])
		s = s[:start]
	}
	slices.Reverse(parts)
	return e.strings(line, parts)
}

// lines cuts a text at the ends of its lines, which are kept if asked for.
func lines(s string, keep bool) []string {
	var out []string
	for s != "" {
		end := strings.IndexFunc(s, isLineEnd)
		if end < 0 {
			return append(out, s)
		}
		_, size := utf8.DecodeRuneInString(s[end:])
		next := end + size
		if strings.HasPrefix(s[end:], "\r\n") {
			next = end + 2
		}
		if keep {
			end = next
		}
		out = append(out, s[:end])
		s = s[next:]
	}
	return out
}

// partition cuts a text in three at a separator; fromEnd looks for the last one.
func partition(find func(s, sub string) int, fromEnd bool) func(e *evaluator, line int, s string, a []any) any {
	return func(_ *evaluator, line int, s string, a []any) any {
		separator := wantText(line, a[0], "sep")
		if separator == "" {
			fail(line, "partition needs a separator")
		}
		parts := []any{s, "", ""}
		if at := find(s, separator); at >= 0 {
			parts = []any{s[:at], separator, s[at+len(separator):]}
		} else if fromEnd {
			parts = []any{"", "", s}
		}
		return &list{items: parts, tuple: true}
	}
}
