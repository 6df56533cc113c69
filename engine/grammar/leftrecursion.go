package grammar

// takeOutLeftRecursion rewrites rules that may begin with themselves. Whatever such a rule A derives begins with something
// that is not left recursive, after which rules of A's component end one inside the other until A itself does. The places in
// that climb are the states after a left corner, so A gets a copy of its component's states in which the end of a rule X is
// followed by what comes after X where another rule of the component begins with it.
func (b *builder) takeOutLeftRecursion() {
	component := b.leftComponents()
	members := map[int32][]int32{}
	for r, c := range component {
		if b.rules[r].start >= 0 {
			members[c] = append(members[c], int32(r))
		}
	}
	var recursive []int32 // in the order of rules, so that the outcome is the same each time
	recursiveOf := map[int32]bool{}
	for r := range b.rules {
		if b.rules[r].start < 0 || recursiveOf[component[r]] {
			continue
		}
		for _, c := range b.states[b.rules[r].start].calls {
			if component[c.rule] == component[r] {
				recursive = append(recursive, component[r])
				recursiveOf[component[r]] = true
				break
			}
		}
	}
	if len(recursive) == 0 {
		return
	}
	own := map[int32][]int32{} // the states of recursive components, by component
	for q := range b.states {
		if c := component[b.states[q].rule]; recursiveOf[c] {
			own[c] = append(own[c], int32(q))
		}
	}
	for _, c := range recursive {
		b.climb(members[c], own[c], component)
	}
}

func (b *builder) climb(members, states []int32, component []int32) {
	if len(members)*len(states) > b.limits.States/8 {
		fail(b.rules[members[0]].name, "too many rules begin with one another")
	}
	isStart := map[int32]bool{}
	type corner struct{ from, to int32 } // a rule begins with another, and goes on at to
	var corners []corner
	for _, x := range members {
		start := b.rules[x].start
		isStart[start] = true
		for _, c := range b.states[start].calls {
			if component[c.rule] != component[x] {
				continue
			}
			if c.tick || b.rules[c.rule].counted {
				fail(b.rules[x].name, "it begins with itself inside a repetition that is too long to be written out")
			}
			corners = append(corners, corner{c.rule, c.to})
		}
	}
	starts := make([]int32, len(members))
	for i, a := range members {
		b.name = b.rules[a].name
		at := map[int32]int32{}
		for _, q := range states {
			if !isStart[q] {
				at[q] = b.add(a)
			}
		}
		for _, q := range states {
			to, ok := at[q]
			if !ok {
				continue
			}
			from := b.states[q]
			s := &b.states[to]
			s.final = from.final && from.rule == a
			for _, f := range from.free {
				s.free = append(s.free, at[f])
			}
			s.edges, s.calls = moved(from, at)
			if from.final {
				for _, k := range corners {
					if k.from == from.rule {
						b.free(to, at[k.to])
					}
				}
			}
		}
		starts[i] = b.add(a)
		for _, x := range members {
			s := &b.states[starts[i]]
			edges, calls := moved(b.states[b.rules[x].start], at)
			s.edges = append(s.edges, edges...)
			for _, c := range calls {
				if component[c.rule] != component[x] {
					s.calls = append(s.calls, c)
				}
			}
		}
	}
	for i, a := range members {
		b.rules[a].start = starts[i]
	}
	b.name = ""
}

func moved(s state, at map[int32]int32) (edges []edge, calls []call) {
	for _, e := range s.edges {
		e.to = at[e.to]
		edges = append(edges, e)
	}
	for _, c := range s.calls {
		c.to = at[c.to]
		calls = append(calls, c)
	}
	return edges, calls
}

// leftComponents numbers the strongly connected components of "may begin with" (Tarjan 1972), without recursion.
func (b *builder) leftComponents() []int32 {
	n := len(b.rules)
	component := make([]int32, n)
	index, low := make([]int32, n), make([]int32, n)
	for r := range component {
		component[r] = -1
	}
	type frame struct{ rule, next int32 }
	var stack []int32
	var frames []frame
	counter, found := int32(0), int32(0)
	enter := func(r int32) {
		counter++
		index[r], low[r] = counter, counter
		stack = append(stack, r)
		frames = append(frames, frame{r, 0})
	}
	for r := range b.rules {
		if b.rules[r].start < 0 || index[r] != 0 {
			continue
		}
		enter(int32(r))
		for len(frames) > 0 {
			f := &frames[len(frames)-1]
			calls := b.states[b.rules[f.rule].start].calls
			if int(f.next) < len(calls) {
				to := calls[f.next].rule
				f.next++
				if index[to] == 0 {
					enter(to)
				} else if component[to] < 0 {
					low[f.rule] = min(low[f.rule], index[to])
				}
				continue
			}
			done := f.rule
			frames = frames[:len(frames)-1]
			if len(frames) > 0 {
				up := frames[len(frames)-1].rule
				low[up] = min(low[up], low[done])
			}
			if low[done] == index[done] {
				for {
					top := stack[len(stack)-1]
					stack = stack[:len(stack)-1]
					component[top] = found
					if top == done {
						break
					}
				}
				found++
			}
		}
	}
	return component
}
