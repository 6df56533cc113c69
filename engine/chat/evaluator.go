package chat

import (
	"strings"
	"time"
	"unicode/utf8"
)

// evaluator runs a template once. It counts what the run costs.
type evaluator struct {
	out   strings.Builder
	now   time.Time
	steps int
	depth int
	jump  jump
}

// jump tells the blocks around it that break or continue was met.
type jump uint8

const (
	noJump jump = iota
	breakJump
	continueJump
)

// scope holds the variables of a block; what it lacks is looked up outwards.
type scope struct {
	parent *scope
	vars   map[string]any
}

func (s *scope) inner() *scope { return &scope{parent: s, vars: map[string]any{}} }

func (s *scope) lookup(name string) (any, bool) {
	for ; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v, true
		}
	}
	return nil, false
}

func (e *evaluator) step(line int) { e.cost(line, 1) }

// cost counts work that grows with a value's size.
func (e *evaluator) cost(line, steps int) {
	if e.steps += steps; e.steps > maxSteps {
		fail(line, "the template takes more than %d steps", maxSteps)
	}
}

func (e *evaluator) deeper(line int) func() {
	if e.depth++; e.depth > maxDepth {
		fail(line, "calls or values are nested deeper than %d", maxDepth)
	}
	return func() { e.depth-- }
}

// fits fails if a text of so many bytes is too long.
func (e *evaluator) fits(line, bytes int) {
	if bytes > maxText {
		fail(line, "a text has more than %d bytes", maxText)
	}
}

func (e *evaluator) fitsItems(line, items int) {
	if items > maxItems {
		fail(line, "a list has more than %d items", maxItems)
	}
}

func (e *evaluator) write(line int, text string) {
	e.cost(line, len(text)>>6)
	e.out.WriteString(text)
	e.fits(line, e.out.Len())
}

// run runs statements until one jumps.
func (e *evaluator) run(body []node, s *scope) {
	defer e.deeper(0)()
	for _, n := range body {
		e.step(0)
		if n.run(e, s); e.jump != noJump {
			return
		}
	}
}

// capture runs statements and gives their output instead of writing it.
func (e *evaluator) capture(body []node, s *scope) string {
	outer := e.out
	e.out = strings.Builder{}
	e.run(body, s)
	text := e.out.String()
	e.out = outer
	return text
}

func (e *evaluator) eval(x expression, s *scope) any {
	e.step(0)
	defer e.deeper(0)()
	return x.eval(e, s)
}

func (n textNode) run(e *evaluator, _ *scope)   { e.write(0, n.text) }
func (n outputNode) run(e *evaluator, s *scope) { e.write(n.line, e.text(n.line, e.eval(n.value, s))) }

func (n ifNode) run(e *evaluator, s *scope) {
	if truth(e.eval(n.condition, s)) {
		e.run(n.then, s)
	} else {
		e.run(n.else_, s)
	}
}

func (breakNode) run(e *evaluator, _ *scope)    { e.jump = breakJump }
func (continueNode) run(e *evaluator, _ *scope) { e.jump = continueJump }

func (n blockNode) run(e *evaluator, s *scope) { e.run(n.body, s.inner()) }

func (n withNode) run(e *evaluator, s *scope) {
	inner := s.inner()
	for _, set := range n.sets {
		set.run(e, inner)
	}
	e.run(n.body, inner)
}

func (n setNode) run(e *evaluator, s *scope) {
	value := e.eval(n.value, s)
	if len(n.targets) == 1 {
		n.targets[0].assign(n.line, s, value)
		return
	}
	items := e.items(n.line, value)
	if len(items) != len(n.targets) {
		fail(n.line, "%d values for %d names", len(items), len(n.targets))
	}
	for i, target := range n.targets {
		target.assign(n.line, s, items[i])
	}
}

func (a assignee) assign(line int, s *scope, value any) {
	if a.attribute == "" {
		s.vars[a.name] = value
		return
	}
	held, _ := s.lookup(a.name)
	ns, ok := held.(*namespace)
	if !ok {
		fail(line, "%s is no namespace: its attribute %q cannot be set", a.name, a.attribute)
	}
	ns.vars[a.attribute] = value
}

func (n setBlockNode) run(e *evaluator, s *scope) {
	n.target.assign(0, s, e.applyAll(n.filters, e.capture(n.body, s.inner()), s))
}

func (n filterBlockNode) run(e *evaluator, s *scope) {
	e.write(0, e.text(0, e.applyAll(n.filters, e.capture(n.body, s.inner()), s)))
}

func (e *evaluator) applyAll(all []filterNode, value any, s *scope) any {
	for _, f := range all {
		value = e.apply(f, value, s)
	}
	return value
}

func (n macroNode) run(e *evaluator, s *scope) { s.vars[n.name] = n.function(s, nil) }

// function makes a macro callable. caller is what caller() gives inside it, or nil.
func (m macroBody) function(defined *scope, caller any) function {
	return func(e *evaluator, line int, a values) any {
		defer e.deeper(line)()
		s := defined.inner()
		rest := a.positional
		if len(rest) > len(m.parameters) {
			s.vars["varargs"] = &list{items: rest[len(m.parameters):], tuple: true}
		}
		for i, name := range m.parameters {
			if i < len(rest) {
				s.vars[name] = rest[i]
			} else if v, ok := a.named[name]; ok {
				s.vars[name] = v
			} else if value, ok := m.defaults[name]; ok {
				s.vars[name] = e.eval(value, s)
			} else {
				s.vars[name] = undefined{name}
			}
		}
		if given, ok := a.named["caller"]; ok {
			s.vars["caller"] = given
		}
		jump := e.jump
		e.jump = noJump
		text := e.capture(m.body, s)
		e.jump = jump
		return text
	}
}

func (n callNode) run(e *evaluator, s *scope) {
	a := n.call.arguments.values(e, s)
	a.named["caller"] = n.body.function(s, nil)
	e.write(n.call.line, e.text(n.call.line, e.call(n.call.line, e.eval(n.call.function, s), a)))
}

func (e *evaluator) call(line int, f any, a values) any {
	e.step(line)
	callable, ok := f.(function)
	if !ok {
		if u, missing := f.(undefined); missing {
			fail(line, "%q is undefined", u.name)
		}
		fail(line, "%s cannot be called", typeName(f))
	}
	return callable(e, line, a)
}

// items gives what a loop goes over.
func (e *evaluator) items(line int, v any) []any {
	switch v := v.(type) {
	case undefined:
		return nil
	case *list:
		return v.items
	case *dict:
		return v.keys
	case string:
		e.cost(line, len(v)>>4)
		e.fitsItems(line, utf8.RuneCountInString(v))
		var items []any
		for _, r := range v {
			items = append(items, string(r))
		}
		return items
	}
	fail(line, "%s cannot be gone over", typeName(v))
	return nil
}
