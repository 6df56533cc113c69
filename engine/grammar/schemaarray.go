package grammar

// places is how many items of a shape's arrays have a schema of their own.
func (s *shape) places() int {
	n := 0
	for _, l := range s.lists {
		n = max(n, len(l.prefix))
	}
	return n
}

// mostListed is how many items may have a schema of their own where each is a state.
const mostListed = 200

func (s *shape) listedPlaces(at string) int {
	n := s.places()
	if n > mostListed {
		fail(at, "it is not supported together with more than %d prefixItems", mostListed)
	}
	return n
}

// item is what item i must be.
func (s *shape) item(i int) goal {
	var g goal
	for _, l := range s.lists {
		if i < len(l.prefix) {
			g = append(g, demand{s: l.prefix[i]})
		} else if l.items != nil {
			g = append(g, demand{s: l.items})
		}
	}
	return g
}

// array gives a shape's arrays.
func (c *schemaCompiler) array(s *shape, at string) *expr {
	known := min(s.places(), s.maxItems)
	c.limits.spend(60*known*(1+len(s.lists)), at)
	switch {
	case s.unique != "" && s.maxItems > 1:
		return c.uniqueArray(s)
	case len(s.contains) > 0:
		return c.containingArray(s)
	}
	item := func(i int) *expr { return c.value(s.item(i)) }
	ws := reference(c.ws)
	comma := sequence(literal(","), ws)
	// From the last place back: what may come behind item i, and the item.
	var tail *expr
	if s.maxItems > known {
		rest := item(known)
		if known == 0 {
			tail = sequence(rest, repeat(sequence(comma, rest), max(s.minItems, 1)-1, less(s.maxItems, 1)))
		} else {
			tail = repeat(sequence(comma, rest), max(s.minItems-known, 0), less(s.maxItems, known))
		}
	} else {
		tail = nothing
		if known == 0 {
			tail = never
		}
	}
	for i := known - 1; i >= 0; i-- {
		if i+1 >= s.minItems && tail != nothing {
			tail = optional(tail)
		}
		tail = sequence(item(i), tail)
		if i > 0 {
			tail = sequence(comma, tail)
		}
	}
	full := sequence(literal("["), ws, tail, ws, literal("]"))
	if s.minItems > 0 {
		return full
	}
	return choice(literal("[]"), full)
}

func less(n, by int) int {
	if n == unbounded {
		return n
	}
	return n - by
}

// arrayGraph is an array's automaton in the making: its states are found as they are asked for.
type arrayGraph struct {
	graph
	places map[string]int32 // before an item, by state
	order  []string
	at     string
}

// mostPlaces bounds an array's automaton.
const mostPlaces = 4000

func newArrayGraph(at string) *arrayGraph {
	g := &arrayGraph{places: map[string]int32{}, at: at}
	g.place()
	g.end = g.place()
	return g
}

// before is the place before an item in some state.
func (g *arrayGraph) before(state []byte) int32 {
	p, ok := g.places[string(state)]
	if !ok {
		if p = g.place(); g.graph.places > mostPlaces {
			fail(g.at, "it needs more than %d states", mostPlaces)
		}
		g.places[string(state)] = p
		g.order = append(g.order, string(state))
	}
	return p
}

// item adds an item between two states. It may be the last if so much is enough.
func (c *schemaCompiler) item(g *arrayGraph, from int32, by *expr, state []byte, enough bool) {
	behind := g.place()
	g.arc(from, behind, by, true)
	g.arc(behind, g.before(state), sequence(literal(","), reference(c.ws)), false)
	if enough {
		g.arc(behind, g.end, nothing, false)
	}
}

func (c *schemaCompiler) closeGraph(g *arrayGraph, s *shape, mayBeEmpty bool) *expr {
	ws := reference(c.ws)
	full := sequence(literal("["), ws, &expr{op: opGraph, graph: &g.graph, min: max(s.minItems, 1), max: s.maxItems}, ws, literal("]"))
	if s.maxItems == 0 {
		full = never
	}
	if mayBeEmpty && s.minItems == 0 {
		return choice(literal("[]"), full)
	}
	return full
}

