package grammar

// finish takes out whatever leads nowhere, and puts the states of each rule side by side.
func (b *builder) finish() *Grammar {
	for {
		b.limits.spend(4*len(b.states), "")
		live, rules := b.live()
		root := &b.rules[b.start]
		if !rules[b.start] && !root.null {
			b.blame(live, rules)
		}
		b.prune(live, rules)
		b.compact()
		if !b.count() {
			break
		}
	}
	g := &Grammar{states: b.states, rules: b.rules, start: b.start, empty: b.rules[b.start].null}
	b.tails()
	b.order()
	g.classify()
	return g
}

// live finds the states from which a rule can end, and the rules that can.
func (b *builder) live() (live, rules []bool) {
	live, rules = make([]bool, len(b.states)), make([]bool, len(b.rules))
	var before lists                       // by state: those that go there at once
	var behind, sites lists                // calls, by the state that goes on behind them, and by rule
	starts := make([]int32, len(b.states)) // by state: a rule that starts there, plus one
	var calls []callSite
	for q := range b.states {
		for _, c := range b.states[q].calls {
			calls = append(calls, callSite{int32(q), c.to, c.rule})
		}
	}
	before.fill(len(b.states), func(add func(at, value int32)) {
		for q := range b.states {
			s := &b.states[q]
			for _, f := range s.free {
				add(f, int32(q))
			}
			for i, e := range s.edges {
				if i == 0 || s.edges[i-1].to != e.to {
					add(e.to, int32(q))
				}
			}
		}
	})
	behind.fill(len(b.states), func(add func(at, value int32)) {
		for i, c := range calls {
			add(c.to, int32(i))
		}
	})
	sites.fill(len(b.rules), func(add func(at, value int32)) {
		for i, c := range calls {
			add(c.rule, int32(i))
		}
	})
	for r := range b.rules {
		if s := b.rules[r].start; s >= 0 {
			starts[s] = int32(r) + 1
		}
	}
	var todo []int32
	mark := func(q int32) {
		if !live[q] {
			live[q] = true
			todo = append(todo, q)
		}
	}
	for q := range b.states {
		if b.states[q].final {
			mark(int32(q))
		}
	}
	for len(todo) > 0 {
		q := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, p := range before.of(q) {
			mark(p)
		}
		for _, i := range behind.of(q) {
			if rules[calls[i].rule] {
				mark(calls[i].from)
			}
		}
		if r := starts[q] - 1; r >= 0 {
			rules[r] = true
			for _, i := range sites.of(r) {
				if live[calls[i].to] {
					mark(calls[i].from)
				}
			}
		}
	}
	return live, rules
}

// lists are lists of numbers, by number, in one piece.
type lists struct{ end, values []int32 }

// fill makes n lists of what each adds, which it is asked for twice.
func (l *lists) fill(n int, each func(add func(at, value int32))) {
	l.end = make([]int32, n+1)
	each(func(at, _ int32) { l.end[at+1]++ })
	for i := range n {
		l.end[i+1] += l.end[i]
	}
	l.values = make([]int32, l.end[n])
	next := append([]int32(nil), l.end...)
	each(func(at, value int32) {
		l.values[next[at]] = value
		next[at]++
	})
}

func (l *lists) of(i int32) []int32 { return l.values[l.end[i]:l.end[i+1]] }

// callSite is where a rule is called.
type callSite struct{ from, to, rule int32 }

// blame fails with the rule for which there is no text, if possible one that waits for no other.
func (b *builder) blame(live, rules []bool) {
	name, cause := "", ""
	waits := make([]bool, len(b.rules))
	seen := make([]bool, len(b.rules))
	var order []int32
	byRule := make([][]int32, len(b.rules))
	for q := range b.states {
		byRule[b.states[q].rule] = append(byRule[b.states[q].rule], int32(q))
	}
	todo := []int32{b.start}
	for len(todo) > 0 {
		r := todo[0]
		todo = todo[1:]
		if seen[r] || rules[r] {
			continue
		}
		seen[r] = true
		order = append(order, r)
		for _, q := range byRule[r] {
			for _, c := range b.states[q].calls {
				if !rules[c.rule] {
					waits[r] = true
					todo = append(todo, c.rule)
				}
			}
		}
	}
	for _, r := range order {
		if !waits[r] {
			name, cause = b.rules[r].name, "nothing can satisfy it"
			break
		}
	}
	if cause == "" {
		name, cause = b.rules[b.start].name, "it never ends: whatever satisfies it holds itself again"
	}
	fail(name, "%s", cause)
}

func (b *builder) prune(live, rules []bool) {
	for q := range b.states {
		s := &b.states[q]
		if !live[q] {
			*s = state{rule: s.rule}
			continue
		}
		free, edges, calls := s.free[:0], s.edges[:0], s.calls[:0]
		for _, f := range s.free {
			if live[f] {
				free = append(free, f)
			}
		}
		for _, e := range s.edges {
			if live[e.to] {
				edges = append(edges, e)
			}
		}
		for _, c := range s.calls {
			if live[c.to] && rules[c.rule] {
				calls = append(calls, c)
			}
		}
		s.free, s.edges, s.calls = free, edges, calls
	}
}

// compact keeps what can be reached, rule by rule.
func (b *builder) compact() {
	number := make([]int32, len(b.rules))
	for r := range number {
		number[r] = -1
	}
	at := make([]int32, len(b.states))
	for q := range at {
		at[q] = -1
	}
	var rules []rule
	var old []int32 // the number that a rule had
	take := func(r int32) {
		if number[r] < 0 {
			number[r] = int32(len(rules))
			rules = append(rules, b.rules[r])
			old = append(old, r)
		}
	}
	take(b.start)
	var order, stack []int32
	for i := 0; i < len(rules); i++ {
		rules[i].first = int32(len(order))
		visit := func(q int32) {
			if at[q] < 0 {
				at[q] = int32(len(order))
				order = append(order, q)
				stack = append(stack, q)
			}
		}
		visit(rules[i].start)
		for len(stack) > 0 {
			q := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			s := &b.states[q]
			for _, f := range s.free {
				visit(f)
			}
			for _, e := range s.edges {
				visit(e.to)
			}
			for _, c := range s.calls {
				visit(c.to)
				take(c.rule)
			}
		}
		rules[i].last = int32(len(order))
	}
	states := make([]state, len(order))
	for i, q := range order {
		s := b.states[q]
		s.rule = number[s.rule]
		for j := range s.free {
			s.free[j] = at[s.free[j]]
		}
		for j := range s.edges {
			s.edges[j].to = at[s.edges[j].to]
		}
		for j := range s.calls {
			s.calls[j].to, s.calls[j].rule = at[s.calls[j].to], number[s.calls[j].rule]
		}
		states[i] = s
	}
	for i := range rules {
		rules[i].start = at[rules[i].start]
		rules[i].counted = false
	}
	b.states, b.rules, b.start = states, rules, 0
	for q := range states {
		for _, c := range states[q].calls {
			if c.min > 0 || c.max < unbounded {
				rules[c.rule].counted = true
			}
		}
	}
}
