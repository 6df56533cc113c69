package grammar

import (
	"maps"
	"slices"
	"strings"
)

// shape is what values may be, by their types: one of a goal's alternatives.
type shape struct {
	types                typeSet
	nums                 []numberDemand
	texts                []textDemand
	minLength, maxLength int
	lists                []*schema // prefix and items
	minItems, maxItems   int
	contains             []containsDemand
	unique               string     // where it is asked for
	objects              []*schema  // properties, patternProperties and additionalProperties
	extra                []property // properties that must be there, and hold more
	required             []string
	forbidden            []string
	minNames, maxNames   int
	names                []demand
	looked               looked // by clash
}

type numberDemand struct {
	at    string
	s     *schema // its bounds and multipleOf
	kind  byte    // b: bounds hold; f, t: from or to a bound; *, m: a multiple, or not; x: not these values
	value *number
	equal *expr
	open  bool
}

type textDemand struct {
	at   string
	text *nfa
	not  bool
}

type containsDemand struct {
	at       string
	g        goal
	min, max int
}

func newShape() *shape {
	return &shape{types: typeAny, maxLength: unbounded, maxItems: unbounded, maxNames: unbounded}
}

// with is a copy of a shape, so that alternatives do not meet.
func (s *shape) with() *shape {
	t := *s
	// Appending must not write into what another shape has.
	t.nums = t.nums[:len(t.nums):len(t.nums)]
	t.texts = t.texts[:len(t.texts):len(t.texts)]
	t.lists = t.lists[:len(t.lists):len(t.lists)]
	t.contains = t.contains[:len(t.contains):len(t.contains)]
	t.objects = t.objects[:len(t.objects):len(t.objects)]
	t.extra = t.extra[:len(t.extra):len(t.extra)]
	t.required = t.required[:len(t.required):len(t.required)]
	t.forbidden = t.forbidden[:len(t.forbidden):len(t.forbidden)]
	t.names = t.names[:len(t.names):len(t.names)]
	return &t
}

// weight is about what a copy of a shape takes.
func (s *shape) weight() int {
	return 4*(len(s.nums)+len(s.texts)+len(s.contains)) + len(s.lists) + len(s.objects) + len(s.extra) + len(s.required) + len(s.forbidden) + len(s.names)
}

// expansion takes a goal apart into shapes.
type expansion struct {
	c      *schemaCompiler
	at     string
	shapes []*shape
	values []any // of enum and const
	known  map[string]bool
	steps  int
}

func (c *schemaCompiler) expansion(at string) *expansion {
	return &expansion{c: c, at: at, known: map[string]bool{}}
}

// listed takes the values of an enum that satisfy all other demands too.
func (x *expansion) listed(s *schema, todo goal, seen map[int]bool) {
	for _, v := range s.enum {
		ok := true
		for id := range seen {
			ok = ok && x.c.valid(x.c.list[id/2], v) == (id&1 == 0)
		}
		for _, d := range todo {
			ok = ok && x.c.valid(d.s, v) != d.not
		}
		if !ok {
			continue
		}
		if name := x.c.spelling(v, s.at); !x.known[name] {
			x.known[name] = true
			x.values = append(x.values, v)
		}
	}
}

// mostShapes bounds how many alternatives a goal has, and mostTries what it takes to find them.
const (
	mostShapes = 5000
	mostTries  = 50_000
)

