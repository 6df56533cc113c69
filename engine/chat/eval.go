package chat

func (n literal) eval(*evaluator, *scope) any { return n.value }

func (n nameNode) eval(_ *evaluator, s *scope) any {
	if v, ok := s.lookup(n.name); ok {
		return v
	}
	if f, ok := globals[n.name]; ok {
		return f
	}
	return undefined{n.name}
}

func (n listNode) eval(e *evaluator, s *scope) any {
	l := &list{tuple: n.tuple}
	for _, item := range n.items {
		l.items = append(l.items, e.eval(item, s))
	}
	return l
}

func (n dictNode) eval(e *evaluator, s *scope) any {
	d := newDict()
	for i, key := range n.keys {
		k := e.eval(key, s)
		e.put(n.line, d, k, e.eval(n.values[i], s))
	}
	return d
}

func (n choiceNode) eval(e *evaluator, s *scope) any {
	if truth(e.eval(n.condition, s)) {
		return e.eval(n.then, s)
	}
	if n.else_ == nil {
		return undefined{"the value of an if without else"}
	}
	return e.eval(n.else_, s)
}

func (n unaryNode) eval(e *evaluator, s *scope) any {
	v := e.eval(n.value, s)
	if n.operator == "not" {
		return !truth(v)
	}
	if x, ok := v.(float64); ok {
		if n.operator == "-" {
			return -x
		}
		return x
	}
	i, ok := large(v)
	if !ok {
		fail(n.line, "%s has no sign", describe(v))
	}
	if n.operator == "-" {
		return e.integers(n.line, "-", int64(0), v, zero, i)
	}
	return small(i)
}

// describe names a value in an error: by its name where it is undefined.
func describe(v any) string {
	if u, ok := v.(undefined); ok {
		return "the undefined " + u.name
	}
	return typeName(v)
}

func (n binaryNode) eval(e *evaluator, s *scope) any {
	left := e.eval(n.left, s)
	switch n.operator {
	case "and":
		if !truth(left) {
			return left
		}
		return e.eval(n.right, s)
	case "or":
		if truth(left) {
			return left
		}
		return e.eval(n.right, s)
	}
	return e.arithmetic(n.line, n.operator, left, e.eval(n.right, s))
}

// Joining makes text of everything. Where output is escaped, it keeps to what is safe.
func (n joinNode) eval(e *evaluator, s *scope) any {
	parts := make([]any, len(n.parts))
	safe := false
	for i, part := range n.parts {
		parts[i] = e.eval(part, s)
		_, isSafe := parts[i].(markup)
		safe = safe || isSafe
	}
	safe = safe && n.escape.holds(e)
	out := ""
	for _, part := range parts {
		text := e.text(n.line, part)
		if _, isSafe := part.(markup); safe && !isSafe {
			text = e.escape(n.line, text)
		}
		out = e.join(n.line, out, text)
	}
	if safe {
		return markup(out)
	}
	return out
}

func (a arguments) values(e *evaluator, s *scope) values {
	v := values{named: newDict()}
	for _, x := range a.positional {
		v.positional = append(v.positional, e.eval(x, s))
	}
	for i, name := range a.names {
		if _, twice := v.named.get(name); twice {
			fail(0, "the argument %s is given twice", name)
		}
		v.named.set(name, e.eval(a.named[i], s))
	}
	if a.spread != nil {
		v.positional = append(v.positional, e.items(0, e.eval(a.spread, s))...)
	}
	if a.spreadNamed != nil {
		more, ok := e.eval(a.spreadNamed, s).(*dict)
		if !ok {
			fail(0, "what follows ** must be a dict")
		}
		for _, key := range more.keys {
			name, ok := textOf(key)
			if _, twice := v.named.get(key); !ok || twice {
				fail(0, "%s cannot be an argument's name, or is given twice", e.text(0, key))
			}
			v.named.set(name, more.at(key))
		}
	}
	return v
}

func (n *callExpression) eval(e *evaluator, s *scope) any {
	f := e.eval(n.function, s)
	return e.call(n.line, f, n.arguments.values(e, s))
}

func (n filterNode) eval(e *evaluator, s *scope) any { return e.apply(n, e.eval(n.value, s), s) }

func (e *evaluator) apply(n filterNode, value any, s *scope) any {
	return e.filter(n.line, n.name, value, n.arguments.values(e, s))
}

func (n testNode) eval(e *evaluator, s *scope) any {
	v := e.eval(n.value, s)
	return e.test(n.line, n.name, v, n.arguments.values(e, s)) != n.negate
}
