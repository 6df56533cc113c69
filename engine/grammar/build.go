package grammar

import (
	"encoding/binary"
	"sort"
)

// definition is a rule before it is an automaton.
type definition struct {
	name  string
	body  *expr
	broad bool // most tokens may go on in it, so their mask is worth keeping for all who call it
}

// rule is an automaton that others call.
type rule struct {
	name    string
	start   int32
	first   int32 // its states are first to last-1
	last    int32
	order   int32 // a rule that may begin with another comes before it
	counted bool
	null    bool // before build takes the empty text out of it: it may be empty
	items   bool // what it counts may be empty
	broad   bool
	lengths *lengths
}

// builder makes automata of definitions.
type builder struct {
	nfa
	rules    []rule
	bodies   []*expr // of rules that are still to be built
	counters map[any]int32
	classes  int // large ones that were copied
	start    int32
}

// build makes the automata of all rules that can be had from start, such that nothing in them leads nowhere.
func build(kind Kind, definitions []definition, start int32, limits *budget) *Grammar {
	b := &builder{nfa: nfa{limits: limits}, counters: map[any]int32{}, start: start}
	for i, d := range definitions {
		b.rules = append(b.rules, rule{name: d.name, broad: d.broad})
		b.bodies = append(b.bodies, d.body)
		definitions[i].body = nil // it is not needed for longer than its automaton takes
	}
	used := make([]bool, len(b.rules), 2*len(b.rules))
	for todo := []int32{start}; len(todo) > 0; {
		r := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if used[r] {
			continue
		}
		used[r] = true
		b.name = b.rules[r].name
		from := len(b.states)
		b.rule(r)
		for len(used) < len(b.rules) {
			used = append(used, false)
		}
		for _, s := range b.states[from:] {
			for _, c := range s.calls {
				if !used[c.rule] {
					todo = append(todo, c.rule)
				}
			}
		}
		if len(b.rules) > limits.Rules {
			fail("", "the grammar needs more than %d rules", limits.Rules)
		}
	}
	b.name = ""
	for r := range b.rules {
		if !used[r] {
			b.rules[r].start = -1
		}
	}
	b.takeOutEmpty()
	b.takeOutLeftRecursion()
	g := b.finish()
	g.kind, g.limits = kind, limits.Limits
	return g
}

// rule builds one rule's automaton.
func (b *builder) rule(r int32) {
	body := b.bodies[r]
	b.bodies[r] = nil
	start := b.add(r)
	b.rules[r].start = start
	switch {
	case body.op == opText:
		b.free(start, b.include(body.fragment, r))
	case body.op == opClass:
		b.states[b.runes(start, body.set, false)].final = true
	case body.op == opGraph && b.rules[r].counted:
		b.states[b.graph(body.graph, start, true)].final = true
	case b.rules[r].counted: // a counter's loop
		item := body.list[0]
		if item.op == opClass {
			b.runesTo(start, start, item.set, true)
		} else {
			if item.op == opText || item.op == opGraph { // which count by themselves
				item = sequence(item)
			}
			inner := b.asRule(item, r)
			b.states[start].calls = append(b.states[start].calls, call{rule: inner, to: start, max: unbounded, tick: true})
		}
		b.states[start].final = true
	default:
		b.states[b.expr(body, start)].final = true
	}
}

// asRule makes a rule of its own of an expression.
func (b *builder) asRule(e *expr, parent int32) int32 {
	if e.op == opRule {
		return e.rule
	}
	b.rules = append(b.rules, rule{name: b.rules[parent].name, counted: e.op == opGraph})
	b.bodies = append(b.bodies, e)
	return int32(len(b.rules) - 1)
}

