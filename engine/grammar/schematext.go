package grammar

// freeText is any text as JSON spells it, behind its first quote: all escapes, pairs of surrogates only in pairs.
func freeText(limits *budget) *nfa {
	n := &nfa{limits: limits}
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
	out := spell(n)
	c.spelled[n] = out
	return out
}

// anyText is any text as the style spells it behind the first quote.
func (c *schemaCompiler) anyText() *nfa {
	switch {
	case c.style.apart == nil:
		return freeText(c.limits)
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
	if known := c.raw[n]; known != nil {
		return known
	}
	out := n.ticking()
	c.raw[n] = out
	return out
}

// ticking makes, of an automaton of texts, one that counts their characters.
func (n *nfa) ticking() *nfa {
	out := &nfa{limits: n.limits, name: n.name}
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
	var d *dfa
	for _, t := range demands {
		if !t.not {
			t.text.name = t.at
			e := t.text.deterministic()
			if d == nil {
				d = e
			} else {
				d = d.and(e, false)
			}
		}
	}
	if d == nil {
		d = flat(repeat(class(runeSet{{0, lastRune}}), 0, unbounded), false, demands[0].at, c.limits).deterministic()
	}
	for _, t := range demands {
		if t.not {
			d.name = t.at
			d = d.and(t.text.deterministic(), true)
		}
	}
	n := d.nfa()
	c.joined[key] = n
	return n
}

// spell makes, of an automaton of texts, that of JSON's spelling of them behind the first quote: quotes, backslashes and
// control characters by escapes, all else by itself. Characters tick.
func spell(n *nfa) *nfa {
	out := &nfa{limits: n.limits, name: n.name}
	for range n.states {
		out.add(0)
	}
	end := out.add(0)
	out.states[end].final = true
	known := map[escapes]int32{}
	for q := range n.states {
		s := &n.states[q]
		from := int32(q)
		out.states[q].free = append([]int32(nil), s.free...)
		if s.final {
			out.byte(from, '"', '"', end, false)
		}
		var slashes []escapes
		slash := func(to int32, b byte) {
			for i := range slashes {
				if slashes[i].to == to {
					slashes[i].add(b)
					return
				}
			}
			slashes = append(slashes, escapes{to: to})
			slashes[len(slashes)-1].add(b)
		}
		for _, e := range s.edges {
			for lo := int(e.lo); lo <= int(e.hi); {
				b := byte(lo)
				if b < ' ' || b == '"' || b == '\\' {
					slash(e.to, b)
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
		for _, e := range slashes {
			at, ok := known[e]
			if !ok {
				at = out.escapes(e)
				known[e] = at
			}
			out.byte(from, '\\', '\\', at, true)
		}
	}
	return out
}

// escapes are the characters that lead to a state and that JSON escapes.
type escapes struct {
	to      int32
	control uint32 // a bit each
	quote   bool
	slash   bool
}

func (e *escapes) add(b byte) {
	switch b {
	case '"':
		e.quote = true
	case '\\':
		e.slash = true
	default:
		e.control |= 1 << b
	}
}

// escapes adds what follows a backslash: of control characters the short escape, and four digits.
func (n *nfa) escapes(e escapes) int32 {
	slash := n.add(0)
	if e.quote {
		n.byte(slash, '"', '"', e.to, false)
	}
	if e.slash {
		n.byte(slash, '\\', '\\', e.to, false)
	}
	var last [2]int32 // behind u000 and u001
	for b := range byte(' ') {
		if e.control>>b&1 == 0 {
			continue
		}
		if short := escaped(b); len(short) == 2 {
			n.byte(slash, short[1], short[1], e.to, false)
		}
		at := &last[b>>4]
		if *at == 0 {
			*at = slash
			for _, c := range []byte{'u', '0', '0', '0' + b>>4} {
				next := n.add(0)
				n.byte(*at, c, c, next, false)
				*at = next
			}
		}
		c := "0123456789abcdef"[b&15]
		n.byte(*at, c, c, e.to, false)
		if c >= 'a' {
			n.byte(*at, c-32, c-32, e.to, false)
		}
	}
	return slash
}
