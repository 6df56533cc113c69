package grammar

import (
	"sync"
)

// config is one way in which a text may have been read: a state, what of its count is left, and who called its rule.
type config struct {
	q        int32
	min, max int32
	node     *node
}

// node is the callers of a rule at one place in the text. Those of one rule at one place share it, so there are never more
// nodes than rules at a place, however ambiguous the grammar is. Equal nodes are one.
type node struct {
	id      uint32
	age     uint32 // of the machine's tables it is in
	counted bool   // it, or a node above it, counts
	entries []entry
	plain   [horizons]*node // with counts that no token can tell apart made the same
	after   *thread
}

// entry is where a caller goes on.
type entry struct {
	q        int32
	min, max int32
	node     *node
}

// States that are none.
const (
	accepting int32 = -1 // the whole text has been read
	leaving   int32 = -2 // the rule that a mask is made for has ended
)

// thread is everything that a text may have been read as: a state of the automaton that is made deterministic on the way.
type thread struct {
	age     uint32
	accept  bool
	left    []int32 // where the rule that a mask is made for has ended: what its count allowed more
	counted bool
	configs []config  // those that have edges
	next    []*thread // by class of bytes; nil: not known yet
	plain   [horizons]*thread
	mask    *mask
	ahead   []*Next // nil: not known yet
	name    uint64  // see Matcher.Place; 0: none yet
}

// Machine runs a grammar over a vocabulary, and remembers what it has found. Matchers of one grammar share it.
type machine struct {
	g *Grammar
	v *Vocabulary

	mu      sync.Mutex
	age     uint32
	ids     uint32
	nodes   map[string]*node
	threads map[string]*thread
	used    int // about how many bytes these take
	locals  map[string]*local
	kept    int // about how many bytes locals take
	root    *node
	bottom  *node
	dead    *thread
	err     error
	work    int    // ways that were looked at for this mask or token
	pause   func() // while a matcher is made, see Limits

	key     []byte
	open    []config
	seen    set
	edged   []config
	leaves  []int32
	pending pendings
	stack   []*thread
}

func newMachine(g *Grammar, v *Vocabulary) *machine {
	m := &machine{g: g, v: v, locals: map[string]*local{}, dead: &thread{}, stack: make([]*thread, v.longest+1)}
	m.forget()
	return m
}

// failed gives the error of what was done last. What was found out with it may be wrong, and is dropped.
func (m *machine) failed() error {
	err := m.err
	if m.err, m.work = nil, 0; err != nil {
		m.kept = m.g.limits.Memory
		m.forget()
	}
	return err
}

// forget drops what is known. Threads of before go on to work, and are taken in again when they are met.
func (m *machine) forget() {
	m.age++
	m.nodes, m.threads = map[string]*node{}, map[string]*thread{}
	m.used = 0
	if m.kept > m.g.limits.Memory/2 {
		m.locals, m.kept = map[string]*local{}, 0
	}
	m.root = m.intern([]entry{{q: accepting, max: unbounded}})
	m.bottom = m.intern([]entry{{q: leaving, max: unbounded}})
}

// begin is the thread of the empty text.
func (m *machine) begin() *thread {
	t := m.close(nil, []pending{{rule: m.g.start, max: unbounded, entries: m.root.entries}})
	if !m.g.empty {
		return t
	}
	return m.thread(append(m.edged[:0], t.configs...), true, nil)
}

// viable tells whether a rule can still end within its count.
func (m *machine) viable(q, min, max int32) bool {
	if q < 0 {
		return true
	}
	r := &m.g.rules[m.g.states[q].rule]
	return !r.counted || min == 0 && max == unbounded || r.lengths.between(q, min, max)
}

// tick counts one.
func tick(min, max int32) (int32, int32) {
	if min > 0 {
		min--
	}
	if max < unbounded {
		max--
	}
	return min, max
}

// close adds to configurations all that may be had without a byte: first what ends, for callers are older than what they
// call; then rules that are called, those that begin with others first, so that all callers of one are known by then.
func (m *machine) close(from []config, calls []pending) *thread {
	m.seen.clear()
	m.edged, m.leaves = m.edged[:0], m.leaves[:0]
	m.pending.clear()
	for _, p := range calls {
		m.pending.add(m.g.rules, p)
	}
	accept := false
	open := m.open[:0]
	add := func(c config) {
		switch {
		case c.q == accepting:
			accept = true
		case c.q == leaving:
			m.leave(c.max)
		case m.viable(c.q, c.min, c.max) && m.seen.add(c):
			open = append(open, c)
		}
	}
	for _, c := range from {
		add(c)
	}
	for {
		for len(open) > 0 {
			c := open[len(open)-1]
			open = open[:len(open)-1]
			s := &m.g.states[c.q]
			if len(s.edges) > 0 {
				m.edged = append(m.edged, c)
			}
			for _, f := range s.free {
				add(config{f, c.min, c.max, c.node})
			}
			if s.final && c.min == 0 {
				for _, e := range c.node.entries {
					if e.q == leaving {
						e.max = c.max
					}
					add(config(e))
				}
			}
			for i := range s.calls {
				m.call(&s.calls[i], c)
			}
		}
		if n := len(m.seen.list); n > m.g.limits.Threads || m.work+n > m.g.limits.Work {
			m.err = &Error{m.g.kind, "", "the grammar is too ambiguous: the text can be read in too many ways"}
			m.edged = m.edged[:0]
			break
		}
		p, ok := m.pending.next(m.g.rules)
		if !ok {
			break
		}
		add(config{m.g.rules[p.rule].start, p.min, p.max, m.intern(p.entries)})
	}
	m.open = open
	m.work += len(m.seen.list) + 1
	return m.thread(m.edged, accept, m.leaves)
}

// call notes that a rule is called.
func (m *machine) call(to *call, c config) {
	low, high := c.min, c.max
	if to.tick {
		if high == 0 {
			return
		}
		low, high = tick(low, high)
	}
	if !m.viable(to.to, low, high) {
		return
	}
	p := m.pending.find(to)
	if p == nil {
		p = m.pending.add(m.g.rules, pending{rule: to.rule, min: to.min, max: to.max})
	}
	if to.tail {
		p.entries = append(p.entries, c.node.entries...)
	} else {
		p.entries = append(p.entries, entry{to.to, low, high, c.node})
	}
}

// step takes a byte.
func (m *machine) step(t *thread, b byte) *thread {
	class := m.g.class[b]
	if t.next == nil {
		return m.dead
	}
	if to := t.next[class]; to != nil {
		return to
	}
	return m.stepNew(t, class)
}

func (m *machine) stepNew(t *thread, class byte) *thread {
	b := m.g.sample[class]
	var from []config
	for _, c := range t.configs {
		for _, e := range m.g.states[c.q].edges {
			if b < e.lo || b > e.hi {
				continue
			}
			low, high := c.min, c.max
			if e.tick {
				if high == 0 {
					continue
				}
				low, high = tick(low, high)
			}
			from = append(from, config{e.to, low, high, c.node})
		}
	}
	to := m.dead
	if len(from) > 0 {
		to = m.close(from, nil)
	}
	t.next[class] = to
	return to
}
