package grammar

import (
	"maps"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"quire/engine/json"
)

func typeOf(value any) typeSet {
	switch v := value.(type) {
	case nil:
		return typeNull
	case bool:
		if v {
			return typeTrue
		}
		return typeFalse
	case json.Number:
		if readNumber(string(v)).whole() {
			return typeInteger
		}
		return typeFraction
	case string:
		return typeString
	case []any:
		return typeArray
	}
	return typeObject
}

func numberOf(value any) number { return readNumber(string(value.(json.Number))) }

// spelling is the same for values that are equal: numbers by what they are, objects in any order.
func spelling(value any) string { return string(appendSpelling(nil, value)) }

func appendSpelling(to []byte, value any) []byte {
	switch v := value.(type) {
	case json.Number:
		n := numberOf(v)
		return n.appendKey(to)
	case []any:
		to = append(to, '[')
		for _, item := range v {
			to = append(appendSpelling(to, item), ',')
		}
		return append(to, ']')
	case *json.Object:
		last := make(map[string]any, len(v.Names)) // where a name comes twice, the last counts
		for i, name := range v.Names {
			last[name] = v.Values[i]
		}
		to = append(to, '{')
		for _, name := range slices.Sorted(maps.Keys(last)) {
			to = append(append(to, quoted(name)...), ':')
			to = append(appendSpelling(to, last[name]), ',')
		}
		return append(to, '}')
	}
	return append(to, writeValue(value)...)
}

// spelling counts what it takes.
func (r *schemaReader) spelling(value any, at string) string {
	text := spelling(value)
	r.limits.spend(len(text)/8+4, at)
	return text
}

func same(v, w any) bool { return spelling(v) == spelling(w) }

// weight is how many steps it takes to look at a value.
func weight(value any) int {
	switch v := value.(type) {
	case string:
		return len(v)/256 + 1
	case json.Number:
		return len(v)/64 + 2
	case []any:
		return len(v)/8 + 1
	case *json.Object:
		return len(v.Names)/4 + 1
	}
	return 1
}

// valid tells whether a value that is written in a schema satisfies another.
func (c *schemaCompiler) valid(s *schema, value any) bool {
	if s.boolean {
		return !s.never
	}
	c.limits.spend(4*weight(value), s.at)
	t := typeOf(value)
	if s.types != 0 && s.types&t == 0 {
		return false
	}
	if s.hasEnum {
		if s.listed == nil {
			s.listed = make(map[string]bool, len(s.enum))
			for _, v := range s.enum {
				s.listed[c.spelling(v, s.at)] = true
			}
		}
		if !s.listed[c.spelling(value, s.at)] {
			return false
		}
	}
	switch {
	case t&typeNumber != 0:
		if !c.validNumber(s, numberOf(value)) {
			return false
		}
	case t == typeString:
		if !c.validText(s, value.(string)) {
			return false
		}
	case t == typeArray:
		if !c.validList(s, value.([]any)) {
			return false
		}
	case t == typeObject:
		if !c.validObject(s, value.(*json.Object)) {
			return false
		}
	}
	holds := func(t *schema) bool { return c.valid(t, value) }
	if s.ref != nil && !holds(s.ref) || s.not != nil && holds(s.not) {
		return false
	}
	for _, t := range s.allOf {
		if !holds(t) {
			return false
		}
	}
	count := func(list []*schema) (n int) {
		for _, t := range list {
			if holds(t) {
				n++
			}
		}
		return n
	}
	if len(s.anyOf) > 0 && count(s.anyOf) == 0 || len(s.oneOf) > 0 && count(s.oneOf) != 1 {
		return false
	}
	if s.when != nil {
		branch := s.otherwise
		if holds(s.when) {
			branch = s.then
		}
		if branch != nil && !holds(branch) {
			return false
		}
	}
	return c.validOthers(s, value)
}

func (c *schemaCompiler) validNumber(s *schema, n number) bool {
	return !(s.minimum != nil && n.compare(*s.minimum) < 0 || s.maximum != nil && n.compare(*s.maximum) > 0 ||
		s.above != nil && n.compare(*s.above) <= 0 || s.below != nil && n.compare(*s.below) >= 0 ||
		s.multipleOf != nil && !n.multiple(*s.multipleOf, s.at+"/multipleOf"))
}

// multiple tells whether n is a multiple of m.
func (n number) multiple(m number, at string) bool {
	if n.zero() {
		return true
	}
	zeros := n.exponent - m.exponent
	if zeros < 0 {
		return false
	}
	if len(m.digits) > 19 || zeros > 10_000 {
		fail(at, "a listed value has too many digits for it")
	}
	divisor, rest := uint64(0), uint64(0)
	for _, c := range m.digits {
		divisor = divisor*10 + uint64(c-'0')
	}
	for _, c := range n.digits + strings.Repeat("0", zeros) {
		high, low := bits.Mul64(rest, 10)
		low, carry := bits.Add64(low, uint64(c-'0'), 0)
		rest = bits.Rem64(high+carry, low, divisor)
	}
	return rest == 0
}

func (c *schemaCompiler) validText(s *schema, text string) bool {
	n := utf8.RuneCountInString(text)
	if n < s.minLength || n > s.maxLength || s.hasPattern && !c.pattern[s.pattern].matches(text) {
		return false
	}
	return s.format == "" || c.validFormat(s, text)
}

func (c *schemaCompiler) validList(s *schema, list []any) bool {
	if len(list) < s.minItems || len(list) > s.maxItems {
		return false
	}
	found := 0
	differ := map[string]bool{}
	for i, v := range list {
		if i < len(s.prefix) {
			if !c.valid(s.prefix[i], v) {
				return false
			}
		} else if s.items != nil && !c.valid(s.items, v) {
			return false
		}
		if s.contains != nil && c.valid(s.contains, v) {
			found++
		}
		if s.unique {
			differ[c.spelling(v, s.at)] = true
		}
	}
	if s.unique && len(differ) < len(list) {
		return false
	}
	return s.contains == nil || s.minContains <= found && found <= s.maxContains
}

func (c *schemaCompiler) validObject(s *schema, o *json.Object) bool {
	names := c.names(o) // where a name comes twice, the last counts
	if len(names) < s.minNames || len(names) > s.maxNames {
		return false
	}
	for _, name := range s.required {
		if !c.has(o, name) {
			return false
		}
	}
	for i, name := range o.Names {
		if names[name] != i {
			continue
		}
		for _, d := range c.ofName(s, name) {
			if !c.valid(d.s, o.Values[i]) {
				return false
			}
		}
		if s.names != nil && !c.valid(s.names, name) {
			return false
		}
	}
	for _, d := range s.dependent {
		for _, name := range d.required {
			if c.has(o, d.name) && !c.has(o, name) {
				return false
			}
		}
	}
	for _, d := range s.dependentSchemas {
		if c.has(o, d.name) && !c.valid(d.schema, o) {
			return false
		}
	}
	return true
}

// ofName is what a schema demands of the property of a name.
func (c *schemaCompiler) ofName(s *schema, name string) goal {
	c.limits.spend(2, s.at)
	if s.byName == nil {
		s.byName = make(map[string]goal, len(s.properties))
		for _, p := range s.properties {
			s.byName[p.name] = append(s.byName[p.name], demand{s: p.schema})
		}
	}
	g := s.byName[name]
	g = g[:len(g):len(g)]
	for _, p := range s.patterns {
		if c.pattern[p.name].matches(name) {
			g = append(g, demand{s: p.schema})
		}
	}
	if len(g) == 0 && s.additional != nil {
		g = append(g, demand{s: s.additional})
	}
	return g
}
