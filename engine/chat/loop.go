package chat

// loop is what a loop's body sees as loop.
type loop struct {
	e      *evaluator
	line   int
	source any
	items  *iterator
	count  int64 // of all items; -1 until it is asked for

	index         int64 // of the current item, from 0
	before, after any
	hasAfter      bool
	current       any
	depth         int64
	changed       []any
	hasChanged    bool
	render        func(source any, depth int64) any // nil where the loop is not recursive
}

func (n forNode) run(e *evaluator, s *scope) {
	if !n.recursive {
		e.loop(n, s, e.eval(n.source, s), 0, nil)
		return
	}
	var render func(source any, depth int64) any
	render = func(source any, depth int64) any {
		return n.escape.safe(e, e.capture(func() { e.loop(n, s, source, depth, render) }))
	}
	e.loop(n, s, e.eval(n.source, s), 0, render)
}

// loop runs a loop's body for every item.
func (e *evaluator) loop(n forNode, s *scope, source any, depth int64, render func(any, int64) any) {
	items := e.iterator(n.line, source)
	if n.filter != nil {
		items = items.lazy(func(item any) (any, bool) {
			inner := s.inner()
			n.target.assign(e, n.line, inner, item)
			return item, truth(e.eval(n.filter, inner))
		})
		source = items
	}
	l := &loop{e: e, line: n.line, source: source, items: items, count: -1, index: -1, depth: depth, render: render}
	ran := false
	for l.next() {
		e.step(n.line)
		inner := s.inner()
		n.target.assign(e, n.line, inner, l.current)
		inner.vars["loop"] = l
		e.run(n.body, inner)
		jump := e.jump
		e.jump = noJump
		if jump == breakJump {
			break
		}
		ran = ran || jump == noJump
	}
	if !ran { // also where every turn was left early
		e.run(n.else_, s.inner())
	}
}

func (l *loop) next() bool {
	item, more := l.peek()
	if !more {
		return false
	}
	l.hasAfter = false
	l.index++
	l.before, l.current = l.current, item
	return true
}

// peek gives the item after the current one.
func (l *loop) peek() (any, bool) {
	if !l.hasAfter {
		l.after, l.hasAfter = l.items.next()
	}
	return l.after, l.hasAfter
}

// pairs goes on with the loop itself, as going over the variable loop does.
func (l *loop) pairs() (any, bool) {
	if !l.next() {
		return nil, false
	}
	return pair(l.current, l), true
}

// length counts all items, for which it takes those of a generator out.
func (l *loop) length() int64 {
	if l.count >= 0 {
		return l.count
	}
	if n, ok := length(l.source); ok {
		l.count = n
		return n
	}
	rest := l.e.items(l.line, l.items)
	l.items = l.e.iterator(l.line, &list{items: rest})
	l.count = int64(len(rest)) + l.index + 1
	if l.hasAfter {
		l.count++
	}
	return l.count
}

func (l *loop) recurse(line int, a values) any {
	if l.render == nil {
		fail(line, "the loop needs the word recursive to call itself")
	}
	v := loopCall.bind(line, "loop", a)
	return l.render(v[0], l.depth+1)
}

const loopCall = signature("iterable")

func (l *loop) attribute(name string) (any, bool) {
	switch name {
	case "index":
		return l.index + 1, true
	case "index0":
		return l.index, true
	case "revindex":
		return l.length() - l.index, true
	case "revindex0":
		return l.length() - l.index - 1, true
	case "first":
		return l.index == 0, true
	case "last":
		_, more := l.peek()
		return !more, true
	case "length":
		return l.length(), true
	case "depth":
		return l.depth + 1, true
	case "depth0":
		return l.depth, true
	case "previtem":
		if l.index == 0 {
			return undefined{"the item before the first"}, true
		}
		return l.before, true
	case "nextitem":
		if item, more := l.peek(); more {
			return item, true
		}
		return undefined{"the item after the last"}, true
	case "cycle":
		return &function{name, func(_ *evaluator, line int, a values) any {
			if len(a.positional) == 0 || len(a.names()) > 0 {
				fail(line, "cycle needs items, without names")
			}
			return a.positional[l.index%int64(len(a.positional))]
		}}, true
	case "changed":
		return &function{name, l.hasChangedTo}, true
	}
	return nil, false
}

func (l *loop) hasChangedTo(e *evaluator, line int, a values) any {
	if len(a.names()) > 0 {
		fail(line, "changed takes no names")
	}
	if l.hasChanged && e.equal(line, &list{items: l.changed, tuple: true}, &list{items: a.positional, tuple: true}) {
		return false
	}
	l.changed, l.hasChanged = a.positional, true
	return true
}
