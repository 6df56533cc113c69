package grammar

// object gives a shape's objects. Their properties stand in the order in which the schema names them, those that are only
// required behind; then come all others.
func (c *schemaCompiler) object(s *shape, l *layout, at string) *expr {
	forbidden := map[string]bool{}
	for _, name := range s.forbidden {
		forbidden[name] = true
	}
	required := map[string]bool{}
	for _, name := range s.required {
		if forbidden[name] {
			return never
		}
		required[name] = true
	}
	var names []string
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, o := range s.objects {
		for _, p := range o.properties {
			add(p.name)
		}
	}
	for _, name := range s.required {
		add(name)
	}
	c.limits.spend(16+60*len(names)+8*len(names)*len(s.objects), at)
	members := c.members(s, l, names, required, forbidden)
	var extra []*expr
	if l == nil {
		extra = c.extra(s, append(append([]string(nil), names...), s.forbidden...))
	}
	if s.minNames > len(members) && len(extra) == 0 || s.maxNames == 0 && len(required) > 0 {
		return never
	}
	if s.minNames > len(members)+1 {
		fail(at, "minProperties beyond the properties that are named, and one more, is not supported")
	}
	comma := sequence(literal(","), reference(c.ws))
	if l != nil {
		comma = l.comma
	}
	full := c.objectGraph(members, extra, comma, s.minNames, s.maxNames, at)
	empty := nothing
	if l == nil {
		ws := reference(c.ws)
		full, empty = sequence(literal("{"), ws, full, ws, literal("}")), literal("{}")
	}
	if s.minNames > 0 || len(required) > 0 {
		return full
	}
	return choice(empty, full)
}

// member is a property that has a place.
type member struct {
	text     *expr
	required bool
}

func (c *schemaCompiler) members(s *shape, l *layout, names []string, required, forbidden map[string]bool) []member {
	byName := make([]map[string]*schema, len(s.objects))
	for i, o := range s.objects {
		byName[i] = make(map[string]*schema, len(o.properties))
		for _, p := range o.properties {
			byName[i][p.name] = p.schema
		}
	}
	var out []member
	for _, name := range names {
		if forbidden[name] {
			continue
		}
		var g goal
		for i, o := range s.objects {
			found := false
			if t := byName[i][name]; t != nil {
				g, found = append(g, demand{s: t}), true
			}
			for _, p := range o.patterns {
				if c.pattern[p.name].matches(name) {
					g, found = append(g, demand{s: p.schema}), true
				}
			}
			if !found && o.additional != nil {
				g = append(g, demand{s: o.additional})
			}
		}
		for _, p := range s.extra {
			if p.name == name {
				g = append(g, demand{s: p.schema})
			}
		}
		for _, d := range s.names {
			if !c.valid(d.s, name) {
				g = goal{{s: c.no}}
			}
		}
		simple, ok := g.simple()
		if !ok && !required[name] {
			continue
		}
		if !ok {
			simple = goal{{s: c.no}}
		}
		text := c.member(l, name, simple)
		out = append(out, member{text, required[name]})
	}
	return out
}

// extra gives the members whose names are free: for each combination of patterns that a name may match, with what its value
// must be then.
func (c *schemaCompiler) extra(s *shape, names []string) []*expr {
	var base []textDemand
	if len(names) > 0 {
		list := make([]*expr, len(names))
		for i, name := range names {
			list[i] = literal(name)
		}
		base = append(base, textDemand{text: c.nameList(list), not: true})
	}
	for _, d := range s.names {
		base = append(base, c.nameDemands(d.s)...)
	}
	type pattern struct {
		text   *nfa
		values []*schema // by layer
	}
	var patterns []pattern
	for i, o := range s.objects {
		for _, p := range o.patterns {
			at := -1
			for j := range patterns {
				if patterns[j].text == c.pattern[p.name] {
					at = j
				}
			}
			if at < 0 {
				at = len(patterns)
				patterns = append(patterns, pattern{c.pattern[p.name], make([]*schema, len(s.objects))})
			}
			patterns[at].values[i] = p.schema
		}
	}
	if len(patterns) > 10 {
		fail(s.objects[0].at+"/patternProperties", "more than 10 patterns are not supported")
	}
	var out []*expr
	for match := range 1 << len(patterns) {
		c.limits.spend(40+4*len(patterns)*len(s.objects), "")
		demands := base[:len(base):len(base)]
		for j, p := range patterns {
			demands = append(demands, textDemand{p.text.name, p.text, match>>j&1 == 0})
		}
		var g goal
		for i, o := range s.objects {
			found := false
			for j, p := range patterns {
				if match>>j&1 != 0 && p.values[i] != nil {
					g, found = append(g, demand{s: p.values[i]}), true
				}
			}
			if !found && o.additional != nil {
				g = append(g, demand{s: o.additional})
			}
		}
		simple, ok := g.simple()
		if !ok {
			continue
		}
		if n := c.textOf(demands); n != nil {
			key := c.style.quoted(&expr{op: opText, fragment: n, max: unbounded})
			out = append(out, sequence(key, literal(":"), reference(c.ws), c.value(simple)))
		}
	}
	return out
}