// expr adds an expression's states behind from, and returns the last of them.
func (b *builder) expr(e *expr, from int32) int32 {
	rule := b.states[from].rule
	switch e.op {
	case opLiteral:
		for i := range len(e.text) {
			to := b.add(rule)
			b.byte(from, e.text[i], e.text[i], to, false)
			from = to
		}
		return from
	case opClass:
		if len(e.set) > largeClass {
			if b.classes++; b.classes > copiedClasses {
				return b.call(from, b.classRule(e), 0, unbounded)
			}
		}
		return b.runes(from, e.set, false)
	case opSequence:
		for _, item := range e.list {
			from = b.expr(item, from)
		}
		return from
	case opChoice:
		out := b.add(rule)
		for _, item := range b.literals(e.list, from, out) {
			b.free(b.expr(item, from), out)
		}
		return out
	case opRepeat:
		return b.repeat(e, from)
	case opRule:
		return b.call(from, e.rule, 0, unbounded)
	}
	counted := e.min > 0 || e.max < unbounded
	if e.op == opGraph {
		if !counted {
			return b.graph(e.graph, from, false)
		}
		return b.call(from, b.asRule(e, rule), e.min, e.max)
	}
	r, ok := b.counters[e.fragment] // opText
	if !ok {
		r = b.asRule(e, rule)
		b.counters[e.fragment] = r
		b.rules[r].broad = true
	}
	b.rules[r].counted = b.rules[r].counted || counted
	return b.call(from, r, e.min, e.max)
}

// A class of so many ranges takes hundreds of states: after some copies all others call a rule.
const (
	largeClass    = 40
	copiedClasses = 100
)

// classRule is the rule of a class, by its ranges.
func (b *builder) classRule(e *expr) int32 {
	if r, ok := b.counters[&e.set[0]]; ok { // the very set of another
		return r
	}
	b.limits.spend(len(e.set)/8, b.name)
	key := make([]byte, 0, 8*len(e.set))
	for _, s := range e.set {
		key = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(key, uint32(s.lo)), uint32(s.hi))
	}
	r, ok := b.counters[string(key)]
	if !ok {
		b.rules = append(b.rules, rule{name: b.name})
		b.bodies = append(b.bodies, e)
		r = int32(len(b.rules) - 1)
		b.counters[string(key)] = r
	}
	b.counters[&e.set[0]] = r
	return r
}

// literals adds those alternatives that are literals, of which those that begin alike share their states, and returns the others.
func (b *builder) literals(list []*expr, from, out int32) (others []*expr) {
	var texts []string
	for _, item := range list {
		if item.op == opSequence && len(item.list) == 1 {
			item = item.list[0]
		}
		if item.op != opLiteral || item.text == "" {
			others = append(others, item)
			continue
		}
		texts = append(texts, item.text)
	}
	sort.Slice(texts, func(i, j int) bool { return texts[i] < texts[j] })
	path, last := []int32{from}, "" // the states of the last text
	for i, text := range texts {
		if i > 0 && text == last {
			continue
		}
		shared := 0
		for shared < len(last)-1 && shared < len(text)-1 && last[shared] == text[shared] {
			shared++
		}
		path = path[:shared+1]
		for _, c := range []byte(text[shared : len(text)-1]) {
			to := b.add(b.states[from].rule)
			b.byte(path[len(path)-1], c, c, to, false)
			path = append(path, to)
		}
		c := text[len(text)-1]
		b.byte(path[len(path)-1], c, c, out, false)
		last = text
	}
	return others
}

func (b *builder) call(from, rule int32, low, high int) int32 {
	to := b.add(b.states[from].rule)
	s := &b.states[from]
	s.calls = append(s.calls, call{rule: rule, to: to, min: int32(low), max: int32(high)})
	return to
}

func (b *builder) repeat(e *expr, from int32) int32 {
	item := e.list[0]
	if e.max == 0 {
		return from
	}
	if !e.counted() {
		for range e.min {
			from = b.expr(item, from)
		}
		rule := b.states[from].rule
		if e.max == unbounded {
			loop := b.add(rule)
			b.free(from, loop)
			b.free(b.expr(item, loop), loop)
			out := b.add(rule)
			b.free(loop, out)
			return out
		}
		out := b.add(rule)
		b.free(from, out)
		for range e.max - e.min {
			from = b.expr(item, from)
			b.free(from, out)
		}
		return out
	}
	key := any(item)
	if item.op == opRule {
		key = item.rule
	}
	r, ok := b.counters[key]
	if !ok {
		b.rules = append(b.rules, rule{name: b.name, counted: true})
		b.bodies = append(b.bodies, e)
		r = int32(len(b.rules) - 1)
		b.counters[key] = r
	}
	return b.call(from, r, e.min, e.max)
}
