package grammar

import (
	"slices"
	"strconv"
	"strings"

	"quire/engine/json"
)

// longURI is how long an identifier of a schema may be: everything in it is relative to it.
const longURI = 2000

// holds tells whether there is something in a value.
func holds(value any) bool {
	switch value.(type) {
	case []any, *json.Object:
		return true
	}
	return false
}

// index finds anchors and ids, and what each $ref is relative to. keyword is the one that the value belongs to.
func (r *schemaReader) index(value any, at, base, keyword string, depth int) {
	if depth > r.limits.Depth {
		fail(at, "it is nested more than %d deep", r.limits.Depth)
	}
	r.limits.spend(4, at)
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			if holds(item) {
				r.index(item, below(at, decimal(i)), base, "", depth+1)
			}
		}
	case *json.Object:
		if hasNames(keyword) {
			for i, name := range v.Names {
				if holds(v.Values[i]) {
					r.index(v.Values[i], below(at, name), base, "", depth+1)
				}
			}
			return
		}
		for _, name := range []string{"$id", "id"} { // id until draft 6
			if text, ok := v.At(name).(string); ok && !strings.HasPrefix(text, "#") {
				if base = join(base, strings.TrimSuffix(text, "#")); len(base) > longURI {
					fail(below(at, name), "with what it is relative to it has more than %d characters", longURI)
				}
				r.anchor(base, v, at)
			} else if ok {
				r.anchor(base+text, v, at)
			}
		}
		for i, name := range v.Names {
			switch name {
			case "$anchor", "$dynamicAnchor":
				if text, ok := v.Values[i].(string); ok {
					r.anchor(base+"#"+text, v, at)
					if name == "$dynamicAnchor" {
						r.dynamic[text]++
					}
				}
			case "$ref", "$dynamicRef":
				r.bases[v] = base
			case "enum", "const", "default", "examples":
				continue
			}
			if holds(v.Values[i]) {
				r.index(v.Values[i], below(at, name), base, name, depth+1)
			}
		}
	}
}

// anchor has a URI name a schema.
func (r *schemaReader) anchor(uri string, o *json.Object, at string) {
	if was := r.anchors[uri]; was == nil || was.value != any(o) {
		r.anchors[uri] = &found{o, at, was}
	}
}

// join resolves a reference against a base (RFC 3986, without dots in the middle).
func join(base, ref string) string {
	scheme := strings.Index(base, "://")
	switch {
	case ref == "":
		return base
	case strings.Contains(ref, "://") || strings.HasPrefix(ref, "urn:") || base == "":
		return ref
	case scheme >= 0 && strings.HasPrefix(ref, "/"):
		if host := strings.IndexByte(base[scheme+3:], '/'); host >= 0 {
			base = base[:scheme+3+host]
		}
		return base + ref
	}
	folder := base[:strings.LastIndexByte(base, '/')+1]
	for ; strings.HasPrefix(ref, "./"); ref = ref[2:] {
	}
	for ; strings.HasPrefix(ref, "../"); ref = ref[3:] {
		folder = folder[:strings.LastIndexByte(strings.TrimSuffix(folder, "/"), '/')+1]
	}
	return folder + ref
}

// resolve finds what $ref names: a JSON pointer, an anchor, or an $id of the same schema.
func (r *schemaReader) resolve(text, base, at string) *schema {
	name, fragment, _ := strings.Cut(text, "#")
	uri := join(base, name)
	from := r.anchors[uri]
	if from != nil && fragment != "" && !strings.HasPrefix(fragment, "/") {
		from = r.anchors[uri+"#"+fragment]
	}
	if from == nil {
		fail(at, "it refers to %s, which is not in the schema", text)
	}
	value, place := r.follow(from, fragment, at)
	for other := from.other; other != nil; other = other.other {
		r.limits.spend(4, at)
		if copied, _ := r.follow(other, fragment, at); !r.same(value, copied) {
			fail(at, "it refers to %s, which two schemas are called", text)
		}
	}
	if place == "" {
		fail(at, "it refers to %s, which is not in the schema", text)
	}
	return r.at(value, place)
}

