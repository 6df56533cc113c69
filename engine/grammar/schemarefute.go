package grammar

import "quire/engine/json"

// refute gives the alternatives in which a schema does not hold: in each, one thing that it says does not.
func (x *expansion) refute(s *schema) []option {
	var out []option
	x.c.limits.spend(20+4*(len(s.properties)+len(s.required)+len(s.prefix)+len(s.enum)), s.at)
	add := func(types typeSet, set func(*shape), more ...demand) {
		out = append(out, option{more: more, set: func(t *shape) {
			if t.types &= types; set != nil {
				set(t)
			}
		}})
	}
	never := func(keyword string) { fail(s.at+"/"+keyword, "it is not supported where the schema must not hold") }
	if s.types != 0 {
		add(^s.types, nil)
	}
	if s.hasEnum {
		x.refuteValues(s, add)
	}
	for _, b := range []struct {
		value *number
		kind  byte
		open  bool
	}{{s.minimum, 't', true}, {s.above, 't', false}, {s.maximum, 'f', true}, {s.below, 'f', false}, {s.multipleOf, 'm', false}} {
		if b.value != nil {
			add(typeNumber, func(t *shape) {
				t.nums = append(t.nums, numberDemand{at: s.at, kind: b.kind, value: b.value, open: b.open})
			})
		}
	}
	if s.minLength > 0 {
		add(typeString, func(t *shape) { t.maxLength = min(t.maxLength, s.minLength-1) })
	}
	if s.maxLength < unbounded {
		add(typeString, func(t *shape) { t.minLength = max(t.minLength, s.maxLength+1) })
	}
	if s.hasPattern {
		add(typeString, func(t *shape) {
			t.texts = append(t.texts, textDemand{s.at + "/pattern", x.c.pattern[s.pattern], true})
		})
	}
	if f := x.c.looseText(s.format); f != nil {
		add(typeString, func(t *shape) { t.texts = append(t.texts, textDemand{s.at + "/format", f, true}) })
	}
	x.refuteList(s, add, never)
	x.refuteObject(s, add, never)
	if s.ref != nil {
		add(typeAny, nil, demand{s.ref, true})
	}
	for _, t := range s.allOf {
		add(typeAny, nil, demand{t, true})
	}
	if len(s.anyOf) > 0 {
		add(typeAny, nil, none(s.anyOf)...)
	}
	if len(s.oneOf) > 0 {
		add(typeAny, nil, none(s.oneOf)...)
		for i, t := range s.oneOf {
			for _, u := range s.oneOf[:i] {
				if !x.c.apart(t, u, 0) {
					add(typeAny, nil, demand{s: t}, demand{s: u})
				}
			}
		}
	}
	if s.not != nil {
		add(typeAny, nil, demand{s: s.not})
	}
	if s.when != nil && s.then != nil {
		add(typeAny, nil, demand{s: s.when}, demand{s.then, true})
	}
	if s.when != nil && s.otherwise != nil {
		add(typeAny, nil, demand{s.when, true}, demand{s.otherwise, true})
	}
	return out
}

func none(list []*schema) goal {
	var out goal
	for _, s := range list {
		out = append(out, demand{s, true})
	}
	return out
}

type addOption func(types typeSet, set func(*shape), more ...demand)

func (x *expansion) refuteValues(s *schema, add addOption) {
	types := typeAny
	var more goal
	var numbers, texts []*expr
	for _, v := range s.enum {
		switch t := typeOf(v); {
		case t&(typeNull|typeFalse|typeTrue) != 0:
			types &^= t
		case t&typeNumber != 0:
			n := numberOf(v)
			if n.long() {
				fail(s.at, "the listed value %s has too many digits where it must not be", v)
			}
			numbers = append(numbers, n.equal())
		case t == typeString:
			texts = append(texts, literal(v.(string)))
		default:
			more = append(more, demand{x.c.only(v, s.at), true})
		}
	}
	var text *nfa
	if len(texts) > 0 {
		text = flat(choice(texts...), false, s.at, x.c.limits)
	}
	add(types, func(t *shape) {
		if text != nil {
			t.texts = append(t.texts, textDemand{s.at, text, true})
		}
		if len(numbers) > 0 {
			t.nums = append(t.nums, numberDemand{at: s.at, kind: 'x', equal: choice(numbers...)})
		}
	}, more...)
}

