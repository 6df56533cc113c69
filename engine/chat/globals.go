package chat

// globals are the functions that every template may call.
var globals = map[string]function{
	"raise_exception": func(e *evaluator, line int, a values) any {
		panic(&Error{Line: line, Reason: e.text(line, a.at(0, "message", "")), Raised: true})
	},
	"strftime_now": func(e *evaluator, line int, a values) any {
		return strftime(e.now, textArgument(line, a, 0, "format"))
	},
	"range": rangeOf,
	"namespace": func(e *evaluator, line int, a values) any {
		ns := &namespace{vars: map[string]any{}}
		if d, ok := a.at(0, "", nil).(*dict); ok {
			e.merge(line, d, func(key string, v any) { ns.vars[key] = v })
		}
		for name, v := range a.named {
			ns.vars[name] = v
		}
		return ns
	},
	"dict": func(e *evaluator, line int, a values) any {
		d := newDict()
		if from, ok := a.at(0, "", nil).(*dict); ok {
			e.merge(line, from, func(key string, v any) { d.set(key, v) })
		}
		for _, name := range sortedKeys(a.named) {
			d.set(name, a.named[name])
		}
		return d
	},
}

func (e *evaluator) merge(line int, from *dict, set func(key string, v any)) {
	e.cost(line, len(from.keys))
	for _, key := range from.keys {
		if name, ok := key.(string); ok {
			set(name, from.at(key))
		}
	}
}

func rangeOf(e *evaluator, line int, a values) any {
	var n [3]int64
	for i, v := range a.positional {
		x, ok := integer(v)
		if !ok || i >= 3 {
			fail(line, "range needs up to three integers")
		}
		n[i] = x
	}
	start, stop, step := n[0], n[1], n[2]
	switch len(a.positional) {
	case 0:
		fail(line, "range needs up to three integers")
	case 1:
		start, stop, step = 0, n[0], 1
	case 2:
		step = 1
	}
	if step == 0 {
		fail(line, "the step of a range is 0")
	}
	l := &list{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		if len(l.items) == maxRange {
			fail(line, "a range has more than %d items", maxRange)
		}
		l.items = append(l.items, i)
		if next := i + step; (next > i) != (step > 0) {
			break
		}
	}
	e.cost(line, len(l.items))
	return l
}
