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
	bounds := s.bounds()
	key, cached := []byte{byte(kind)}, true
	for _, n := range bounds {
		if cached = cached && n.kind != 'x'; cached {
			key = n.appendKey(key)
		}
	}
	if e, ok := c.bounded[string(key)]; cached && ok {
		return e
	}
	d := flat(base, false, at, c.limits).deterministic()
	for _, n := range bounds {
		d = d.and(c.numbersOf(n), n.kind == 'm' || n.kind == 'x')
	}
	var e *expr
	if n := d.nfa(); n != nil {
		e = reference(c.rule(at, &expr{op: opText, fragment: n, max: unbounded}))
	}
	if cached {
		c.bounded[string(key)] = e
	}
	return e
}

// bounds are what a shape says of numbers, one by one.
func (s *shape) bounds() []numberDemand {
	var list []numberDemand
	for _, n := range s.nums {
		if n.kind != 'b' {
			list = append(list, n)
			continue
		}
		for _, b := range []numberDemand{{kind: 'f', value: n.s.minimum}, {kind: 'f', value: n.s.above, open: true}, {kind: 't', value: n.s.maximum},
			{kind: 't', value: n.s.below, open: true}, {kind: '*', value: n.s.multipleOf}} {
			if b.value != nil {
				b.at = n.at
				list = append(list, b)
			}
		}
	}
	return list
}

func (n numberDemand) appendKey(to []byte) []byte {
	if to = append(to, n.kind); n.open {
		to = append(to, 'o')
	}
	return n.value.appendKey(to)
}

// numbersOf gives the texts of numbers that a demand names.
func (c *schemaCompiler) numbersOf(n numberDemand) *dfa {
	if n.kind == 'x' {
		return flat(n.equal, false, n.at, c.limits).deterministic()
	}
	key := string(n.appendKey(nil))
	d := c.bounds[key]
	if d == nil {
		switch n.kind {
		case 'f':
			d = flat(n.value.from(n.open), false, n.at, c.limits).deterministic()
		case 't':
			d = flat(n.value.to(n.open), false, n.at, c.limits).deterministic()
		default:
			d = n.value.multiples(n.at+"/multipleOf", c.limits)
		}
		c.bounds[key] = d
	}
	return d
}

// constant gives the text of a value that is written in the schema, with white space where it may stand.
func (c *schemaCompiler) constant(value any) *expr {
	c.limits.spend(12*weight(value), "")
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
