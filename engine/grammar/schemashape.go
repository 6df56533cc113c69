package grammar

import (
	"strings"

	"quire/engine/json"
)

// shape gives the texts of a shape, by type.
func (c *schemaCompiler) shape(s *shape, at string) []*expr {
	var out []*expr
	for _, t := range []struct {
		bit  typeSet
		text string
	}{{typeNull, c.style.null}, {typeFalse, c.style.no}, {typeTrue, c.style.yes}} {
		if s.types&t.bit != 0 {
			out = append(out, literal(t.text))
		}
	}
	if s.types&typeNumber != 0 {
		if e := c.numberOf(s, at); e != nil {
			out = append(out, e)
		}
	}
	if s.types&typeString != 0 && s.minLength <= s.maxLength {
		if n := c.textOf(s.texts); n != nil {
			out = append(out, c.style.quoted(&expr{op: opText, fragment: n, min: s.minLength, max: s.maxLength}))
		}
	}
	if s.types&typeArray != 0 && s.minItems <= s.maxItems {
		out = append(out, c.array(s, at))
	}
	if s.types&typeObject != 0 && s.minNames <= s.maxNames {
		out = append(out, c.object(s, nil, at))
	}
	return out
}

// numberOf gives a shape's numbers. Whole numbers that are asked for have no point; numbers with bounds no exponent.
func (c *schemaCompiler) numberOf(s *shape, at string) *expr {
	base := sequence(optional(literal("-")), wholePart)
	kind := s.types & typeNumber
	if kind == typeNumber {
		if len(s.nums) == 0 {
			return anyNumber
		}
		base = sequence(base, fraction)
	}
	if kind == typeFraction {
		base = sequence(base, literal("."), anyDigits, nonZero, anyDigits)
	}
	if len(s.nums) == 0 {
		return base
	}
	limit := c.limits.Deterministic
	d := flat(base, false, at, c.limits.States).deterministic(limit)
	and := func(e *expr) {
		f := flat(e, false, at, c.limits.States).deterministic(limit)
		c.spend(len(d.next)+len(f.next), at)
		d = d.and(f, false)
	}
	for _, n := range s.nums {
		switch n.kind {
		case 'b':
			if n.s.minimum != nil {
				and(n.s.minimum.from(false))
			}
			if n.s.above != nil {
				and(n.s.above.from(true))
			}
			if n.s.maximum != nil {
				and(n.s.maximum.to(false))
			}
			if n.s.below != nil {
				and(n.s.below.to(true))
			}
			if n.s.multipleOf != nil {
				d = d.and(n.s.multipleOf.multiples(n.at+"/multipleOf", limit), false)
			}
		case 'f':
			and(n.value.from(n.open))
		case 't':
			and(n.value.to(n.open))
		case 'm':
			d = d.and(n.value.multiples(n.at+"/multipleOf", limit), true)
		case 'x':
			d = d.and(flat(n.equal, false, at, c.limits.States).deterministic(limit), true)
		}
	}
	c.spend(len(d.next), at)
	n := d.nfa(c.limits.States)
	if n == nil {
		return nil
	}
	return reference(c.rule(at, &expr{op: opText, fragment: n, max: unbounded}))
}

// constant gives the text of a value that is written in the schema, with white space where it may stand.
func (c *schemaCompiler) constant(value any) *expr {
	ws := reference(c.ws)
	switch v := value.(type) {
	case []any:
		if len(v) == 0 {
			return literal("[]")
		}
		list := []*expr{literal("["), ws}
		for i, item := range v {
			if i > 0 {
				list = append(list, literal(","), ws)
			}
			list = append(list, c.constant(item))
		}
		return sequence(append(list, ws, literal("]"))...)
	case *json.Object:
		if len(v.Names) == 0 {
			return literal("{}")
		}
		list := []*expr{literal("{"), ws}
		for i, name := range v.Names {
			if i > 0 {
				list = append(list, literal(","), ws)
			}
			list = append(list, literal(c.style.name(name)+":"), ws, c.constant(v.Values[i]))
		}
		return sequence(append(list, ws, literal("}"))...)
	}
	text := c.style.write(value)
	if strings.Contains(text, noText) {
		return never
	}
	if _, ok := value.(json.Number); ok {
		if n := numberOf(value); n.whole() && n.exponent < 20 {
			plain, _ := n.parts()
			if n.negative {
				plain = "-" + plain
			}
			if plain != text {
				return choice(literal(text), literal(plain))
			}
		}
	}
	return literal(text)
}

// writeValue writes a value that is no list or object.
func writeValue(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		if v {
			return "true"
		}
		return "false"
	case json.Number:
		return string(v)
	}
	return quoted(value.(string))
}

// quoted writes a text as JSON does, with escapes where they must be.
func quoted(text string) string {
	out := []byte{'"'}
	for i := range len(text) {
		out = append(out, escaped(text[i])...)
	}
	return string(append(out, '"'))
}

func escaped(b byte) string {
	switch b {
	case '"':
		return `\"`
	case '\\':
		return `\\`
	case '\b':
		return `\b`
	case '\f':
		return `\f`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	if b < ' ' {
		return `\u00` + string("01"[b>>4]) + string("0123456789abcdef"[b&15])
	}
	return string([]byte{b})
}
