package grammar

// takeOutEmpty makes every rule's text take a byte at least: a call of what may be empty may be left out instead. So a chain
// of calls without a byte can come to the same rule only by left recursion.
func (b *builder) takeOutEmpty() {
	type site struct { // of a call
		q    int32
		call int
		done bool // it may be left out
	}
	sites := make([][]site, len(b.rules)) // by rule that is called
	for q := range b.states {
		for i, c := range b.states[q].calls {
			sites[c.rule] = append(sites[c.rule], site{q: int32(q), call: i})
		}
	}
	var todo []int32                    // rules that may be empty
	near := make([]bool, len(b.states)) // by state: its rule comes there without a byte
	arrive := func(q int32) {
		if near[q] {
			return
		}
		near[q] = true
		for stack := []int32{q}; len(stack) > 0; {
			s := &b.states[stack[len(stack)-1]]
			stack = stack[:len(stack)-1]
			if s.final && !b.rules[s.rule].null {
				b.rules[s.rule].null = true
				todo = append(todo, s.rule)
			}
			for _, f := range s.free {
				if !near[f] {
					near[f] = true
					stack = append(stack, f)
				}
			}
		}
	}
	for r := range b.rules {
		if s := b.rules[r].start; s >= 0 {
			arrive(s)
		}
	}
	for len(todo) > 0 {
		r := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		b.limits.spend(2*len(sites[r]), b.rules[r].name)
		for i := range sites[r] {
			at := &sites[r][i]
			c := &b.states[at.q].calls[at.call]
			owner := b.states[at.q].rule
			if at.done || c.min > 0 && !b.rules[r].items {
				continue
			}
			at.done = true
			c.min = 0
			b.free(at.q, c.to)
			if c.tick && !b.rules[owner].items {
				b.rules[owner].items = true // calls of it may be empty now whatever they count
				if b.rules[owner].null {
					todo = append(todo, owner)
				}
			}
			if near[at.q] {
				arrive(c.to)
			}
		}
	}
	for r := range b.rules {
		if b.rules[r].start >= 0 {
			b.withoutEmpty(int32(r))
		}
	}
}

// withoutEmpty gives a rule a start that is no end and that nothing leads back to, unless it has one.
func (b *builder) withoutEmpty(r int32) {
	from := b.closure([]int32{b.rules[r].start})
	edges, calls := 0, 0
	for _, q := range from {
		edges += len(b.states[q].edges)
		calls += len(b.states[q].calls)
	}
	if !b.rules[r].null && calls == 0 {
		return
	}
	b.limits.spend(edges+calls+8, b.rules[r].name)
	start := b.add(r)
	b.rules[r].start = start
	s := &b.states[start]
	s.edges, s.calls = make([]edge, 0, edges), make([]call, 0, calls)
	for _, q := range from {
		s.edges = append(s.edges, b.states[q].edges...)
		s.calls = append(s.calls, b.states[q].calls...)
	}
}
