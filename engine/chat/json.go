package chat

import (
	"slices"
	"strconv"
	"strings"
)

// toJSON writes what Python's json.dumps(v, ensure_ascii=False) writes, which is how Hugging Face
// defines the filter.
func toJSON(e *evaluator, line int, v any, a values) any {
	w := jsonWriter{e: e, line: line, item: ", ", key: ": ", sort: truth(a.named["sort_keys"]), ascii: truth(a.named["ensure_ascii"])}
	switch indent := a.at(0, "indent", nil).(type) {
	case int64:
		w.indent, w.item = "\n"+e.repeat(line, " ", min(indent, 64)), ","
	case string:
		w.indent, w.item = "\n"+indent, ","
	}
	if l, ok := a.named["separators"].(*list); ok && len(l.items) == 2 {
		w.item, w.key = e.text(line, l.items[0]), e.text(line, l.items[1])
	}
	w.value(v)
	return w.out.String()
}

type jsonWriter struct {
	e         *evaluator
	line      int
	out       strings.Builder
	item, key string
	indent    string // the newline and one level, or empty
	level     int
	sort      bool
	ascii     bool
}

func (w *jsonWriter) newline() {
	if w.indent != "" {
		w.out.WriteByte('\n')
		for range w.level {
			w.out.WriteString(w.indent[1:])
		}
	}
}

func (w *jsonWriter) value(v any) {
	w.e.step(w.line)
	w.e.fits(w.line, w.out.Len())
	defer w.e.deeper(w.line)()
	switch v := v.(type) {
	case nil:
		w.out.WriteString("null")
	case bool:
		w.out.WriteString(strconv.FormatBool(v))
	case int64:
		w.out.WriteString(strconv.FormatInt(v, 10))
	case float64:
		w.out.WriteString(map[string]string{"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[floatText(v)])
		if x := floatText(v); x != "nan" && x != "inf" && x != "-inf" {
			w.out.WriteString(x)
		}
	case string:
		w.text(v)
	case *list:
		w.group('[', ']', len(v.items), func(i int) { w.value(v.items[i]) })
	case *dict:
		keys := v.keys
		if w.sort {
			keys = slices.Clone(keys)
			slices.SortFunc(keys, func(a, b any) int { return strings.Compare(w.e.text(w.line, a), w.e.text(w.line, b)) })
		}
		w.group('{', '}', len(keys), func(i int) {
			w.text(w.name(keys[i]))
			w.out.WriteString(w.key)
			w.value(v.at(keys[i]))
		})
	default:
		fail(w.line, "%s cannot be written as JSON", typeName(v))
	}
}

// name spells a key as JSON's strings must be.
func (w *jsonWriter) name(key any) string {
	switch key := key.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(key)
	default:
		return w.e.text(w.line, key)
	}
}

func (w *jsonWriter) group(open, end byte, n int, item func(i int)) {
	w.out.WriteByte(open)
	if n > 0 {
		w.level++
		for i := range n {
			if i > 0 {
				w.out.WriteString(w.item)
			}
			w.newline()
			item(i)
		}
		w.level--
		w.newline()
	}
	w.out.WriteByte(end)
}

func (w *jsonWriter) text(s string) {
	const hex = "0123456789abcdef"
	w.e.cost(w.line, len(s)>>6)
	w.out.WriteByte('"')
	unit := func(r rune) {
		w.out.WriteString(`\u` + string([]byte{hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15]}))
	}
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.out.WriteByte('\\')
			w.out.WriteRune(r)
		case r >= 0x80 && w.ascii && r < 0x10000:
			unit(r)
		case r >= 0x80 && w.ascii:
			unit(0xD800 + (r-0x10000)>>10)
			unit(0xDC00 + (r-0x10000)&0x3FF)
		case r >= 0x20:
			w.out.WriteRune(r)
		default:
			if at := strings.IndexRune("\b\f\n\r\t", r); at >= 0 {
				w.out.WriteString(`\` + "bfnrt"[at:at+1])
			} else {
				unit(r)
			}
		}
	}
	w.out.WriteByte('"')
}