// same tells whether two schemas say the same.
func (r *schemaReader) same(a, b any) bool {
	o, ok := a.(*json.Object)
	p, both := b.(*json.Object)
	if !ok || !both {
		return a == nil && b == nil
	}
	n, ok := r.shared[o]
	m, both := r.shared[p]
	return ok && both && n == m
}

// follow goes from a schema to where a JSON pointer leads, or nowhere by an anchor. The place is "" where there is nothing.
func (r *schemaReader) follow(from *found, fragment, at string) (value any, place string) {
	value, place = from.value, from.at
	if !strings.HasPrefix(fragment, "/") {
		return
	}
	for _, part := range strings.Split(fragment[1:], "/") {
		r.limits.spend(4, at)
		name := strings.ReplaceAll(strings.ReplaceAll(unescapePercent(part), "~1", "/"), "~0", "~")
		ok := false
		switch v := value.(type) {
		case *json.Object:
			var i int
			if i, ok = r.names(v)[name]; ok {
				value = v.Values[i]
			}
		case []any:
			i, err := strconv.Atoi(name)
			if ok = err == nil && 0 <= i && i < len(v); ok {
				value = v[i]
			}
		}
		if !ok {
			return nil, ""
		}
		place = below(place, name)
	}
	return
}

// names tells where an object has its names.
func (r *schemaReader) names(o *json.Object) map[string]int {
	at := r.places[o]
	if at == nil {
		at = make(map[string]int, len(o.Names))
		for i, name := range o.Names {
			at[name] = i
		}
		r.places[o] = at
	}
	return at
}

// twice tells whether a name of an object comes twice in it.
func (r *schemaReader) twice(o *json.Object, i int) bool {
	if len(o.Names) > 16 {
		return r.names(o)[o.Names[i]] != i
	}
	return slices.Contains(o.Names[:i], o.Names[i])
}

// has tells whether an object has a name.
func (r *schemaReader) has(o *json.Object, name string) bool {
	if len(o.Names) > 16 {
		_, ok := r.names(o)[name]
		return ok
	}
	return slices.Contains(o.Names, name)
}

// dynamicRef resolves a $dynamicRef, which is a $ref unless there are several schemas that it may mean.
func (r *schemaReader) dynamicRef(text, base, at string) *schema {
	if _, name, _ := strings.Cut(text, "#"); r.dynamic[name] > 1 {
		fail(at, "several schemas have the $dynamicAnchor %s, which is not supported", name)
	}
	return r.resolve(text, base, at)
}

func unescapePercent(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	var out []byte
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				out = append(out, byte(n))
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	return string(out)
}

// within lists the schemas that hold for the same value.
func (s *schema) within(each func(*schema)) {
	lists := [][]*schema{{s.ref, s.not}, s.allOf, s.anyOf, s.oneOf}
	if s.when != nil { // without it then and else say nothing
		lists = append(lists, []*schema{s.when, s.then, s.otherwise})
	}
	for _, list := range lists {
		for _, t := range list {
			if t != nil {
				each(t)
			}
		}
	}
	for _, p := range s.dependentSchemas {
		each(p.schema)
	}
}

// checkCycles refuses schemas that hold for a value if they hold for the value.
func (r *schemaReader) checkCycles() {
	const open, done = 1, 2
	color := make([]int8, len(r.list))
	var visit func(s *schema)
	visit = func(s *schema) {
		color[s.id] = open
		s.within(func(t *schema) {
			switch color[t.id] {
			case open:
				fail(t.at, "it refers to itself for the same value, and so never ends")
			case 0:
				visit(t)
			}
		})
		color[s.id] = done
	}
	for _, s := range r.list {
		if color[s.id] == 0 {
			visit(s)
		}
	}
}
