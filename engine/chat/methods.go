package chat

import (
	"strings"
	"unicode"
)

// bind makes a method of a value callable.
func bind[T any](m func(e *evaluator, line int, v T, a values) any, v T) function {
	return func(e *evaluator, line int, a values) any { return m(e, line, v, a) }
}

type stringMethod = func(e *evaluator, line int, s string, a values) any

var stringMethods = map[string]stringMethod{
	"strip":      trimming(strings.Trim, strings.TrimSpace),
	"lstrip":     trimming(strings.TrimLeft, func(s string) string { return strings.TrimLeftFunc(s, unicode.IsSpace) }),
	"rstrip":     trimming(strings.TrimRight, func(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) }),
	"upper":      mapping(strings.ToUpper),
	"lower":      mapping(strings.ToLower),
	"title":      mapping(title),
	"capitalize": mapping(capitalize),
	"isdigit":    allRunes(unicode.IsDigit),
	"isnumeric":  allRunes(unicode.IsNumber),
	"isalpha":    allRunes(unicode.IsLetter),
	"isalnum":    allRunes(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }),
	"isspace":    allRunes(unicode.IsSpace),
	"isupper":    func(_ *evaluator, _ int, s string, _ values) any { return isUpper(s) },
	"islower":    func(_ *evaluator, _ int, s string, _ values) any { return isLower(s) },
	"startswith": affix(strings.HasPrefix),
	"endswith":   affix(strings.HasSuffix),
	"removeprefix": func(e *evaluator, line int, s string, a values) any {
		return strings.TrimPrefix(s, textArgument(line, a, 0, "prefix"))
	},
	"removesuffix": func(e *evaluator, line int, s string, a values) any {
		return strings.TrimSuffix(s, textArgument(line, a, 0, "suffix"))
	},
	"find": func(e *evaluator, line int, s string, a values) any {
		return runeIndex(s, strings.Index(s, textArgument(line, a, 0, "sub")))
	},
	"rfind": func(e *evaluator, line int, s string, a values) any {
		return runeIndex(s, strings.LastIndex(s, textArgument(line, a, 0, "sub")))
	},
	"count": func(e *evaluator, line int, s string, a values) any {
		e.cost(line, len(s)>>4)
		return int64(strings.Count(s, textArgument(line, a, 0, "sub")))
	},
	"replace": replaceText,
	"split":   split,
	"rsplit":  rsplit,
	"splitlines": func(e *evaluator, line int, s string, a values) any {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
		if s == "" {
			return &list{}
		}
		return e.strings(line, strings.Split(strings.TrimSuffix(s, "\n"), "\n"))
	},
	"join": func(e *evaluator, line int, s string, a values) any {
		return e.joinAll(line, e.items(line, a.at(0, "iterable", undefined{})), s)
	},
	"format": formatText,
}

type dictMethod = func(e *evaluator, line int, d *dict, a values) any

var dictMethods = map[string]dictMethod{
	"items":  func(e *evaluator, line int, d *dict, _ values) any { return e.pairs(line, d) },
	"keys":   func(_ *evaluator, _ int, d *dict, _ values) any { return &list{items: d.keys} },
	"values": func(e *evaluator, line int, d *dict, _ values) any { return e.dictValues(line, d) },
	"get": func(_ *evaluator, _ int, d *dict, a values) any {
		if v, ok := d.get(a.at(0, "key", nil)); ok {
			return v
		}
		return a.at(1, "default", nil)
	},
}

type listMethod = func(e *evaluator, line int, l *list, a values) any

var listMethods = map[string]listMethod{
	"index": func(e *evaluator, line int, l *list, a values) any {
		for i, item := range l.items {
			if e.equal(item, a.at(0, "value", nil)) {
				return int64(i)
			}
		}
		fail(line, "the value is not in the list")
		return nil
	},
	"count": func(e *evaluator, line int, l *list, a values) any {
		n := int64(0)
		for _, item := range l.items {
			if e.equal(item, a.at(0, "value", nil)) {
				n++
			}
		}
		return n
	},
}

func (e *evaluator) strings(line int, parts []string) *list {
	e.fitsItems(line, len(parts))
	e.cost(line, len(parts))
	l := &list{}
	for _, part := range parts {
		l.items = append(l.items, part)
	}
	return l
}

func (e *evaluator) pairs(line int, d *dict) *list {
	e.cost(line, len(d.keys))
	l := &list{}
	for _, key := range d.keys {
		l.items = append(l.items, &list{items: []any{key, d.at(key)}, tuple: true})
	}
	return l
}

func (e *evaluator) dictValues(line int, d *dict) *list {
	e.cost(line, len(d.keys))
	l := &list{}
	for _, key := range d.keys {
		l.items = append(l.items, d.at(key))
	}
	return l
}

// joinAll writes items as text with a separator between them.
func (e *evaluator) joinAll(line int, items []any, separator string) string {
	var out strings.Builder
	for i, item := range items {
		if i > 0 {
			out.WriteString(separator)
		}
		text := e.text(line, item)
		out.WriteString(text)
		e.cost(line, 1+len(text)>>6)
		e.fits(line, out.Len())
	}
	return out.String()
}

func textArgument(line int, a values, i int, name string) string {
	v := a.at(i, name, undefined{})
	s, ok := v.(string)
	if !ok {
		fail(line, "%s must be a str, not %s", name, typeName(v))
	}
	return s
}

