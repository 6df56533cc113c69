package chat

import (
	"html"
	"strings"
)

func unescapeHTML(s string) string { return html.UnescapeString(s) }

// xmlAttributes writes a dict as the attributes of a tag.
func xmlAttributes(e *evaluator, line int, v any, a []any) any {
	d, ok := v.(*dict)
	if !ok {
		fail(line, "xmlattr needs a dict, not %s", describe(v))
	}
	var parts []any
	for _, key := range d.keys {
		value := d.at(key)
		if _, none := value.(undefined); none || value == nil {
			continue
		}
		name := wantText(line, key, "an attribute's name")
		if strings.ContainsAny(name, " \t\n\r\f\v/>=") {
			fail(line, "an attribute's name cannot be %q", name)
		}
		parts = append(parts, string(e.escapeValue(line, key))+`="`+string(e.escapeValue(line, value))+`"`)
	}
	text := e.joinAll(line, parts, " ")
	if text != "" && truth(or(a[0], true)) {
		text = " " + text
	}
	return e.safe(text)
}

// urlEncode quotes a text for a URL's path, or pairs for its query.
func urlEncode(e *evaluator, line int, v any, _ []any) any {
	if _, ok := textOf(v); ok || !iterable(v) {
		return quoteURL(e.text(line, v), "/")
	}
	if d, ok := v.(*dict); ok {
		v = &view{d, "items"}
	}
	quote := func(v any) string { return strings.ReplaceAll(quoteURL(e.text(line, v), ""), "%20", "+") }
	var parts []any
	for item := range e.each(line, v) {
		pair := e.items(line, item)
		if len(pair) != 2 {
			fail(line, "urlencode needs pairs, not %d items", len(pair))
		}
		parts = append(parts, quote(pair[0])+"="+quote(pair[1]))
	}
	return e.joinAll(line, parts, "&")
}

func quoteURL(s, keep string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		if isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("_.-~"+keep, c) >= 0 {
			out.WriteByte(c)
		} else {
			out.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
		}
	}
	return out.String()
}
