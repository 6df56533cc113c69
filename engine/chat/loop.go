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
	loop := newDict()
	var changed any = undefined{}
	loop.set("changed", function(func(e *evaluator, line int, a values) any {
		now := &list{items: a.positional}
		was := changed
		changed = now
		return !e.equal(was, now)
	}))
	for i, item := range items {
		e.step(n.line)
		inner := s.inner()
		n.assign(e, inner, item)
		setLoop(loop, items, i)
		inner.vars["loop"] = loop
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

func setLoop(loop *dict, items []any, i int) {
	loop.set("index", int64(i+1))
	loop.set("index0", int64(i))
	loop.set("revindex", int64(len(items)-i))
	loop.set("revindex0", int64(len(items)-i-1))
	loop.set("first", i == 0)
	loop.set("last", i == len(items)-1)
	loop.set("length", int64(len(items)))
	loop.set("previtem", undefined{"previtem"})
	if i > 0 {
		loop.set("previtem", items[i-1])
	}
	loop.set("nextitem", undefined{"nextitem"})
	if i+1 < len(items) {
		loop.set("nextitem", items[i+1])
	}
	loop.set("cycle", function(func(e *evaluator, line int, a values) any {
		if len(a.positional) == 0 {
			fail(line, "cycle needs values")
		}
		return a.positional[i%len(a.positional)]
	}))
}