// only is the schema of one value, a list or an object: the same one whenever it is asked for, so that goals stay finitely many. A spelling
// is no goal's key, which has zeros.
func (r *schemaReader) only(value any, at string) *schema {
	key := r.spelling(value, at)
	if s := r.anys[key]; s != nil {
		return s
	}
	s := r.add(at)
	r.anys[key] = s
	item := func(v any) *schema {
		t := r.add(at)
		t.enum, t.hasEnum = []any{v}, true
		return t
	}
	switch v := value.(type) {
	case []any:
		s.types, s.minItems, s.maxItems = typeArray, len(v), len(v)
		for _, w := range v {
			s.prefix = append(s.prefix, item(w))
		}
	case *json.Object:
		s.types = typeObject
		for i, name := range v.Names {
			if r.names(v)[name] == i { // where a name comes twice, the last counts
				s.required = append(s.required, name)
				s.properties = append(s.properties, property{name, item(v.Values[i])})
			}
		}
		s.maxNames = len(s.required)
	}
	return s
}

func (x *expansion) refuteList(s *schema, add addOption, never func(string)) {
	if s.minItems > 0 {
		add(typeArray, func(t *shape) { t.maxItems = min(t.maxItems, s.minItems-1) })
	}
	if s.maxItems < unbounded {
		add(typeArray, func(t *shape) { t.minItems = max(t.minItems, s.maxItems+1) })
	}
	for i, p := range s.prefix {
		list := x.c.add(p.at)
		x.c.limits.spend(i/2, s.at)
		for range i {
			list.prefix = append(list.prefix, x.c.yes)
		}
		list.prefix = append(list.prefix, x.c.negation(p))
		add(typeArray, func(t *shape) {
			t.lists, t.minItems = append(t.lists, list), max(t.minItems, i+1)
		})
	}
	if s.items != nil && s.items != x.c.yes {
		if len(s.prefix) > 0 {
			never("items")
		}
		g := goal{{s.items, true}}
		add(typeArray, func(t *shape) { t.contains = append(t.contains, containsDemand{s.at + "/items", g, 1, unbounded}) })
	}
	if s.contains != nil {
		count := func(low, high int) {
			add(typeArray, func(t *shape) {
				t.contains = append(t.contains, containsDemand{s.at + "/contains", goal{{s: s.contains}}, low, high})
			})
		}
		if s.minContains > 0 {
			count(0, s.minContains-1)
		}
		if s.maxContains < unbounded {
			count(s.maxContains+1, unbounded)
		}
	}
	if s.unique {
		never("uniqueItems")
	}
	if s.unevaluatedItems != nil && s.unevaluatedItems != x.c.yes {
		never("unevaluatedItems")
	}
}

func (x *expansion) refuteObject(s *schema, add addOption, never func(string)) {
	for _, name := range s.required {
		add(typeObject, func(t *shape) { t.forbidden = append(t.forbidden, name) })
	}
	for _, p := range s.properties {
		if p.schema == x.c.yes {
			continue
		}
		wrong := property{p.name, x.c.negation(p.schema)}
		add(typeObject, func(t *shape) {
			t.required, t.extra = append(t.required, p.name), append(t.extra, wrong)
		})
	}
	if len(s.patterns) > 0 {
		never("patternProperties")
	}
	if s.additional != nil && s.additional != x.c.yes {
		never("additionalProperties")
	}
	if s.unevaluated != nil && s.unevaluated != x.c.yes {
		never("unevaluatedProperties")
	}
	if s.names != nil {
		never("propertyNames")
	}
	if s.minNames > 0 {
		add(typeObject, func(t *shape) { t.maxNames = min(t.maxNames, s.minNames-1) })
	}
	if s.maxNames < unbounded {
		add(typeObject, func(t *shape) { // and what is required is there, for the other case has come already
			t.minNames, t.required = max(t.minNames, s.maxNames+1), append(t.required, s.required...)
		})
	}
	for _, d := range s.dependent {
		for _, name := range d.required {
			add(typeObject, func(t *shape) {
				t.required, t.forbidden = append(t.required, d.name), append(t.forbidden, name)
			})
		}
	}
	for _, d := range s.dependentSchemas {
		add(typeObject, func(t *shape) { t.required = append(t.required, d.name) }, demand{d.schema, true})
	}
}

// negation is a schema that holds where another does not.
func (r *schemaReader) negation(s *schema) *schema {
	switch {
	case s.boolean && s.never:
		return r.yes
	case s.boolean:
		return r.no
	case s.negated == nil:
		s.negated = r.add(s.at)
		s.negated.not = s
	}
	return s.negated
}
