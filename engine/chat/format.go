package chat

import (
	"strings"
)

// formatMethod is str.format and str.format_map. What goes into safe text is escaped.
func (e *evaluator) formatMethod(line int, name string, v any, a values) any {
	if name == "format_map" {
		named, ok := signature("/mapping").bind(line, name, a)[0].(*dict)
		if !ok {
			fail(line, "format_map needs a dict")
		}
		a = values{named: named}
	}
	s, _ := textOf(v)
	_, safe := v.(markup)
	f := formatter{e: e, line: line, values: a, safe: safe}
	return like(v, f.fill(s, 2))
}

// formatter fills the fields in braces of a text.
type formatter struct {
	e    *evaluator
	line int
	values
	safe     bool
	next     int  // of the fields without a number
	numbered bool // some field has a number
}

func (f *formatter) fill(text string, depth int) string {
	if depth == 0 {
		fail(f.line, "the fields of a format are nested too deep")
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '{' && c != '}' {
			out.WriteByte(c)
			continue
		}
		if i+1 < len(text) && text[i+1] == c {
			out.WriteByte(c)
			i++
			continue
		}
		end := fieldEnd(text[i:])
		if c == '}' || end < 0 {
			fail(f.line, "a format has a single %q", c)
		}
		out.WriteString(f.field(text[i+1:i+end], depth))
		f.e.fits(f.line, out.Len())
		f.e.step(f.line)
		i += end
	}
	return out.String()
}

// fieldEnd gives where the brace that opens text is closed. Braces inside of brackets do not count.
func fieldEnd(text string) int {
	depth, bracket := 0, false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '[' && depth == 1:
			bracket = true
		case c == ']':
			bracket = false
		case bracket:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// field gives the text of a field: name, "!" and conversion, ":" and specification.
func (f *formatter) field(text string, depth int) string {
	name, spec, conversion := text, "", byte(0)
	if at := outsideBrackets(text, "!:"); at >= 0 {
		name = text[:at]
		if text[at] == '!' {
			after := text[at+1:]
			if after == "" || len(after) > 1 && after[1] != ':' {
				fail(f.line, "the conversion of the field {%s} is not known", text)
			}
			conversion = after[0]
			spec = strings.TrimPrefix(after[1:], ":")
		} else {
			spec = text[at+1:]
		}
	}
	v := f.value(name)
	switch conversion {
	case 0:
	case 's':
		v = f.e.text(f.line, v)
	case 'r':
		v = f.e.reprOf(f.line, v)
	case 'a':
		v = ascii(f.e.reprOf(f.line, v))
	default:
		fail(f.line, "the conversion !%c is not known", conversion)
	}
	if strings.ContainsAny(spec, "{}") {
		spec = f.fill(spec, depth-1)
	}
	if !f.safe {
		return f.e.formatValue(f.line, v, spec)
	}
	if safe, ok := v.(markup); ok {
		if spec != "" {
			fail(f.line, "safe text has no format %q", spec)
		}
		return string(safe)
	}
	return f.e.escape(f.line, f.e.formatValue(f.line, v, spec))
}

func outsideBrackets(text, set string) int {
	bracket := false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case !bracket && strings.IndexByte(set, c) >= 0:
			return i
		}
	}
	return -1
}

// value gives what a field's name leads to: an argument, then attributes and items of it.
func (f *formatter) value(name string) any {
	first, rest := name, ""
	if at := strings.IndexAny(name, ".["); at >= 0 {
		first, rest = name[:at], name[at:]
	}
	var v any
	number, isNumber := parseInteger(first, 10)
	isNumber = isNumber && first != "" && strings.Trim(first, "0123456789") == ""
	if first == "" {
		if f.numbered {
			fail(f.line, "a format has fields with and without numbers")
		}
		number, isNumber = int64(f.next), true
		f.next++
	} else if isNumber {
		if f.next > 0 {
			fail(f.line, "a format has fields with and without numbers")
		}
		f.numbered = true
	}
	if isNumber {
		n := wantInteger(f.line, number, "a field")
		if n >= len(f.positional) {
			fail(f.line, "the format has no value for {%s}", name)
		}
		v = f.positional[n]
	} else {
		ok := false
		if f.named != nil {
			v, ok = f.named.get(first)
		}
		if !ok {
			fail(f.line, "the format has no value for {%s}", name)
		}
	}
	for rest != "" {
		if rest[0] == '.' {
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			v, rest = f.e.attribute(f.line, v, rest[1:end]), rest[end:]
			continue
		}
		end := strings.IndexByte(rest, ']')
		if rest[0] != '[' || end < 2 {
			fail(f.line, "the field {%s} cannot be read", name)
		}
		var index any = rest[1:end]
		if n, ok := parseInteger(rest[1:end], 10); ok && isDigit(rest[1]) {
			index = n
		}
		v, rest = f.e.item(f.line, v, index), rest[end+1:]
	}
	return v
}
