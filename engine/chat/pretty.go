package chat

import (
	"slices"
	"sort"
	"strings"
)

// pretty shows a value as Python's pprint does: with the keys of dicts sorted, and a line for each item of what is wider than 80.
func pretty(e *evaluator, line int, v any, _ []any) any {
	w := prettyWriter{e: e, line: line}
	w.value(v, 0, 0, 1)
	return w.out.String()
}

type prettyWriter struct {
	e    *evaluator
	line int
	out  strings.Builder
}

const prettyWidth = 80

// value writes v, which starts at a column and is followed by so many characters more.
func (w *prettyWriter) value(v any, column, after, level int) {
	w.e.deeper(w.line)
	defer w.e.shallower()
	v = w.sorted(v)
	repr := w.e.reprOf(w.line, v)
	w.e.cost(w.line, 1+len(repr)>>6)
	w.e.fits(w.line, w.out.Len()+len(repr)+column)
	if runeCount(repr) > prettyWidth-column-after {
		switch v := v.(type) {
		case *dict:
			w.dict(v, column, after, level)
			return
		case *list:
			w.list(v, column, after, level)
			return
		case string:
			w.text(v, repr, column, after, level)
			return
		}
	}
	w.out.WriteString(repr)
}

// sorted gives a value with the keys of all dicts in it in order: of their type, where they cannot be compared.
func (w *prettyWriter) sorted(v any) any {
	w.e.step(w.line)
	w.e.deeper(w.line)
	defer w.e.shallower()
	switch v := v.(type) {
	case *dict:
		keys := slices.Clone(v.keys)
		sort.SliceStable(keys, func(i, j int) bool {
			a, b := keys[i], keys[j]
			x, isText := textOf(a)
			y, both := textOf(b)
			if isText && both {
				return x < y
			}
			if order, ok := compareNumbers(a, b); ok {
				return order < 0
			}
			kind := func(v any) string { return strings.ReplaceAll(typeName(v), "none", "NoneType") }
			return kind(a) < kind(b)
		})
		out := newDict()
		for _, key := range keys {
			out.set(key, w.sorted(v.at(key)))
		}
		return out
	case *list:
		out := &list{tuple: v.tuple}
		for _, item := range v.items {
			out.items = append(out.items, w.sorted(item))
		}
		return out
	}
	return v
}

func (w *prettyWriter) newline(column int) {
	w.out.WriteString("\n" + strings.Repeat(" ", column))
}

func (w *prettyWriter) dict(d *dict, column, after, level int) {
	w.out.WriteByte('{')
	for i, key := range d.keys {
		if i > 0 {
			w.newline(column + 1)
		}
		repr := w.e.reprOf(w.line, key)
		w.out.WriteString(repr + ": ")
		w.value(d.at(key), column+1+runeCount(repr)+2, w.after(i, len(d.keys), after+1), level+1)
		if i < len(d.keys)-1 {
			w.out.WriteByte(',')
		}
	}
	w.out.WriteByte('}')
}

// after gives what follows an item: a comma, or what follows the last.
func (w *prettyWriter) after(i, n, last int) int {
	if i < n-1 {
		return 1
	}
	return last
}

func (w *prettyWriter) list(l *list, column, after, level int) {
	open, end := "[", "]"
	if l.tuple {
		open, end = "(", ")"
		if len(l.items) == 1 {
			end = ",)"
		}
	}
	w.out.WriteString(open)
	for i, item := range l.items {
		if i > 0 {
			w.newline(column + 1)
		}
		w.value(item, column+1, w.after(i, len(l.items), after+len(end)), level+1)
		if i < len(l.items)-1 {
			w.out.WriteByte(',')
		}
	}
	w.out.WriteString(end)
}

// text writes a text in pieces that Python joins: a line, or as many words as fit.
func (w *prettyWriter) text(s, repr string, column, after, level int) {
	if s == "" {
		w.out.WriteString(repr)
		return
	}
	if level == 1 {
		column++
		after++
	}
	var pieces []string
	all := lines(s, true)
	for i, l := range all {
		width := prettyWidth - column
		last := i == len(all)-1
		if last {
			width -= after
		}
		if whole := quote(l); runeCount(whole) <= width {
			pieces = append(pieces, whole)
			continue
		}
		width = prettyWidth - column
		words := wordsOf(l)
		current := ""
		for j, word := range words {
			if j == len(words)-1 && last {
				width -= after
			}
			w.e.cost(w.line, 1+len(current)>>6)
			if runeCount(quote(current+word)) > width {
				if current != "" {
					pieces = append(pieces, quote(current))
				}
				current = word
			} else {
				current += word
			}
		}
		if current != "" {
			pieces = append(pieces, quote(current))
		}
	}
	if len(pieces) == 1 {
		w.out.WriteString(pieces[0])
		return
	}
	if level == 1 {
		w.out.WriteByte('(')
	}
	for i, piece := range pieces {
		if i > 0 {
			w.newline(column)
		}
		w.out.WriteString(piece)
	}
	if level == 1 {
		w.out.WriteByte(')')
	}
}

// wordsOf cuts a text into words with the white space after them.
func wordsOf(s string) []string {
	var out []string
	for s != "" {
		end := strings.IndexFunc(s, isSpace)
		if end < 0 {
			return append(out, s)
		}
		more := strings.IndexFunc(s[end:], func(r rune) bool { return !isSpace(r) })
		if more < 0 {
			return append(out, s)
		}
		out, s = append(out, s[:end+more]), s[end+more:]
	}
	return out
}
