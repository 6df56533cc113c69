package grammar

// finish takes out whatever leads nowhere, and puts the states of each rule side by side.
func (b *builder) finish() *Grammar {
	for {
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
	before := make([][]int32, len(b.states))    // by state: those that go there at once
	behind := make([][]callSite, len(b.states)) // by state: calls that go on there
	sites := make([][]callSite, len(b.rules))   // by rule: calls of it
	starts := make([][]int32, len(b.states))    // by state: rules that start there
	var todo []int32
	mark := func(q int32) {
		if !live[q] {
			live[q] = true
			todo = append(todo, q)
		}
	}
	for q := range b.states {
		s := &b.states[q]
		for _, f := range s.free {
			before[f] = append(before[f], int32(q))
		}
		for _, e := range s.edges {
			if n := len(before[e.to]); n == 0 || before[e.to][n-1] != int32(q) {
				before[e.to] = append(before[e.to], int32(q))
			}
		}
		for _, c := range s.calls {
			at := callSite{int32(q), c.to, c.rule}
			behind[c.to] = append(behind[c.to], at)
			sites[c.rule] = append(sites[c.rule], at)
		}
	}
	for r := range b.rules {
		if s := b.rules[r].start; s >= 0 {
			starts[s] = append(starts[s], int32(r))
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
		for _, p := range before[q] {
			mark(p)
		}
		for _, c := range behind[q] {
			if rules[c.rule] {
				mark(c.from)
			}
		}
		for _, r := range starts[q] {
			rules[r] = true
			for _, c := range sites[r] {
				if live[c.to] {
					mark(c.from)
				}
			}
		}
	}
	return live, rules
}

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
