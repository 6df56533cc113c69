package grammar

// flat makes an automaton of a regular expression by itself: state 0 is its start. search lets text come before and behind
// what it matches. Repetitions are written out.
//
// Places (^ and $) become states by themselves: each state is taken twice for whether a character came before, and twice
// for whether the end has been asked for, after which none may come.
func flat(e *expr, search bool, where string, limits *budget) *nfa {
	plain := &nfa{limits: limits, name: where}
	plain.states = make([]state, 0, min(e.size()+16, 1000))
	start := plain.add(0)
	any := runeSet{{0, lastRune}}
	from := start
	if search {
		from = plain.add(0)
		plain.free(start, from)
		plain.runesTo(from, from, any, false)
	}
	out := plain.flat(e, from)
	if search {
		loop := plain.add(0)
		plain.free(out, loop)
		plain.runesTo(loop, loop, any, false)
		plain.states[loop].final = true
	}
	plain.states[out].final = true
	for q := range plain.states {
		if len(plain.states[q].calls) > 0 {
			return plain.places()
		}
	}
	return plain
}

// The rules that stand for places until places takes them out.
const (
	atBegin int32 = -1
	atEnd   int32 = -2
)

func (n *nfa) flat(e *expr, from int32) int32 {
	switch e.op {
	case opLiteral:
		for i := range len(e.text) {
			to := n.add(0)
			n.byte(from, e.text[i], e.text[i], to, false)
			from = to
		}
	case opClass:
		return n.runes(from, e.set, false)
	case opBegin, opEnd:
		to := n.add(0)
		rule := atBegin
		if e.op == opEnd {
			rule = atEnd
		}
		n.states[from].calls = append(n.states[from].calls, call{rule: rule, to: to})
		return to
	case opSequence:
		for _, item := range e.list {
			from = n.flat(item, from)
		}
	case opChoice:
		out := n.add(0)
		for _, item := range e.list {
			n.free(n.flat(item, from), out)
		}
		return out
	case opRepeat:
		for range e.min {
			from = n.flat(e.list[0], from)
		}
		out := n.add(0)
		if e.max == unbounded {
			loop := n.add(0)
			n.free(from, loop)
			n.free(n.flat(e.list[0], loop), loop)
			n.free(loop, out)
			return out
		}
		n.free(from, out)
		for range e.max - e.min {
			from = n.flat(e.list[0], from)
			n.free(from, out)
		}
		return out
	}
	return from
}

func (n *nfa) places() *nfa {
	const begun, ending = 1, 2
	out := &nfa{limits: n.limits, name: n.name}
	at := make([]int32, 4*len(n.states)) // by state and flags: its place in list, plus one
	var list [][2]int32
	visit := func(q, flags int32) int32 {
		to := &at[4*q+flags]
		if *to == 0 {
			list = append(list, [2]int32{q, flags})
			*to = out.add(0) + 1
		}
		return *to - 1
	}
	visit(0, 0)
	for i := 0; i < len(list); i++ {
		q, flags := list[i][0], list[i][1]
		s := &n.states[q]
		out.states[i].final = s.final
		for _, f := range s.free {
			out.free(int32(i), visit(f, flags))
		}
		if flags&ending == 0 {
			for _, e := range s.edges {
				to := visit(e.to, begun)
				out.byte(int32(i), e.lo, e.hi, to, false)
			}
		}
		for _, c := range s.calls {
			switch {
			case c.rule == atEnd:
				out.free(int32(i), visit(c.to, flags|ending))
			case flags&begun == 0:
				out.free(int32(i), visit(c.to, flags))
			}
		}
	}
	return out
}

// unanchored takes ^ from the start and $ from the end, which say nothing of a text that must match as a whole.
func unanchored(e *expr, anchors int) (*expr, int) {
	switch {
	case e.op == opBegin || e.op == opEnd:
		return nothing, anchors - 1
	case e.op == opSequence && len(e.list) > 0:
		list := e.list
		if list[0].op == opBegin {
			list, anchors = list[1:], anchors-1
		}
		if n := len(list); n > 0 && list[n-1].op == opEnd {
			list, anchors = list[:n-1], anchors-1
		}
		return sequence(list...), anchors
	}
	return e, anchors
}

// compileRegex compiles a regular expression that a text must match as a whole.
func compileRegex(source string, limits *budget) *Grammar {
	return build(Regex, []definition{{body: regexExpr(source, limits)}}, 0, limits)
}

func regexExpr(source string, limits *budget) *expr {
	e, anchors := parseRegex(source, unicodeDialect, "", limits)
	e, anchors = unanchored(e, anchors)
	if anchors > 0 {
		e = &expr{op: opText, fragment: flat(e, false, "", limits), max: unbounded}
	}
	return e
}
