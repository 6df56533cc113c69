package grammar

import (
	"strings"

	"quire/engine/json"
)

func (r *schemaReader) types(value any, at string) typeSet {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	set := typeSet(0)
	for _, item := range list {
		name, _ := item.(string)
		t := typeNamed(name)
		if t == 0 {
			fail(at, "it must be null, boolean, integer, number, string, array or object, or a list of them")
		}
		set |= t
	}
	if set == 0 {
		fail(at, "the list is empty")
	}
	return set
}

// values takes the values of enum and const, which hold together.
func (r *schemaReader) values(s *schema, list []any) {
	if !s.hasEnum {
		s.enum, s.hasEnum = list, true
		return
	}
	known := make(map[string]bool, len(list))
	for _, v := range list {
		known[r.spelling(v, s.at)] = true
	}
	var both []any
	for _, v := range s.enum {
		if known[r.spelling(v, s.at)] {
			both = append(both, v)
		}
	}
	s.enum = both
}

func (r *schemaReader) schemas(value any, at string) []*schema {
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		fail(at, "it must be a list of schemas")
	}
	out := make([]*schema, len(list))
	for i, item := range list {
		out[i] = r.at(item, below(at, decimal(i)))
	}
	return out
}

func (r *schemaReader) named(value any, at string) []property {
	o, ok := value.(*json.Object)
	if !ok {
		fail(at, "it must be an object of schemas")
	}
	out := make([]property, len(o.Names))
	for i, name := range o.Names {
		where := below(at, name)
		if r.twice(o, i) {
			fail(where, "it is given twice")
		}
		out[i] = property{name, r.at(o.Values[i], where)}
	}
	return out
}

func (r *schemaReader) count(value any, at string) int {
	if n, ok := value.(json.Number); ok {
		if d := readNumber(string(n)); d.whole() && !d.negative && len(d.digits)+d.exponent <= 9 {
			total := 0
			for _, c := range d.digits {
				total = total*10 + int(c-'0')
			}
			for range d.exponent {
				total *= 10
			}
			return total
		}
	}
	fail(at, "it must be a whole number of 0 or more, and below 1,000,000,000")
	return 0
}

// most is a count that must not be exceeded. A billion and more never is.
func (r *schemaReader) most(value any, at string) int {
	if n, ok := value.(json.Number); ok {
		if d := readNumber(string(n)); d.whole() && !d.negative && len(d.digits)+d.exponent > 9 {
			return unbounded
		}
	}
	return r.count(value, at)
}

func (r *schemaReader) number(value any, at string) *number {
	n, ok := value.(json.Number)
	if !ok {
		fail(at, "it must be a number")
	}
	d := readNumber(string(n))
	if d.long() {
		fail(at, "it has too many digits")
	}
	return &d
}

func abs(n int) int { return max(n, -n) }

func (r *schemaReader) bound(s *schema, o *json.Object, name string, value any, at string) {
	if on, old := value.(bool); old && strings.HasPrefix(name, "exclusive") { // draft 4
		switch low, high := o.At("minimum"), o.At("maximum"); {
		case on && name == "exclusiveMinimum" && low != nil:
			s.above = r.number(low, at)
		case on && name == "exclusiveMaximum" && high != nil:
			s.below = r.number(high, at)
		case on:
			fail(at, "there is no bound that it excludes")
		}
		return
	}
	n := r.number(value, at)
	switch name {
	case "minimum":
		s.minimum = n
	case "maximum":
		s.maximum = n
	case "exclusiveMinimum":
		s.above = n
	case "exclusiveMaximum":
		s.below = n
	default:
		if n.negative || n.zero() {
			fail(at, "it must be over 0")
		}
		s.multipleOf = n
	}
}

func (r *schemaReader) text(value any, at string) string {
	text, ok := value.(string)
	if !ok {
		fail(at, "it must be a text")
	}
	return text
}

func (r *schemaReader) texts(value any, at string) []string {
	list, ok := value.([]any)
	if !ok {
		fail(at, "it must be a list of names")
	}
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = r.text(item, below(at, decimal(i)))
	}
	return out
}

func (r *schemaReader) depend(s *schema, keyword string, value any, at string) {
	o, ok := value.(*json.Object)
	if !ok {
		fail(at, "it must be an object")
	}
	for i, name := range o.Names {
		where := below(at, name)
		_, list := o.Values[i].([]any)
		if keyword == "dependentRequired" || list && keyword == "dependencies" { // which drafts before 2019-09 have for both
			s.dependent = append(s.dependent, dependency{name, r.texts(o.Values[i], where)})
		} else {
			s.dependentSchemas = append(s.dependentSchemas, property{name, r.at(o.Values[i], where)})
		}
	}
}

func (r *schemaReader) compilePattern(text, at string) *nfa {
	n := r.pattern[text]
	if n == nil {
		r.limits.spend(300, at)
		e, _ := parseRegex(text, ecmaDialect, at, r.limits)
		n = flat(e, true, at, r.limits)
		r.pattern[text] = n
	}
	return n
}
