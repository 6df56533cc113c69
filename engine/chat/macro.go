package chat

// macro is a macro, or what a call block gives as caller.
type macro struct {
	macroBody
	defined *scope
}

// call runs a macro. Its arguments go to its parameters by place, then by name; what is left over goes to varargs and kwargs, if the
// macro's text has these.
func (m *macro) call(e *evaluator, line int, a values) any {
	s := m.defined.inner()
	named := newDict()
	for _, name := range a.names() {
		named.set(name, a.named.at(name))
	}
	take := func(name string) (any, bool) {
		v, ok := named.get(name)
		if ok {
			delete(named.values, name)
			for i, key := range named.keys {
				if key == name {
					named.keys = append(named.keys[:i], named.keys[i+1:]...)
					break
				}
			}
		}
		return v, ok
	}
	callerTaken := false
	for i, p := range m.parameters {
		v, ok := any(nil), false
		if i < len(a.positional) {
			v, ok = a.positional[i], true
		} else {
			v, ok = take(p.name)
		}
		callerTaken = callerTaken || p.name == "caller"
		switch {
		case ok:
			s.vars[p.name] = v
		case p.absent != nil:
			s.vars[p.name] = e.eval(p.absent, s)
		default:
			s.vars[p.name] = undefined{p.name}
		}
	}
	if m.uses.caller && !callerTaken {
		caller, ok := take("caller")
		if !ok || caller == nil {
			caller = undefined{"caller"}
		}
		s.vars["caller"] = caller
	}
	if m.uses.kwargs {
		s.vars["kwargs"] = named
	} else if len(named.keys) > 0 {
		fail(line, "the macro %s takes no argument %s", m.name, named.keys[0])
	}
	rest := a.positional[min(len(a.positional), len(m.parameters)):]
	if m.uses.varargs {
		s.vars["varargs"] = &list{items: rest, tuple: true}
	} else if len(rest) > 0 {
		fail(line, "the macro %s takes %d arguments at most", m.name, len(m.parameters))
	}
	jump := e.jump
	e.jump = noJump
	text := e.capture(func() { e.run(m.body, s) })
	e.jump = jump
	return e.safe(text)
}

func (m *macro) attribute(name string) (any, bool) {
	switch name {
	case "name":
		return m.name, true
	case "arguments":
		l := &list{tuple: true}
		for _, p := range m.parameters {
			l.items = append(l.items, p.name)
		}
		return l, true
	case "catch_kwargs":
		return m.uses.kwargs, true
	case "catch_varargs":
		return m.uses.varargs, true
	case "caller":
		return m.uses.caller, true
	}
	return nil, false
}
