package grammar

// takeOutEmpty makes every rule's text take a byte at least: a call of what may be empty may be left out instead. So a chain
// of calls without a byte can come to the same rule only by left recursion.
func (b *builder) takeOutEmpty() {
	sites := make([][]int32, len(b.rules)) // the states that call a rule
	for q := range b.states {
		for _, c := range b.states[q].calls {
			sites[c.rule] = append(sites[c.rule], int32(q))
		}
	}
	var todo []int32
	for r := range b.rules {
		if b.rules[r].start >= 0 && b.mayBeEmpty(int32(r)) {
			todo = append(todo, int32(r))
		}
	}
	for len(todo) > 0 {
		r := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, q := range sites[r] {
			for i := range b.states[q].calls {
				c := &b.states[q].calls[i]
				owner := b.states[q].rule
				if c.rule != r || c.min > 0 && !b.rules[r].items {
					continue
				}
				c.min = 0
				b.free(q, c.to)
				if c.tick && !b.rules[owner].items {
					b.rules[owner].items = true // calls of it may be empty now whatever they count
					if b.rules[owner].null {
						todo = append(todo, owner)
					}
				}
				if !b.rules[owner].null && b.mayBeEmpty(owner) {
					todo = append(todo, owner)
				}
			}
		}
	}
	for r := range b.rules {
		if b.rules[r].start >= 0 {
			b.withoutEmpty(int32(r))
		}
	}
}

func (b *builder) mayBeEmpty(r int32) bool {
	b.reach(b.rules[r].start, map[int32]bool{}, func(q int32) {
		if b.states[q].final {
			b.rules[r].null = true
		}
	})
	return b.rules[r].null
}

// withoutEmpty gives a rule a start that is no end and that nothing leads back to, unless it has one.
func (b *builder) withoutEmpty(r int32) {
	var from []int32
	calls := false
	b.reach(b.rules[r].start, map[int32]bool{}, func(q int32) {
		from = append(from, q)
		calls = calls || len(b.states[q].calls) > 0
	})
	if !b.rules[r].null && !calls {
		return
	}
	start := b.add(r)
	b.rules[r].start = start
	for _, q := range from {
		s, old := &b.states[start], &b.states[q]
		s.edges = append(s.edges, old.edges...)
		s.calls = append(s.calls, old.calls...)
	}
}
