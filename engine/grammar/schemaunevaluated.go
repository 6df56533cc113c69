package grammar

import (
	"maps"
	"slices"
	"sort"

	"quire/engine/json"
)

// holding is which schemas hold for one value, and which properties it has.
type holding struct {
	holds   func(s *schema, not bool) bool
	present func(name string) bool
}

// evaluating lists the schemas that look at the parts of a value for u: itself, and those that it applies to the same value.
func (h holding) evaluating(u *schema) []*schema {
	var out []*schema
	seen := map[*schema]bool{}
	var visit func(s *schema)
	visit = func(s *schema) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		out = append(out, s)
		visit(s.ref)
		for _, t := range s.allOf {
			visit(t)
		}
		for _, list := range [][]*schema{s.anyOf, s.oneOf} {
			for _, t := range list {
				if h.holds(t, false) {
					visit(t)
				}
			}
		}
		switch {
		case s.when == nil:
		case h.holds(s.when, false):
			visit(s.when)
			visit(s.then)
		case h.holds(s.when, true):
			visit(s.otherwise)
		}
		for _, d := range s.dependentSchemas {
			if h.present(d.name) {
				visit(d.schema)
			}
		}
	}
	visit(u)
	return out
}

// otherNames is what u says of names that no schema of a list looks at, as a schema of objects, or nil if there are none.
func (r *schemaReader) otherNames(u *schema, list []*schema) *schema {
	if u.unevaluated == nil || u.unevaluated == r.yes {
		return nil
	}
	s := r.add(u.at + "/unevaluatedProperties")
	s.additional = u.unevaluated
	names := map[string]bool{}
	for _, t := range list {
		if t.additional != nil || t != u && t.unevaluated != nil {
			return nil
		}
		for _, p := range t.properties {
			if !names[p.name] {
				names[p.name] = true
				s.properties = append(s.properties, property{p.name, r.yes})
			}
		}
		for _, p := range t.patterns {
			s.patterns = append(s.patterns, property{p.name, r.yes})
		}
	}
	return s
}

// otherItems is what u says of items that no schema of a list looks at, as a schema of lists, or nil if there are none.
func (r *schemaReader) otherItems(u *schema, list []*schema) *schema {
	if u.unevaluatedItems == nil || u.unevaluatedItems == r.yes {
		return nil
	}
	known, key := 0, goal{{s: u.unevaluatedItems}}
	for _, t := range list {
		if t.items != nil || t != u && t.unevaluatedItems != nil {
			return nil
		}
		known = max(known, len(t.prefix))
		if t.contains != nil {
			key = append(key, demand{s: t.contains})
		}
	}
	s := r.add(u.at + "/unevaluatedItems")
	for range known {
		s.prefix = append(s.prefix, r.yes)
	}
	s.items = r.any(key, s.at)
	return s
}

// any is the schema of what satisfies one of some, the same one whenever it is asked for, so that goals stay finitely many.
func (r *schemaReader) any(list goal, at string) *schema {
	if len(list) == 1 {
		return list[0].s
	}
	s := r.anys[list.key()]
	if s == nil {
		s = r.add(at)
		for _, d := range list {
			s.anyOf = append(s.anyOf, d.s)
		}
		r.anys[list.key()] = s
	}
	return s
}

// unevaluated adds what unevaluatedProperties and unevaluatedItems say where seen schemas hold.
func (x *expansion) unevaluated(to *shape, seen map[int]bool) {
	h := holding{func(s *schema, not bool) bool {
		if s.boolean {
			return s.never == not
		}
		if not {
			return seen[2*s.id+1]
		}
		return seen[2*s.id]
	}, func(name string) bool { return slices.Contains(to.required, name) }}
	ids := slices.Collect(maps.Keys(seen))
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	for _, id := range ids {
		u := x.c.list[id/2]
		if id&1 != 0 || u.unevaluated == nil && u.unevaluatedItems == nil {
			continue
		}
		list := h.evaluating(u)
		if s := x.c.otherNames(u, list); s != nil {
			to.objects = append(to.objects, s)
		}
		if s := x.c.otherItems(u, list); s != nil {
			to.lists = append(to.lists, s)
		}
	}
}

// mostTogether bounds in how many ways the alternatives of anyOf may hold together.
const mostTogether = 64

// together gives the alternatives of anyOf as sets that hold together: what each looks at counts for unevaluatedProperties.
func (x *expansion) together(s *schema) []option {
	var sets []goal
	for _, t := range s.anyOf {
		for _, set := range append(sets[:len(sets):len(sets)], goal{}) {
			apart := false
			for _, d := range set {
				apart = apart || x.c.apart(d.s, t, 0)
			}
			if apart {
				continue
			}
			if sets = append(sets, append(set[:len(set):len(set)], demand{s: t})); len(sets) > mostTogether {
				fail(s.at+"/anyOf", "it has too many alternatives that may hold together for unevaluatedProperties or unevaluatedItems")
			}
		}
	}
	out := make([]option, len(sets))
	for i, set := range sets {
		out[i] = option{more: set}
	}
	return out
}

// validOthers tells whether what unevaluatedProperties and unevaluatedItems say holds for a value written in the schema.
func (c *schemaCompiler) validOthers(u *schema, value any) bool {
	if u.unevaluated == nil && u.unevaluatedItems == nil {
		return true
	}
	o, _ := value.(*json.Object)
	items, _ := value.([]any)
	list := holding{func(s *schema, not bool) bool { return c.valid(s, value) != not },
		func(name string) bool { return o != nil && c.has(o, name) }}.evaluating(u)
	if s := c.otherNames(u, list); s != nil && o != nil && !c.valid(s, o) {
		return false
	}
	s := c.otherItems(u, list)
	return s == nil || items == nil || c.valid(s, items)
}