func trimming(set func(s, cutset string) string, all func(string) string) stringMethod {
	return func(e *evaluator, line int, s string, a values) any {
		e.cost(line, len(s)>>6)
		if cutset, ok := a.at(0, "chars", nil).(string); ok {
			return set(s, cutset)
		}
		return all(s)
	}
}

func mapping(f func(string) string) stringMethod {
	return func(e *evaluator, line int, s string, _ values) any {
		e.cost(line, len(s)>>4)
		s = f(s)
		e.fits(line, len(s))
		return s
	}
}

func allRunes(f func(rune) bool) stringMethod {
	return func(e *evaluator, line int, s string, _ values) any {
		e.cost(line, len(s)>>4)
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return !f(r) }) < 0
	}
}

// affix tests for one prefix or suffix, or for any of a tuple.
func affix(has func(s, affix string) bool) stringMethod {
	return func(e *evaluator, line int, s string, a values) any {
		if l, ok := a.at(0, "prefix", nil).(*list); ok {
			for _, item := range l.items {
				if part, ok := item.(string); ok && has(s, part) {
					return true
				}
			}
			return false
		}
		return has(s, textArgument(line, a, 0, "prefix"))
	}
}

func runeIndex(s string, at int) int64 {
	if at < 0 {
		return -1
	}
	return int64(len([]rune(s[:at])))
}

func isUpper(s string) bool { return s == strings.ToUpper(s) && s != strings.ToLower(s) }
func isLower(s string) bool { return s == strings.ToLower(s) && s != strings.ToUpper(s) }

func capitalize(s string) string {
	for i, r := range s {
		n := i + len(string(r))
		return strings.ToUpper(s[:n]) + strings.ToLower(s[n:])
	}
	return s
}

func title(s string) string {
	var out strings.Builder
	inside := false
	for _, r := range s {
		if inside {
			r = unicode.ToLower(r)
		} else {
			r = unicode.ToTitle(r)
		}
		inside = unicode.IsLetter(r)
		out.WriteRune(r)
	}
	return out.String()
}

func replaceText(e *evaluator, line int, s string, a values) any {
	before, after := textArgument(line, a, 0, "old"), textArgument(line, a, 1, "new")
	n := -1
	if count, ok := integer(a.at(2, "count", nil)); ok && count >= 0 {
		n = int(min(count, maxText))
	}
	found := strings.Count(s, before)
	if n >= 0 {
		found = min(found, n)
	}
	e.fits(line, len(s)+found*max(0, len(after)-len(before)))
	e.cost(line, 1+len(s)>>6+found>>4)
	return strings.Replace(s, before, after, n)
}

func split(e *evaluator, line int, s string, a values) any {
	n := -1
	if count, ok := integer(a.at(1, "maxsplit", nil)); ok && count >= 0 {
		n = int(min(count, maxItems)) + 1
	}
	separator, ok := a.at(0, "sep", nil).(string)
	if !ok {
		parts := strings.Fields(s)
		if n > 0 && len(parts) > n {
			return e.strings(line, fieldsUpTo(s, n))
		}
		return e.strings(line, parts)
	}
	if separator == "" {
		fail(line, "split needs a separator")
	}
	e.fitsItems(line, strings.Count(s, separator))
	return e.strings(line, strings.SplitN(s, separator, n))
}

// fieldsUpTo gives n-1 words and the rest.
func fieldsUpTo(s string, n int) []string {
	var parts []string
	for s = strings.TrimSpace(s); len(parts) < n-1; {
		at := strings.IndexFunc(s, unicode.IsSpace)
		if at < 0 {
			break
		}
		parts = append(parts, s[:at])
		s = strings.TrimLeftFunc(s[at:], unicode.IsSpace)
	}
	return append(parts, s)
}

func rsplit(e *evaluator, line int, s string, a values) any {
	count, ok := integer(a.at(1, "maxsplit", nil))
	separator, given := a.at(0, "sep", nil).(string)
	if !ok || count < 0 || !given || separator == "" {
		return split(e, line, s, a)
	}
	parts := strings.Split(s, separator)
	if extra := len(parts) - 1 - int(min(count, maxItems)); extra > 0 {
		parts = append([]string{strings.Join(parts[:extra+1], separator)}, parts[extra+1:]...)
	}
	return e.strings(line, parts)
}

// formatText fills {} and {n} and {name}, without format specifications.
func formatText(e *evaluator, line int, s string, a values) any {
	var out strings.Builder
	next := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '{' && c != '}' || i+1 < len(s) && s[i+1] == c {
			out.WriteByte(c)
			if c == '{' || c == '}' {
				i++
			}
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if s[i] == '}' || end < 0 {
			fail(line, "a single brace in a format")
		}
		field := s[i+1 : i+end]
		v, ok := a.named[field]
		if field == "" && next < len(a.positional) {
			v, ok = a.positional[next], true
			next++
		} else if len(field) == 1 && isDigit(field[0]) && int(field[0]-'0') < len(a.positional) {
			v, ok = a.positional[field[0]-'0'], true
		}
		if !ok {
			fail(line, "the format has no value for {%s}", field)
		}
		out.WriteString(e.text(line, v))
		e.fits(line, out.Len())
		i += end
	}
	return out.String()
}
