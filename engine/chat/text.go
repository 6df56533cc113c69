package chat

import (
	"math"
	"strconv"
	"strings"
)

// text gives what {{ v }} shows: Python's str().
func (e *evaluator) text(line int, v any) string {
	switch v := v.(type) {
	case string:
		return v
	case undefined:
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
	defer e.deeper(line)()
	switch v := v.(type) {
	case nil:
		out.WriteString("None")
	case undefined:
		out.WriteString("Undefined")
	case bool:
		out.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case int64:
		out.WriteString(strconv.FormatInt(v, 10))
	case float64:
		out.WriteString(floatText(v))
	case string:
		out.WriteString(quote(v))
	case *list:
		open, end := "[", "]"
		if v.tuple {
			open, end = "(", ")"
			if len(v.items) == 1 {
				end = ",)"
			}
		}
		out.WriteString(open)
		for i, item := range v.items {
			if i > 0 {
				out.WriteString(", ")
			}
			e.repr(line, out, item)
		}
		out.WriteString(end)
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
	default:
		out.WriteString("<" + typeName(v) + ">")
	}
}

// floatText is Python's repr of a float.
func floatText(x float64) string {
	switch {
	case math.IsNaN(x):
		return "nan"
	case math.IsInf(x, 0):
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(x, 'g', -1, 64), "+"))
	}
	if a := math.Abs(x); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(x, 'e', -1, 64)
	}
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if strings.IndexByte(s, '.') < 0 {
		s += ".0"
	}
	return s
}

// quote is Python's repr of a string.
func quote(s string) string {
	mark := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		mark = '"'
	}
	var out strings.Builder
	out.WriteByte(mark)
	for _, r := range s {
		switch {
		case r == rune(mark) || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case r < 0x20 || r == 0x7F:
			const hex = "0123456789abcdef"
			out.WriteString(`\x` + string([]byte{hex[r>>4], hex[r&15]}))
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte(mark)
	return out.String()
}