// run takes demands, the last first, and adds what they make of a shape. seen has demands that were taken.
func (x *expansion) run(todo goal, s *shape, seen map[int]bool) {
	if x.steps++; x.steps > mostTries {
		fail(x.at, "it has more than %d combinations of alternatives", mostShapes)
	}
	x.c.limits.spend(40+len(todo)+6*len(seen)+s.weight(), x.at)
	for len(todo) > 0 && s.types != 0 {
		d := todo[len(todo)-1]
		todo = todo[: len(todo)-1 : len(todo)-1]
		x.c.limits.spend(8, x.at)
		if d.s.boolean {
			if d.s.never != d.not {
				return
			}
			continue
		}
		id := 2 * d.s.id
		if d.not {
			id++
		}
		if seen[id^1] {
			return // it holds, and does not
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		if d.not {
			for _, option := range x.refute(d.s) {
				t := s.with()
				option.change(t)
				x.run(todo.before(option.more), t, maps.Clone(seen))
			}
			return
		}
		if d.s.hasEnum {
			x.listed(d.s, todo, seen)
			return
		}
		more, branches := x.take(d.s, s)
		x.c.limits.spend(len(todo)/4+4*len(more), x.at)
		todo = todo.before(more)
		if len(branches) > 0 {
			x.branch(todo, s, seen, branches)
			return
		}
	}
	if s.types == 0 {
		return
	}
	if len(x.shapes) >= mostShapes {
		fail(x.at, "it has more than %d combinations of alternatives", mostShapes)
	}
	if x.c.open {
		x.unevaluated(s, seen)
	}
	x.shapes = append(x.shapes, s)
}

// before puts demands before those that are still to be taken, which are the last first.
func (g goal) before(more goal) goal {
	if len(more) == 0 {
		return g
	}
	out := append(make(goal, 0, len(g)+len(more)), g...)
	for i := len(more) - 1; i >= 0; i-- {
		out = append(out, more[i])
	}
	return out
}

// branch goes on with each combination of alternatives.
func (x *expansion) branch(todo goal, s *shape, seen map[int]bool, branches [][]option) {
	if len(branches) == 0 {
		x.run(todo, s, seen)
		return
	}
	if x.clash(s) {
		s.types &^= typeObject
	}
	if s.types == 0 {
		return
	}
	for _, option := range branches[0] {
		t := s.with()
		option.change(t)
		if t.types != 0 {
			x.branch(todo.before(option.more), t, maps.Clone(seen), branches[1:])
		}
	}
}

// clash tells whether it is plain that no object is of a shape: what it must have it must not, or cannot. So conditions on one property
// do not multiply. What was looked at before is not again.
func (x *expansion) clash(s *shape) bool {
	if s.types&typeObject == 0 {
		return false
	}
	was := s.looked
	s.looked = looked{len(s.required), len(s.forbidden), len(s.objects), len(s.extra)}
	x.c.limits.spend(4*len(s.required)*(2+len(s.objects)-was.objects+len(s.extra)-was.extra)+len(s.forbidden), x.at)
	for i, name := range s.required {
		objects, extra, forbidden := s.objects[was.objects:], s.extra[was.extra:], s.forbidden[was.forbidden:]
		if i >= was.required {
			objects, extra, forbidden = s.objects, s.extra, s.forbidden
		}
		if slices.Contains(forbidden, name) {
			return true
		}
		if more := x.wanted(name, objects, extra); len(more) > 0 && x.anyApart(more, x.wanted(name, s.objects, s.extra)) {
			return true
		}
	}
	return false
}

// looked is how much of a shape's lists has been looked at.
type looked struct{ required, forbidden, objects, extra int }

// wanted is what a property must be.
func (x *expansion) wanted(name string, objects []*schema, extra []property) (list []*schema) {
	for _, o := range objects {
		for _, d := range x.c.ofName(o, name) {
			list = append(list, d.s)
		}
	}
	for _, p := range extra {
		if p.name == name {
			list = append(list, p.schema)
		}
	}
	return list
}

func (x *expansion) anyApart(some, all []*schema) bool {
	for _, s := range some {
		for _, t := range all {
			if s != t && x.c.apart(s, t, 0) {
				return true
			}
		}
	}
	return false
}

// option is an alternative: more demands, and a change of the shape.
type option struct {
	more goal
	set  func(*shape)
}

func (o option) change(s *shape) {
	if o.set != nil {
		o.set(s)
	}
}

// take adds what a schema says to a shape, and gives what else must hold, and alternatives of which one each must.
func (x *expansion) take(s *schema, to *shape) (more goal, branches [][]option) {
	if s.types != 0 {
		to.types &= s.types
	}
	if !s.plainNumber() {
		to.nums = append(to.nums, numberDemand{at: s.at, s: s, kind: 'b'})
	}
	to.minLength, to.maxLength = max(to.minLength, s.minLength), min(to.maxLength, s.maxLength)
	if s.hasPattern {
		to.texts = append(to.texts, textDemand{at: s.at + "/pattern", text: x.c.pattern[s.pattern]})
	}
	if s.format != "" {
		if f := x.c.formatText(s.format); f != nil {
			to.texts = append(to.texts, textDemand{at: s.at + "/format", text: f})
			if strings.Contains(shortFormats, " "+s.format+" ") {
				to.maxLength = min(to.maxLength, shortFormat)
			}
		}
	}
	if len(s.prefix) > 0 || s.items != nil {
		to.lists = append(to.lists, s)
	}
	to.minItems, to.maxItems = max(to.minItems, s.minItems), min(to.maxItems, s.maxItems)
	if s.contains != nil && !(s.minContains == 0 && s.maxContains == unbounded) {
		to.contains = append(to.contains, containsDemand{s.at + "/contains", goal{{s: s.contains}}, s.minContains, s.maxContains})
	}
	if s.unique {
		to.unique = s.at + "/uniqueItems"
	}
	if len(s.properties) > 0 || len(s.patterns) > 0 || s.additional != nil {
		to.objects = append(to.objects, s)
	}
	to.required = append(to.required, s.required...)
	to.minNames, to.maxNames = max(to.minNames, s.minNames), min(to.maxNames, s.maxNames)
	if s.names != nil {
		to.names = append(to.names, demand{s: s.names})
	}
	if s.ref != nil {
		more = append(more, demand{s: s.ref})
	}
	for _, t := range s.allOf {
		more = append(more, demand{s: t})
	}
	if s.not != nil {
		more = append(more, demand{s.not, true})
	}
	if len(s.anyOf) > 0 && x.c.open {
		branches = append(branches, x.together(s))
	} else if len(s.anyOf) > 0 {
		var list []option
		for _, t := range s.anyOf {
			list = append(list, option{more: goal{{s: t}}})
		}
		branches = append(branches, list)
	}
	if len(s.oneOf) > 0 {
		branches = append(branches, x.exactlyOne(s.oneOf))
	}
	if s.when != nil && (s.then != nil || s.otherwise != nil) {
		branches = append(branches, []option{{more: both(demand{s: s.when}, s.then)}, {more: both(demand{s.when, true}, s.otherwise)}})
	} else if s.when != nil && x.c.open { // what it looks at counts where it holds
		branches = append(branches, []option{{more: goal{{s: s.when}}}, {}})
	}
	for _, d := range s.dependent {
		branches = append(branches, []option{absent(d.name), {set: func(t *shape) {
			t.types &= typeObject
			t.required = append(append(t.required, d.name), d.required...)
		}}})
	}
	for _, d := range s.dependentSchemas {
		branches = append(branches, []option{absent(d.name), {more: goal{{s: d.schema}}, set: func(t *shape) {
			t.types &= typeObject
			t.required = append(t.required, d.name)
		}}})
	}
	return more, branches
}

func both(d demand, s *schema) goal {
	if s == nil {
		return goal{d}
	}
	return goal{d, {s: s}}
}

// absent is the values that lack a property.
func absent(name string) option {
	return option{set: func(t *shape) { t.forbidden = append(t.forbidden, name) }}
}

// exactlyOne gives the alternatives of oneOf. Where two cannot hold at once, neither need be said not to hold.
func (x *expansion) exactlyOne(list []*schema) []option {
	var out []option
	for i, s := range list {
		more := goal{{s: s}}
		x.c.limits.spend(8*len(list), x.at)
		for j, t := range list {
			if i != j && !x.c.apart(s, t, 0) {
				more = append(more, demand{t, true})
			}
		}
		out = append(out, option{more: more})
	}
	return out
}
