package grammar

import (
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

// same tells whether two values are equal: numbers by what they are, objects in any order.
func same(v, w any) bool {
	if typeOf(v) != typeOf(w) {
		return false
	}
	switch v := v.(type) {
	case json.Number:
		return numberOf(v) == numberOf(w)
	case []any:
		w := w.([]any)
		if len(v) != len(w) {
			return false
		}
		for i := range v {
			if !same(v[i], w[i]) {
				return false
			}
		}
		return true
	case *json.Object:
		w := w.(*json.Object)
		if len(v.Names) != len(w.Names) {
			return false
		}
		for i, name := range v.Names {
			if !has(w, name) || !same(v.Values[i], w.At(name)) {
				return false
			}
		}
		return true
	case string:
		return v == w.(string)
	}
	return true
}

func has(o *json.Object, name string) bool {
	for _, n := range o.Names {
		if n == name {
			return true
		}
	}
	return false
}

// valid tells whether a value that is written in a schema satisfies another.
func (c *schemaCompiler) valid(s *schema, value any) bool {
	if s.boolean {
		return !s.never
	}
	t := typeOf(value)
	if s.types != 0 && s.types&t == 0 {
		return false
	}
	if s.hasEnum {
		found := false
		for _, v := range s.enum {
			found = found || same(v, value)
		}
		if !found {
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
		branch := s.otherwis
		if holds(s.when) {
			branch = s.then
		}
		return branch == nil || holds(branch)
	}
	return true
}

func (c *schemaCompiler) validNumber(s *schema, n number) bool {
	return !(s.minimum != nil && n.compare(*s.minimum) < 0 || s.maximum != nil && n.compare(*s.maximum) > 0 ||
		s.above != nil && n.compare(*s.above) <= 0 || s.below != nil && n.compare(*s.below) >= 0 ||
		s.multipleOf != nil && !n.multiple(*s.multipleOf))
}

// multiple tells whether n is a multiple of m, which has at most 15 digits.
func (n number) multiple(m number) bool {
	if n.zero() {
		return true
	}
	if n.exponent < m.exponent || len(m.digits) > 15 {
		return false
	}
	divisor, rest := 0, 0
	for _, c := range m.digits {
		divisor = divisor*10 + int(c-'0')
	}
	for _, c := range n.digits + strings.Repeat("0", n.exponent-m.exponent) {
		rest = (rest*10 + int(c-'0')) % divisor
	}
	return rest == 0
}

func (c *schemaCompiler) validText(s *schema, text string) bool {
	n := utf8.RuneCountInString(text)
	if n < s.minLength || n > s.maxLength || s.hasPattern && !c.pattern[s.pattern].matches(text) {
		return false
	}
	f := c.formatText(s.format)
	return f == nil || f.matches(text)
}

func (c *schemaCompiler) validList(s *schema, list []any) bool {
	if len(list) < s.minItems || len(list) > s.maxItems {
		return false
	}
	found := 0
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
		for _, w := range list[:i] {
			if s.unique && same(v, w) {
				return false
			}
		}
	}
	return s.contains == nil || s.minContains <= found && found <= s.maxContains
}

func (c *schemaCompiler) validObject(s *schema, o *json.Object) bool {
	if len(o.Names) < s.minNames || len(o.Names) > s.maxNames {
		return false
	}
	for _, name := range s.required {
		if !has(o, name) {
			return false
		}
	}
	for i, name := range o.Names {
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
			if has(o, d.name) && !has(o, name) {
				return false
			}
		}
	}
	for _, d := range s.dependentSchemas {
		if has(o, d.name) && !c.valid(d.schema, o) {
			return false
		}
	}
	return true
}

// ofName is what a schema demands of the property of a name.
func (c *schemaCompiler) ofName(s *schema, name string) goal {
	var g goal
	for _, p := range s.properties {
		if p.name == name {
			g = append(g, demand{s: p.schema})
		}
	}
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
