package grammar

import (
	"encoding/binary"
	"sort"
)

// literal of a goal: a schema that holds, or does not.
type demand struct {
	s   *schema
	not bool
}

// A goal is demands that hold for one value at once. Each goal is a rule, and there are finitely many of them, so recursion
// through $ref ends, whatever is combined with what.
type goal []demand

func (g goal) key() string {
	ids := make([]int, len(g))
	for i, d := range g {
		ids[i] = 2 * d.s.id
		if d.not {
			ids[i]++
		}
	}
	sort.Ints(ids)
	key := make([]byte, 0, 4*len(ids))
	for i, id := range ids {
		if i == 0 || id != ids[i-1] {
			key = binary.LittleEndian.AppendUint32(key, uint32(id))
		}
	}
	return string(key)
}

// simple drops demands that say nothing, and tells whether none can hold.
func (g goal) simple() (goal, bool) {
	out := make(goal, 0, len(g))
	for _, d := range g {
		if !d.s.boolean {
			out = append(out, d)
		} else if d.s.never != d.not {
			return nil, false
		}
	}
	return out, true
}

// schemaCompiler makes rules of goals.
type schemaCompiler struct {
	*schemaReader
	*schemaTexts
	rules  *[]definition
	style  style
	prefix string // of the names of its rules
	goals  map[string]int32
	todo   map[int32]goal // by rule that has no body yet
	asked  []int32        // those rules, in order
	ws     int32
	tries  int // of what is asked now
}

// schemaTexts are automata of texts, which several schemas may share.
type schemaTexts struct {
	spelled map[*nfa]*nfa   // texts as they are spelled
	raw     map[*nfa]*nfa   // texts as they are, which another place of the same syntax may have
	joined  map[string]*nfa // texts that satisfy several demands
	ids     map[*nfa]int    // numbers of texts, for keys
	formats map[string]*nfa
	free    *nfa // any text, spelled
}

func newSchemaTexts() *schemaTexts {
	return &schemaTexts{spelled: map[*nfa]*nfa{}, raw: map[*nfa]*nfa{}, joined: map[string]*nfa{}, ids: map[*nfa]int{}, formats: map[string]*nfa{}}
}

// compileSchema compiles a schema.
func compileSchema(source string, limits *budget) *Grammar {
	r := newSchemaReader(source, limits, map[string]*nfa{})
	root := r.at(r.root, "#")
	r.checkCycles()
	var rules []definition
	c := newSchemaCompiler(r, newSchemaTexts(), &rules, jsonStyle)
	start := c.goal(goal{{s: root}})
	c.finish()
	return build(JSONSchema, rules, start, limits)
}

func newSchemaCompiler(r *schemaReader, texts *schemaTexts, rules *[]definition, s style) *schemaCompiler {
	c := &schemaCompiler{schemaReader: r, schemaTexts: texts, rules: rules, style: s, goals: map[string]int32{}, todo: map[int32]goal{}}
	c.ws = c.rule("#", s.space)
	if c.free == nil {
		c.free = c.anyText()
	}
	return c
}

// finish expands what was asked for, and what comes of that.
func (c *schemaCompiler) finish() {
	for done := 0; done < len(c.asked); done++ {
		n := c.asked[done]
		body := c.expand(c.todo[n])
		(*c.rules)[n].body = body
		delete(c.todo, n)
		if len(*c.rules) > c.limits.Rules {
			fail("", "the schema needs more than %d rules", c.limits.Rules)
		}
	}
	c.asked = nil
}

// whiteSpace may stand behind {, [, comma and colon, and before } and ] if something stands between: nothing, a space, or an
// end of line with up to 64 spaces or tabs.
var whiteSpace = shared(optional(choice(literal(" "), sequence(optional(literal("\r")), literal("\n"), repeat(class(newSet(spanOf('\t'), spanOf(' '))), 0, 64)))))

func (c *schemaCompiler) rule(name string, body *expr) int32 {
	*c.rules = append(*c.rules, definition{name: c.prefix + name, body: body})
	return int32(len(*c.rules) - 1)
}

// goal gives the rule of a goal.
func (c *schemaCompiler) goal(g goal) int32 {
	name := "#"
	if len(g) > 0 {
		name = g[0].s.at
	}
	simple, ok := g.simple()
	if !ok {
		simple = goal{{s: c.no}}
	}
	for len(simple) == 1 && !simple[0].not && simple[0].s.onlyRef() {
		simple = goal{{s: simple[0].s.ref}}
	}
	key := simple.key()
	n, ok := c.goals[key]
	if !ok {
		n = c.rule(name, nil)
		c.goals[key] = n
		c.todo[n] = simple
		c.asked = append(c.asked, n)
	}
	return n
}

func (c *schemaCompiler) value(g goal) *expr { return reference(c.goal(g)) }

// expand gives what a goal's values are.
func (c *schemaCompiler) expand(g goal) *expr {
	if len(g) == 1 && !g[0].not {
		switch s := g[0].s; {
		case s.never:
			return never
		case s.plain() && s.ref == nil && len(s.anyOf) > 0:
			list := make([]*expr, 0, len(s.anyOf))
			known := make(map[int32]bool, len(s.anyOf))
			for _, t := range s.anyOf {
				if n := c.goal(goal{{s: t}}); !known[n] {
					known[n] = true
					list = append(list, reference(n))
				}
			}
			return choice(list...)
		}
	}
	x := c.expansion(g.at())
	x.run(g, newShape(), map[int]bool{})
	list := make([]*expr, 0, len(x.shapes)+len(x.values))
	for _, v := range x.values {
		list = append(list, c.constant(v))
	}
	for _, s := range x.shapes {
		list = append(list, c.shape(s, x.at)...)
	}
	return choice(list...)
}

func (g goal) at() string {
	if len(g) == 0 {
		return "#"
	}
	return g[0].s.at
}

func (s *schema) onlyRef() bool { return s.ref != nil && len(s.anyOf) == 0 && s.plain() }

// plain tells whether a schema says nothing but by $ref or anyOf.
func (s *schema) plain() bool {
	return !s.boolean && s.types == 0 && !s.hasEnum && len(s.allOf) == 0 && len(s.oneOf) == 0 && s.not == nil && s.when == nil &&
		s.plainNumber() && s.plainText() && s.plainList() && s.plainObject()
}

func (s *schema) plainNumber() bool {
	return s.minimum == nil && s.maximum == nil && s.above == nil && s.below == nil && s.multipleOf == nil
}

func (s *schema) plainText() bool {
	return s.minLength == 0 && s.maxLength == unbounded && !s.hasPattern && s.format == ""
}

func (s *schema) plainList() bool {
	return len(s.prefix) == 0 && s.items == nil && s.minItems == 0 && s.maxItems == unbounded && s.contains == nil && !s.unique &&
		s.unevaluatedItems == nil
}

func (s *schema) plainObject() bool {
	return len(s.properties) == 0 && len(s.patterns) == 0 && s.additional == nil && len(s.required) == 0 && s.minNames == 0 &&
		s.maxNames == unbounded && s.names == nil && len(s.dependent) == 0 && len(s.dependentSchemas) == 0 && s.unevaluated == nil
}
