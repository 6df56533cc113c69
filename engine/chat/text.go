package chat

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"quire/engine/chat/big"
)

// text gives what {{ v }} shows: Python's str().
func (e *evaluator) text(line int, v any) string {
	if s, ok := textOf(v); ok {
		return s
	}
	if _, ok := v.(undefined); ok {
		return ""
	}
	var out strings.Builder
	e.repr(line, &out, v)
	return out.String()
}

// repr writes Python's repr().
func (e *evaluator) repr(line int, out *strings.Builder, v any) {
	e.step(line)
	e.fits(line, out.Len())
	e.deeper(line)
	defer e.shallower()
	switch v := v.(type) {
	case nil:
		out.WriteString("None")
	case undefined:
		out.WriteString("Undefined")
	case bool:
		out.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case int64:
		out.WriteString(strconv.FormatInt(v, 10))
	case *big.Int:
		out.WriteString(integerText(e, line, v, 10))
	case float64:
		out.WriteString(floatText(v))
	case string:
		e.fits(line, len(v))
		out.WriteString(quote(v))
	case markup:
		e.fits(line, len(v))
		out.WriteString("Markup(" + quote(string(v)) + ")")
	case *list:
		switch {
		case !v.tuple:
			e.row(line, out, "[", "]", v.items)
		case len(v.items) == 1:
			e.row(line, out, "(", ",)", v.items)
		default:
			e.row(line, out, "(", ")", v.items)
		}
	case *view:
		out.WriteString("dict_" + v.part)
		e.row(line, out, "([", "])", e.items(line, v))
	case *dict:
		out.WriteByte('{')
		for i, key := range v.keys {
			if i > 0 {
				out.WriteString(", ")
			}
			e.repr(line, out, key)
			out.WriteString(": ")
			e.repr(line, out, v.at(key))
		}
		out.WriteByte('}')
	case *span:
		if v.step == 1 {
			fmt.Fprintf(out, "range(%d, %d)", v.start, v.stop)
		} else {
			fmt.Fprintf(out, "range(%d, %d, %d)", v.start, v.stop, v.step)
		}
	case *namespace:
		out.WriteString("<Namespace ")
		e.repr(line, out, v.vars)
		out.WriteByte('>')
	case *loop:
		fmt.Fprintf(out, "<LoopContext %d/%d>", v.index+1, v.length())
	case *macro:
		out.WriteString("<Macro " + quote(v.name) + ">")
	default:
		out.WriteString("<" + typeName(v) + ">")
	}
}

func (e *evaluator) row(line int, out *strings.Builder, open, end string, items []any) {
	out.WriteString(open)
	for i, item := range items {
		if i > 0 {
			out.WriteString(", ")
		}
		e.repr(line, out, item)
	}
	out.WriteString(end)
}

// reprOf gives Python's repr().
func (e *evaluator) reprOf(line int, v any) string {
	var out strings.Builder
	e.repr(line, &out, v)
	return out.String()
}

// quote is Python's repr of a string.
func quote(s string) string {
	mark := '\''
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		mark = '"'
	}
	var out strings.Builder
	out.WriteRune(mark)
	for _, r := range s {
		switch {
		case r == mark || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case unicode.IsPrint(r):
			out.WriteRune(r)
		default:
			out.WriteString(numbered(r))
		}
	}
	out.WriteRune(mark)
	return out.String()
}

// numbered is Python's escape of a character by its number.
func numbered(r rune) string {
	switch {
	case r < 0x100:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// ascii is Python's ascii(): repr without characters beyond ASCII.
func ascii(repr string) string {
	var out strings.Builder
	for _, r := range repr {
		if r < 0x80 {
			out.WriteRune(r)
		} else {
			out.WriteString(numbered(r))
		}
	}
	return out.String()
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&#39;", `"`, "&#34;")

func (e *evaluator) escape(line int, text string) string {
	e.cost(line, len(text)>>6)
	text = escaper.Replace(text)
	e.fits(line, len(text))
	return text
}

// escapeValue makes safe text of a value.
func (e *evaluator) escapeValue(line int, v any) markup {
	if safe, ok := v.(markup); ok {
		return safe
	}
	return markup(e.escape(line, e.text(line, v)))
}
