package grammar

import "math/bits"

// lengths tells how many ticks a counted rule may still take from each of its states: for a number n, the states from which
// it can end after exactly n. From some n on the sets repeat.
type lengths struct {
	first  int32
	words  int
	sets   []uint64
	before int // sets that come once
	period int
}

func (l *lengths) has(n int, q int32) bool {
	if n >= l.before+l.period {
		n = l.before + (n-l.before)%l.period
	}
	i := int(q - l.first)
	return l.sets[n*l.words+i>>6]>>(i&63)&1 != 0
}

// between tells whether the rule can end after min to max more ticks.
func (l *lengths) between(q, min, max int32) bool {
	last := min + int32(l.before+l.period) // beyond, it is the same again
	if last > max || last < min {
		last = max
	}
	for n := min; n <= last; n++ {
		if l.has(int(n), q) {
			return true
		}
		if n == unbounded {
			break
		}
	}
	return false
}

// window is how many ticks the sets look back.
func (l *lengths) window() int32 { return int32(l.before + l.period) }

// mostLengths is how many lengths of a rule are looked at before they repeat.
const mostLengths = 20_000

// count finds the lengths of counted rules, and takes out calls for which there is none. It tells whether there were some.
func (b *builder) count() (changed bool) {
	most := make([]int32, len(b.rules))
	open := make([]bool, len(b.rules)) // some call has no maximum
	for q := range b.states {
		for _, c := range b.states[q].calls {
			m := c.min
			if c.max < unbounded {
				m = c.max
			} else {
				open[c.rule] = true
			}
			most[c.rule] = max(most[c.rule], m)
		}
	}
	for r := range b.rules {
		if b.rules[r].counted {
			b.rules[r].lengths = b.lengthsOf(int32(r), int(most[r]), open[r])
		}
	}
	for q := range b.states {
		s := &b.states[q]
		keep := s.calls[:0]
		for _, c := range s.calls {
			r := &b.rules[c.rule]
			if r.counted {
				b.limits.spend(int(min(r.lengths.window(), c.max-c.min))/8, r.name)
			}
			if r.counted && !r.lengths.between(r.start, c.min, c.max) {
				changed = true
				continue
			}
			keep = append(keep, c)
		}
		s.calls = keep
	}
	return changed
}

func (b *builder) lengthsOf(r int32, most int, open bool) *lengths {
	first, last := b.rules[r].first, b.rules[r].last
	n := int(last - first)
	l := &lengths{first: first, words: (n + 63) / 64}
	free := make([][]int32, n) // by state: those that come there without a tick
	tick := make([][]int32, n)
	for q := first; q < last; q++ {
		s := &b.states[q]
		add := func(to int32, ticks bool) {
			if ticks {
				tick[to-first] = append(tick[to-first], q-first)
			} else {
				free[to-first] = append(free[to-first], q-first)
			}
		}
		for _, f := range s.free {
			add(f, false)
		}
		for _, e := range s.edges {
			add(e.to, e.tick)
		}
		for _, c := range s.calls {
			add(c.to, c.tick)
		}
	}
	known := map[string]int{}
	set := make([]uint64, l.words)
	var todo []int32
	mark := func(q int32) {
		if set[q>>6]>>(q&63)&1 == 0 {
			set[q>>6] |= 1 << (q & 63)
			todo = append(todo, q)
		}
	}
	for q := first; q < last; q++ {
		if b.states[q].final {
			mark(q - first)
		}
	}
	key := make([]byte, 8*l.words)
	for i := 0; ; i++ {
		steps := n + 16*l.words
		for len(todo) > 0 {
			q := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, p := range free[q] {
				mark(p)
			}
			steps += 1 + len(free[q])
		}
		for j, w := range set {
			for k := range 8 {
				key[8*j+k] = byte(w >> (8 * k))
			}
		}
		if at, ok := known[string(key)]; ok {
			l.before, l.period = at, i-at
			return l
		}
		known[string(key)] = i
		l.sets = append(l.sets, set...)
		if i > most && !open { // nothing asks beyond, so it may as well be never
			l.sets = append(l.sets, make([]uint64, l.words)...)
			l.before, l.period = i, 1
			return l
		}
		if b.limits.spend(steps/8+8, b.rules[r].name); i > mostLengths {
			fail(b.rules[r].name, "its lengths are too many to be counted")
		}
		current := set
		set = make([]uint64, l.words)
		for j, w := range current {
			for ; w != 0; w &= w - 1 {
				for _, p := range tick[j*64+bits.TrailingZeros64(w)] {
					mark(p)
				}
			}
		}
	}
}
