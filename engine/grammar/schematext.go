package grammar

// freeText is any text as JSON spells it, behind its first quote: all escapes, pairs of surrogates only in pairs.
func freeText(limit int) *nfa {
	n := &nfa{limit: limit}
	body, end := n.add(0), n.add(0)
	n.runesTo(body, body, newSet(span{0, 0x1F}, spanOf('"'), spanOf('\\')).not(), true)
	n.byte(body, '"', '"', end, false)
	n.states[end].final = true
	back := n.add(0)
	n.byte(body, '\\', '\\', back, true)
	for _, c := range []byte(`"\/bfnrt`) {
		n.byte(back, c, c, body, false)
	}
	hex := func(from, to int32, ranges ...[2]byte) {
		for _, r := range ranges {
			n.byte(from, r[0], r[1], to, false)
		}
	}
	all := [][2]byte{{'0', '9'}, {'a', 'f'}, {'A', 'F'}}
	u, last, middle, second := n.add(0), n.add(0), n.add(0), n.add(0)
	n.byte(back, 'u', 'u', u, false)
	hex(last, body, all...)
	hex(middle, last, all...)
	hex(second, middle, all...)
	hex(u, second, [2]byte{'0', '9'}, [2]byte{'a', 'c'}, [2]byte{'A', 'C'}, [2]byte{'e', 'f'}, [2]byte{'E', 'F'})
	d := n.add(0)
	n.byte(u, 'd', 'd', d, false)
	n.byte(u, 'D', 'D', d, false)
	hex(d, middle, [2]byte{'0', '7'})
	at := d
	next := func(ranges ...[2]byte) {
		to := n.add(0)
		hex(at, to, ranges...)
		at = to
	}
	next([2]byte{'8', '9'}, [2]byte{'a', 'b'}, [2]byte{'A', 'B'})
	next(all...)
	next(all...)
	next([2]byte{'\\', '\\'})
	next([2]byte{'u', 'u'})
	next([2]byte{'d', 'd'}, [2]byte{'D', 'D'})
	next([2]byte{'c', 'f'}, [2]byte{'C', 'F'})
	hex(at, last, all...)
	return n
}

// textOf gives the automaton of texts that satisfy all demands, as the style spells them behind the first quote, or nil if
// there are none.
func (c *schemaCompiler) textOf(demands []textDemand) *nfa {
	if len(demands) == 0 {
		return c.free
	}
	if c.style.quote != "" {
		return c.rawText(demands, c.style.apart)
	}
	if c.style.apart != nil {
		demands = append(demands[:len(demands):len(demands)], textDemand{"#", c.style.apart, true})
	}
	n := c.plainText(demands)
	if n == nil {
		return nil
	}
	if known := c.spelled[n]; known != nil {
		return known
	}
	out := spell(n, c.limits.States)
	c.spelled[n] = out
	return out
}

// anyText is any text as the style spells it behind the first quote.
func (c *schemaCompiler) anyText() *nfa {
	switch {
	case c.style.apart == nil:
		return freeText(c.limits.States)
	case c.style.quote == "":
		return c.textOf([]textDemand{{"#", c.style.apart, true}})
	}
	return c.rawText(nil, c.style.apart)
}

// rawText gives the automaton of texts that satisfy all demands and none of what they must not, without escapes, or nil.
func (c *schemaCompiler) rawText(demands []textDemand, not ...*nfa) *nfa {
	demands = demands[:len(demands):len(demands)]
	for _, n := range not {
		demands = append(demands, textDemand{"#", n, true})
	}
	n := c.plainText(demands)
	if n == nil {
		return nil
	}
	if known := c.spelled[n]; known != nil {
		return known
	}
	out := n.ticking()
	c.spelled[n] = out
	return out
}

// ticking makes, of an automaton of texts, one that counts their characters.
func (n *nfa) ticking() *nfa {
	out := &nfa{limit: n.limit, name: n.name}
	for q := range n.states {
		out.add(0)
		out.states[q].final = n.states[q].final
		out.states[q].free = append([]int32(nil), n.states[q].free...)
		for _, e := range n.states[q].edges {
			for lo := int(e.lo); lo <= int(e.hi); {
				hi := int(e.hi)
				for _, stop := range []int{0x80, 0xC0} {
					if lo < stop && stop <= hi {
						hi = stop - 1
					}
				}
				out.byte(int32(q), byte(lo), byte(hi), e.to, lo < 0x80 || lo >= 0xC0)
				lo = hi + 1
			}
		}
	}
	return out
}

