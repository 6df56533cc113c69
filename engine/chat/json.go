package chat

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"quire/engine/chat/big"
)

const jsonParameters signature = "ensure_ascii? indent? separators? sort_keys?"

// toJSON writes what Python's json.dumps(v, ensure_ascii=False) writes, which is how Hugging Face defines the filter.
func toJSON(e *evaluator, line int, v any, a []any) any {
	w := jsonWriter{e: e, line: line, item: ", ", key: ": ", ascii: truth(or(a[0], false)), sort: truth(or(a[3], false))}
	switch indent := or(a[1], nil).(type) {
	case nil:
	case string, markup:
		text, _ := textOf(indent)
		w.indent, w.level, w.item = text, 0, ","
		w.lines = true
	default:
		n, ok := large(indent)
		if !ok {
			fail(line, "indent must be an integer or a str, not %s", typeName(indent))
		}
		w.indent, w.item, w.lines = e.repeat(line, " ", n), ",", true
	}
	if separators := or(a[2], nil); separators != nil {
		pair := e.items(line, separators)
		if len(pair) != 2 {
			fail(line, "separators must be two")
		}
		w.item, w.key = wantText(line, pair[0], "a separator"), wantText(line, pair[1], "a separator")
	}
	w.value(v)
	return w.out.String()
}

type jsonWriter struct {
	e         *evaluator
	line      int
	out       strings.Builder
	item, key string
	lines     bool   // every item has a line
	indent    string // of one level
	level     int
	sort      bool
	ascii     bool
}

func (w *jsonWriter) newline() {
	if w.lines {
		w.e.fits(w.line, w.out.Len()+1+w.level*len(w.indent))
		w.out.WriteByte('\n')
		w.out.WriteString(strings.Repeat(w.indent, w.level))
	}
}

func (w *jsonWriter) value(v any) {
	w.e.cost(w.line, 1+w.level*len(w.indent)>>6)
	w.e.fits(w.line, w.out.Len())
	w.e.deeper(w.line)
	defer w.e.shallower()
	switch v := v.(type) {
	case nil:
		w.out.WriteString("null")
	case bool:
		w.out.WriteString(strconv.FormatBool(v))
	case int64:
		w.out.WriteString(strconv.FormatInt(v, 10))
	case *big.Int:
		w.out.WriteString(integerText(w.e, w.line, v, 10))
	case float64:
		w.out.WriteString(jsonFloat(v))
	case string:
		w.text(v)
	case markup:
		w.text(string(v))
	case *list:
		w.group('[', ']', len(v.items), func(i int) { w.value(v.items[i]) })
	case *dict:
		keys := v.keys
		if w.sort {
			keys = slices.Clone(keys)
			w.e.sort(w.line, keys, false, func(key any) any { return key })
		}
		w.group('{', '}', len(keys), func(i int) {
			w.text(w.name(keys[i]))
			w.out.WriteString(w.key)
			w.value(v.at(keys[i]))
		})
	default:
		fail(w.line, "%s cannot be written as JSON", describe(v))
	}
}

func jsonFloat(x float64) string {
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 1):
		return "Infinity"
	case math.IsInf(x, -1):
		return "-Infinity"
	}
	return floatText(x)
}

// name spells a key as JSON's strings must be.
func (w *jsonWriter) name(key any) string {
	switch key := key.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(key)
	case float64:
		return jsonFloat(key)
	case int64, *big.Int, string, markup:
		return w.e.text(w.line, key)
	}
	fail(w.line, "%s cannot be a key in JSON", describe(key))
	return ""
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
	w.e.cost(w.line, len(s)>>6)
	w.e.fits(w.line, w.out.Len()+len(s))
	w.out.WriteByte('"')
	for _, r := range s {
		if at := strings.IndexRune("\"\\\n\r\t\b\f", r); at >= 0 {
			w.out.WriteByte('\\')
			w.out.WriteByte(`"\nrtbf`[at])
			continue
		}
		switch {
		case r < 0x20 || w.ascii && 0x7F <= r && r <= 0xFFFF:
			fmt.Fprintf(&w.out, `\u%04x`, r)
		case w.ascii && r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&w.out, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		default:
			w.out.WriteRune(r)
		}
	}
	w.out.WriteByte('"')
}