func (c *schemaCompiler) nameList(list []*expr) *nfa {
	return flat(choice(list...), false, "", c.limits)
}

// nameDemands is what propertyNames says of names.
func (c *schemaCompiler) nameDemands(s *schema) []textDemand {
	x := c.expansion(s.at)
	x.run(goal{{s: s}}, newShape(), map[int]bool{})
	var all []*nfa
	for _, v := range x.values {
		if text, ok := v.(string); ok {
			all = append(all, flat(literal(text), false, s.at, c.limits))
		}
	}
	for _, t := range x.shapes {
		if t.types&typeString == 0 || t.minLength > t.maxLength {
			continue
		}
		demands := t.texts
		if t.minLength > 0 || t.maxLength < unbounded {
			any := repeat(class(runeSet{{0, lastRune}}), t.minLength, t.maxLength)
			demands = append(demands, textDemand{s.at, flat(any, false, s.at, c.limits), false})
		}
		if len(demands) == 0 {
			return nil
		}
		if n := c.plainText(demands); n != nil {
			all = append(all, n)
		}
	}
	union := &nfa{limits: c.limits, name: s.at}
	start := union.add(0)
	for _, n := range all {
		union.free(start, union.include(n, 0))
	}
	return []textDemand{{s.at, union, false}}
}

// mostCounted bounds how many properties, times how many of them there must be, are counted one by one.
const mostCounted = 50_000

// objectGraph is the automaton of members in order: at each place, whatever is optional may be left out. Names that are free
// may come twice and then are one property; so where low asks for named ones besides, places tell how many there were.
func (c *schemaCompiler) objectGraph(members []member, extra []*expr, comma *expr, low, high int, at string) *expr {
	g := &graph{}
	start, end := g.place(), g.place()
	g.end = end
	may := make([]bool, len(members)+1) // it may end before this one
	may[len(members)] = true
	required := 0
	for i := len(members) - 1; i >= 0; i-- {
		may[i] = may[i+1] && !members[i].required
		if members[i].required {
			required++
		}
	}
	least, kinds := 0, 1
	if low > required+1 && len(extra) > 0 {
		if least, kinds, low = low, low+1, 0; kinds*len(members) > mostCounted {
			fail(at, "minProperties of %d is not supported with so many properties", least)
		}
	}
	c.limits.spend(40*kinds*len(members), at)
	row := func() []int32 {
		list := make([]int32, kinds)
		for i := range list {
			list[i] = g.place()
		}
		return list
	}
	next := row() // where a member comes, by how many came before
	g.arc(start, next[0], nothing, false)
	for i, m := range members {
		behind, following := row(), row()
		for n := range kinds {
			g.arc(next[n], behind[min(n+1, kinds-1)], m.text, true)
			if may[i+1] && n >= least {
				g.arc(behind[n], end, nothing, false)
			}
			g.arc(behind[n], following[n], comma, false)
			if !m.required {
				g.arc(next[n], following[n], nothing, false)
			}
		}
		next = following
	}
	for n := max(least-1, 0); n < kinds && len(extra) > 0; n++ {
		behind := g.place()
		for _, e := range extra {
			g.arc(next[n], behind, e, true)
		}
		g.arc(behind, next[n], comma, false)
		g.arc(behind, end, nothing, false)
	}
	return &expr{op: opGraph, graph: g, min: low, max: high}
}
