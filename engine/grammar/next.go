package grammar

import (
	"slices"
	"sort"
	"sync/atomic"
)

// Next is some of the tokens that may come next, and where they lead, all to one place.
type Next struct {
	Set   uint64 // names the tokens: sets of one name are equal; 0: Token alone
	Token int32
	Place uint64 // where they lead, see Matcher.Place

	tokens *mask
	m      *machine
	to     *thread
}

// Has says whether a token is among them.
func (n *Next) Has(token int32) bool {
	if n.Set == 0 {
		return n.Token == token
	}
	if n.tokens.bits != nil {
		return n.tokens.bits[token>>5]>>(token&31)&1 != 0
	}
	return slices.Contains(n.tokens.list, token)
}

// Tokens sets their bits in dst, which is empty.
func (n *Next) Tokens(dst []uint32) { n.tokens.into(dst) }

// Mask is Matcher.Mask behind them.
func (n *Next) Mask(dst []uint32) error {
	return (&Matcher{m: n.m, t: n.to}).Mask(dst)
}

// names counts the names of sets and places.
var names atomic.Uint64

// Place names where the text is, as far as masks can tell: at places of one name they are equal. It is 0 where nothing is known.
func (m *Matcher) Place() uint64 {
	if m.ended || m.err != nil {
		return 0
	}
	m.m.mu.Lock()
	defer m.m.mu.Unlock()
	defer m.m.failed()
	return m.m.place(m.t)
}

func (m *machine) place(t *thread) uint64 {
	t = m.plainThread(m.current(t), oneToken)
	if t.name == 0 {
		t.name = names.Add(1)
	}
	return t.name
}

// What Next tells of at most: sets, those of many tokens first, and tokens alone.
const (
	mostSets    = 48
	mostSingles = 64
	alone       = 4      // tokens that are no set
	mostApart   = 20_000 // nodes of the trie that are looked at for tokens that no broad rule takes
)

// Next tells where the tokens lead that may come next, or most of them. Where a text can be read in several ways some of it may be wrong.
func (m *Matcher) Next() []*Next {
	if m.ended || m.err != nil {
		return nil
	}
	m.m.mu.Lock()
	defer m.m.mu.Unlock()
	t := m.m.plainThread(m.m.current(m.t), twoTokens)
	if t.ahead == nil {
		t.ahead = m.m.next(t)
	}
	if m.m.failed() != nil {
		return nil
	}
	return t.ahead
}

// nexts collects what may come next from a thread.
type nexts struct {
	m             *machine
	from          *thread
	sets, singles []*Next
	seen          map[added]bool
}

// added is a token, or a set by where its name is: calls of one rule have that in common.
type added struct {
	name  *uint64
	token int32
}

func (m *machine) next(t *thread) []*Next {
	n := &nexts{m: m, from: t, seen: map[added]bool{}}
	var direct []config
	var groups []group
	for i := range t.configs {
		c := &t.configs[i]
		if c.node == m.root || !m.g.rules[m.g.states[c.q].rule].broad {
			direct = append(direct, *c)
			continue
		}
		groups = m.grouped(groups, *c)
	}
	for i := range groups {
		l := m.local(groups[i].states)
		for j := range l.inside {
			n.add(l.inside[j].tokens, &l.inside[j].name)
		}
		for j := range l.exits {
			if e := &l.exits[j]; groups[i].min <= e.ticks && e.ticks <= groups[i].max {
				n.behindEnd(m.after(groups[i].node), e.rest)
			}
		}
	}
	if len(direct) > 0 {
		l := m.explore(m.thread(direct, false, nil), mostApart)
		for i := range l.inside {
			n.add(l.inside[i].tokens, &l.inside[i].name)
			m.used += l.inside[i].tokens.bytes()
		}
	}
	sort.SliceStable(n.sets, func(i, j int) bool { return n.sets[i].tokens.size() > n.sets[j].tokens.size() })
	all := append(append([]*Next{}, n.sets[:min(len(n.sets), mostSets)]...), n.singles[:min(len(n.singles), mostSingles)]...)
	for _, next := range all {
		next.Place = m.place(next.to)
	}
	m.used += 100 * len(all)
	return all
}

// behindEnd takes in tokens in which a rule ends, by what they have behind it.
func (n *nexts) behindEnd(t *thread, rest []restNode) {
	m := n.m
	m.stack[0] = t
	for i := 0; i < len(rest); {
		r := &rest[i]
		to := m.step(m.stack[r.depth], r.b)
		if to == m.dead {
			i = int(r.skip)
			continue
		}
		if len(r.tokens) > 0 {
			n.add(&mask{list: r.tokens}, &r.name)
		}
		m.stack[r.depth+1] = to
		i++
	}
}

// add takes in tokens that lead to one place.
func (n *nexts) add(tokens *mask, name *uint64) {
	if tokens.bits != nil || len(tokens.list) > alone {
		if n.again(added{name: name}) {
			return
		}
		if to := n.behind(tokens.first()); to != n.m.dead {
			if *name == 0 {
				*name = names.Add(1)
			}
			n.sets = append(n.sets, &Next{Set: *name, tokens: tokens, m: n.m, to: to})
		}
		return
	}
	for _, token := range tokens.list {
		if n.again(added{token: token}) {
			continue
		}
		if to := n.behind(token); to != n.m.dead {
			n.singles = append(n.singles, &Next{Token: token, m: n.m, to: to})
		}
	}
}

// again says whether a token or a set was added before.
func (n *nexts) again(what added) bool {
	again := n.seen[what]
	n.seen[what] = true
	return again
}

// behind is the thread behind a token.
func (n *nexts) behind(token int32) *thread {
	t := n.from
	for _, b := range n.m.v.tokens[token] {
		if t = n.m.step(t, b); t == n.m.dead {
			break
		}
	}
	return t
}

// first is the first of a mask's tokens.
func (k *mask) first() int32 {
	if len(k.list) > 0 {
		return k.list[0]
	}
	for i, w := range k.bits {
		if w != 0 {
			return int32(32*i + trailing(w))
		}
	}
	return 0
}

// size is about how many tokens a mask has.
func (k *mask) size() int {
	if k.bits == nil {
		return len(k.list)
	}
	n := 0
	for i := 0; i < len(k.bits); i += 8 {
		n += ones(k.bits[i])
	}
	return max(few, 8*n)
}