// plainText gives the automaton of texts that satisfy all demands, or nil.
func (c *schemaCompiler) plainText(demands []textDemand) *nfa {
	if len(demands) == 1 && !demands[0].not {
		return demands[0].text
	}
	key := ""
	for _, d := range demands {
		id, ok := c.ids[d.text]
		if !ok {
			id = len(c.ids)
			c.ids[d.text] = id
		}
		key += decimal(id)
		if d.not {
			key += "-"
		}
		key += ","
	}
	if n, ok := c.joined[key]; ok {
		return n
	}
	limit := c.limits.Deterministic
	var d *dfa
	for _, t := range demands {
		if !t.not {
			t.text.name = t.at
			e := t.text.deterministic(limit)
			c.spend(len(e.next), t.at)
			if d == nil {
				d = e
			} else {
				d = d.and(e, false)
			}
		}
	}
	if d == nil {
		d = flat(repeat(class(runeSet{{0, lastRune}}), 0, unbounded), false, demands[0].at, c.limits.States).deterministic(limit)
	}
	for _, t := range demands {
		if t.not {
			d.name = t.at
			d = d.and(t.text.deterministic(limit), true)
		}
		c.spend(len(d.next), t.at)
	}
	n := d.nfa(c.limits.States)
	c.joined[key] = n
	return n
}

// spend counts states that were made to find what must hold at once: all of them may be so many times what one automaton may have.
func (c *schemaCompiler) spend(states int, at string) {
	if c.made += states; c.made > manyAutomata*c.limits.Deterministic {
		fail(at, "finding what must hold at once takes more than %d states", manyAutomata*c.limits.Deterministic)
	}
}

const manyAutomata = 50

// spell makes, of an automaton of texts, that of JSON's spelling of them behind the first quote: quotes, backslashes and
// control characters by escapes, all else by itself. Characters tick.
func spell(n *nfa, limit int) *nfa {
	out := &nfa{limit: limit, name: n.name}
	for range n.states {
		out.add(0)
	}
	end := out.add(0)
	out.states[end].final = true
	type way struct {
		to   int32
		high byte
	}
	for q := range n.states {
		s := &n.states[q]
		from := int32(q)
		out.states[q].free = append([]int32(nil), s.free...)
		if s.final {
			out.byte(from, '"', '"', end, false)
		}
		slashes := map[int32]int32{} // by where it goes: behind the backslash
		controls := map[way]int32{}  // behind \u000 or \u001
		slash := func(to int32) int32 {
			at, ok := slashes[to]
			if !ok {
				at = out.add(0)
				slashes[to] = at
				out.byte(from, '\\', '\\', at, true)
			}
			return at
		}
		for _, e := range s.edges {
			for lo := int(e.lo); lo <= int(e.hi); {
				b := byte(lo)
				switch {
				case b < ' ':
					out.control(slash(e.to), b, e.to, func(high byte, make func() int32) int32 {
						at, ok := controls[way{e.to, high}]
						if !ok {
							at = make()
							controls[way{e.to, high}] = at
						}
						return at
					})
					lo++
					continue
				case b == '"' || b == '\\':
					out.byte(slash(e.to), b, b, e.to, false)
					lo++
					continue
				}
				hi := int(e.hi)
				for _, stop := range []int{'"', '\\', 0x80, 0xC0} { // bytes of one kind together
					if lo < stop && stop <= hi {
						hi = stop - 1
					}
				}
				out.byte(from, b, byte(hi), e.to, b < 0x80 || b >= 0xC0)
				lo = hi + 1
			}
		}
	}
	return out
}

// control adds the escapes of a control character behind its backslash: the short one, and four digits.
func (n *nfa) control(slash int32, b byte, to int32, known func(high byte, make func() int32) int32) {
	if short := escaped(b); len(short) == 2 {
		n.byte(slash, short[1], short[1], to, false)
	}
	last := known(b>>4, func() int32 {
		at := slash
		for _, c := range []byte{'u', '0', '0', '0' + b>>4} {
			next := n.add(0)
			n.byte(at, c, c, next, false)
			at = next
		}
		return at
	})
	c := "0123456789abcdef"[b&15]
	n.byte(last, c, c, to, false)
	if c >= 'a' {
		n.byte(last, c-32, c-32, to, false)
	}
}
