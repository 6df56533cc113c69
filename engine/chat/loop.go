package chat

func (n forNode) run(e *evaluator, s *scope) {
	items := e.items(n.line, e.eval(n.source, s))
	if n.filter != nil {
		var kept []any
		for _, item := range items {
			inner := s.inner()
			n.assign(e, inner, item)
			if truth(e.eval(n.filter, inner)) {
				kept = append(kept, item)
			}
		}
		items = kept
	}
	if len(items) == 0 {
		e.run(n.else_, s.inner())
		return
	}
	state := &loop{items: items}
	for i, item := range items {
		e.cost(n.line, 4)
		inner := s.inner()
		n.assign(e, inner, item)
		state.at = i
		inner.vars["loop"] = state
		e.run(n.body, inner)
		jump := e.jump
		e.jump = noJump
		if jump == breakJump {
			return
		}
	}
}

func (n forNode) assign(e *evaluator, s *scope, item any) {
	if len(n.targets) == 1 {
		s.vars[n.targets[0]] = item
		return
	}
	parts := e.items(n.line, item)
	if len(parts) != len(n.targets) {
		fail(n.line, "%d values for %d names", len(parts), len(n.targets))
	}
	for i, name := range n.targets {
		s.vars[name] = parts[i]
	}
}

// loop is what a loop's body sees under that name.
type loop struct {
	items []any
	at    int
	seen  any // the last arguments of changed()
}

func (l *loop) attribute(name string) any {
	n := len(l.items)
	switch name {
	case "index":
		return int64(l.at + 1)
	case "index0":
		return int64(l.at)
	case "revindex":
		return int64(n - l.at)
	case "revindex0":
		return int64(n - l.at - 1)
	case "first":
		return l.at == 0
	case "last":
		return l.at == n-1
	case "length":
		return int64(n)
	case "previtem":
		if l.at > 0 {
			return l.items[l.at-1]
		}
	case "nextitem":
		if l.at+1 < n {
			return l.items[l.at+1]
		}
	case "cycle":
		return function(l.cycle)
	case "changed":
		return function(l.changed)
	}
	return undefined{name}
}

func (l *loop) cycle(_ *evaluator, line int, a values) any {
	if len(a.positional) == 0 {
		fail(line, "cycle needs values")
	}
	return a.positional[l.at%len(a.positional)]
}

func (l *loop) changed(e *evaluator, _ int, a values) any {
	was := l.seen
	l.seen = &list{items: a.positional}
	return was == nil || !e.equal(was, l.seen)
}
