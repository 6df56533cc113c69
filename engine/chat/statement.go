package chat

import "strings"

func (n textNode) run(e *evaluator, _ *scope) { e.write(0, n.text) }

func (n outputNode) run(e *evaluator, s *scope) {
	v := e.eval(n.value, s)
	text := e.text(n.line, v)
	if n.escape.holds(e) {
		if _, safe := v.(markup); !safe {
			text = e.escape(n.line, text)
		}
	}
	e.write(n.line, text)
}

func (n printNode) run(e *evaluator, s *scope) {
	for _, v := range n.values {
		v.run(e, s)
	}
}

func (n ifNode) run(e *evaluator, s *scope) {
	if truth(e.eval(n.condition, s)) {
		e.run(n.then, s)
	} else {
		e.run(n.else_, s)
	}
}

func (breakNode) run(e *evaluator, _ *scope)    { e.jump = breakJump }
func (continueNode) run(e *evaluator, _ *scope) { e.jump = continueJump }

// A block's variables are the template's, not those of what it stands in.
func (n blockNode) run(e *evaluator, s *scope) {
	if !n.scoped {
		for s.parent != nil && s.parent.parent != nil {
			s = s.parent
		}
	}
	e.run(n.body, s.inner())
}

// A generation's text is a call of a function, as the extension of Hugging Face makes it.
func (n generationNode) run(e *evaluator, s *scope) {
	text := (&macro{macroBody: n.macroBody, defined: s}).call(e, n.line, values{})
	e.write(n.line, wantText(n.line, text, "a generation"))
}

func (n loadNode) run(*evaluator, *scope) {
	fail(n.line, "%s loads another template, and there is none", n.keyword)
}

func (n escapeNode) run(e *evaluator, s *scope) {
	outer := e.autoescape
	e.autoescape = truth(e.eval(n.on, s))
	e.run(n.body, s.inner())
	e.autoescape = outer
}

// The values of with see what is outside of it.
func (n withNode) run(e *evaluator, s *scope) {
	inner := s.inner()
	for i, target := range n.targets {
		target.assign(e, n.line, inner, e.eval(n.values[i], s))
	}
	e.run(n.body, inner)
}

func (n setNode) run(e *evaluator, s *scope) { n.target.assign(e, n.line, s, e.eval(n.value, s)) }

func (n setBlockNode) run(e *evaluator, s *scope) {
	text, done := e.block(n.body, s)
	if !done {
		return
	}
	v := any(text)
	if len(n.filters) > 0 {
		v = e.applyAll(n.filters, n.escape.safe(e, text), s)
	}
	if e.autoescape {
		v = markup(e.text(n.line, v))
	}
	n.target.assign(e, n.line, s, v)
}

func (n filterBlockNode) run(e *evaluator, s *scope) {
	text, done := e.block(n.body, s)
	if !done {
		return
	}
	e.write(n.line, wantText(n.line, e.applyAll(n.filters, n.escape.safe(e, text), s), "what the filter gives"))
}

func (e *evaluator) applyAll(all []filterNode, value any, s *scope) any {
	for _, f := range all {
		value = e.apply(f, value, s)
	}
	return value
}

func (n macroNode) run(e *evaluator, s *scope) {
	s.vars[n.name] = &macro{macroBody: n.macroBody, defined: s}
}

func (n callNode) run(e *evaluator, s *scope) {
	f := e.eval(n.call.function, s)
	a := n.call.arguments.values(e, s)
	if _, twice := a.named.get("caller"); twice {
		fail(n.line, "caller is given twice")
	}
	a.named.set("caller", &macro{macroBody: n.body, defined: s})
	e.write(n.line, wantText(n.line, e.call(n.line, f, a), "what the macro gives"))
}

// escaping says whether output at a place of the template is escaped: where autoescape is neither on nor off by its text, it is
// decided when the template runs.
type escaping uint8

const (
	plain escaping = iota
	escaped
	undecided
)

func (m escaping) holds(e *evaluator) bool { return m == escaped || m == undecided && e.autoescape }

func (m escaping) safe(e *evaluator, text string) any {
	if m.holds(e) {
		return markup(text)
	}
	return text
}

// assign sets a name, the names of a tuple, or an attribute of a namespace.
func (t target) assign(e *evaluator, line int, s *scope, value any) {
	switch {
	case t.tuple:
		items := e.items(line, value)
		if len(items) != len(t.parts) {
			fail(line, "%d values for %d names", len(items), len(t.parts))
		}
		for i, part := range t.parts {
			part.assign(e, line, s, items[i])
		}
	case t.attribute == "":
		s.vars[t.name] = value
	default:
		held, _ := s.lookup(t.name)
		ns, ok := held.(*namespace)
		if !ok {
			fail(line, "%s is no namespace: its attribute %q cannot be set", t.name, t.attribute)
		}
		ns.set(line, t.attribute, value)
	}
}

func (ns *namespace) set(line int, name string, value any) {
	if strings.HasPrefix(name, "_") {
		fail(line, "a namespace holds no name with an underscore in front: %s", name)
	}
	ns.vars.set(name, value)
}