// mostContained is up to what number items are counted one by one.
const mostContained = 30

// containingArray gives arrays of which some items must hold more: a state is how many there were of each kind.
func (c *schemaCompiler) containingArray(s *shape) *expr {
	kinds := s.contains
	if len(kinds) > 4 {
		fail(kinds[0].at, "more than 4 of them at once are not supported")
	}
	for _, k := range kinds {
		if k.min > mostContained || k.max < unbounded && k.max > mostContained {
			fail(k.at, "counts over %d are not supported with it", mostContained)
		}
	}
	known := s.listedPlaces(kinds[0].at)
	g := newArrayGraph(kinds[0].at)
	state := make([]byte, 1+len(kinds)) // the place, and how many of each kind
	g.arc(0, g.before(state), nothing, false)
	for i := 0; i < len(g.order); i++ {
		from := []byte(g.order[i])
		for which := range 1 << len(kinds) {
			item := append(goal(nil), s.item(int(from[0]))...)
			to := append([]byte(nil), from...)
			to[0] = byte(min(int(from[0])+1, known))
			enough, ok := true, true
			for j, k := range kinds {
				switch {
				case which>>j&1 != 0:
					item = append(item, k.g...)
					if to[1+j]++; k.max < unbounded {
						ok = ok && int(to[1+j]) <= k.max
					} else {
						to[1+j] = byte(min(int(to[1+j]), k.min))
					}
				case k.max < unbounded:
					for _, d := range k.g {
						item = append(item, demand{d.s, !d.not})
					}
				}
				enough = enough && int(to[1+j]) >= k.min
			}
			if ok {
				c.item(g, g.places[string(from)], c.value(item), to, enough)
			}
		}
	}
	empty := true
	for _, k := range kinds {
		empty = empty && k.min == 0
	}
	return c.closeGraph(g, s, empty)
}

// mostUnique is of how many values the items of an array may be that must differ.
const mostUnique = 10

// uniqueArray gives arrays whose items differ. They must be of few values; a state is which of them there were.
func (c *schemaCompiler) uniqueArray(s *shape) *expr {
	if len(s.contains) > 0 {
		fail(s.unique, "it is not supported together with contains")
	}
	known := s.listedPlaces(s.unique)
	var all []any
	number := func(v any) int {
		for i, w := range all {
			if same(v, w) {
				return i
			}
		}
		if all = append(all, v); len(all) > mostUnique {
			fail(s.unique, "it is supported only for items of at most %d values that are listed", mostUnique)
		}
		return len(all) - 1
	}
	values := make([][]int, known+1)
	for i := range values {
		list, ok := c.few(s.item(i))
		if !ok {
			fail(s.unique, "it is supported only for items of at most %d values that are listed", mostUnique)
		}
		for _, v := range list {
			values[i] = append(values[i], number(v))
		}
	}
	g := newArrayGraph(s.unique)
	g.arc(0, g.before(make([]byte, 3)), nothing, false) // the place, and the values that there were
	for i := 0; i < len(g.order); i++ {
		from := []byte(g.order[i])
		for _, v := range values[from[0]] {
			if from[1+v/8]>>(v%8)&1 == 0 {
				to := append([]byte(nil), from...)
				to[0] = byte(min(int(from[0])+1, known))
				to[1+v/8] |= 1 << (v % 8)
				c.item(g, g.places[string(from)], c.constant(all[v]), to, true)
			}
		}
	}
	return c.closeGraph(g, s, true)
}

// few lists a goal's values, if they are listed.
func (c *schemaCompiler) few(g goal) ([]any, bool) {
	simple, ok := g.simple()
	if !ok {
		return nil, true
	}
	x := c.expansion(g.at())
	x.run(simple, newShape(), map[int]bool{})
	list := x.values
	for _, s := range x.shapes {
		if s.types&^(typeNull|typeFalse|typeTrue) != 0 {
			return nil, false
		}
		for _, t := range []struct {
			bit   typeSet
			value any
		}{{typeNull, nil}, {typeFalse, false}, {typeTrue, true}} {
			if s.types&t.bit != 0 {
				list = append(list, t.value)
			}
		}
	}
	return list, true
}
