package grammar

import (
	"math/bits"
	"sort"
)

func trailing(w uint32) int { return bits.TrailingZeros32(w) }

func ones(w uint32) int { return bits.OnesCount32(w) }

func sortConfigs(list []config) {
	sort.Slice(list, func(i, j int) bool { return list[i].before(list[j]) })
}

// Matcher is a place in a text of a grammar. Copies by Clone are cheap, share what they find out, and may be used by
// different goroutines; one Matcher may not.
type Matcher struct {
	m     *machine
	t     *thread
	ended bool
	err   error
}

// Matcher returns a matcher at the start of a text, for tokens of a vocabulary. Its clones share what they learn; so take
// one for a grammar and a vocabulary, and clone it for each sequence.
func (g *Grammar) Matcher(v *Vocabulary) *Matcher {
	m := newMachine(g, v)
	m.pause = g.limits.Pause
	m.ahead()
	m.pause = nil
	m.failed()
	t := m.begin()
	return &Matcher{m: m, t: t, err: m.failed()}
}

// Clone returns another matcher at the same place.
func (m *Matcher) Clone() *Matcher {
	c := *m
	return &c
}

// Mask sets, of the vocabulary's bits in dst, those of the tokens that may come next: token i is bit i%32 of word i/32. A
// token of the end is among them where the text may end. Words beyond the vocabulary become 0.
func (m *Matcher) Mask(dst []uint32) error {
	clear(dst)
	if m.err != nil {
		return m.err
	}
	if m.ended {
		m.end(dst)
		return nil
	}
	m.m.mu.Lock()
	defer m.m.mu.Unlock()
	m.m.mask(m.t, dst[:m.m.v.MaskWords()])
	if m.t.accept {
		m.end(dst)
	}
	m.err = m.m.failed()
	return m.err
}

// Err tells why the matcher can go no further: the text can be read in more ways than the limits allow.
func (m *Matcher) Err() error { return m.err }

func (m *Matcher) end(dst []uint32) {
	for _, id := range m.m.v.eos {
		dst[id>>5] |= 1 << (id & 31)
	}
}

// Accept takes a token and tells whether it may come here. If not, the matcher stays where it was.
func (m *Matcher) Accept(token int32) bool {
	for _, id := range m.m.v.eos {
		if id == token {
			if !m.ended && !m.t.accept {
				return false
			}
			m.ended = true
			return true
		}
	}
	text, ok := m.m.v.text(token)
	return ok && m.AcceptBytes(text)
}

// AcceptBytes takes bytes and tells whether they may come here. If not, the matcher stays where it was.
func (m *Matcher) AcceptBytes(text []byte) bool {
	if m.ended || m.err != nil {
		return m.err == nil && len(text) == 0
	}
	m.m.mu.Lock()
	defer m.m.mu.Unlock()
	t := m.m.current(m.t)
	for _, b := range text {
		if t = m.m.step(t, b); t == m.m.dead {
			break
		}
	}
	if m.err = m.m.failed(); m.err != nil || t == m.m.dead {
		return false
	}
	m.t = t
	return true
}

// Accepting tells whether the text may end here.
func (m *Matcher) Accepting() bool { return m.ended || m.t.accept }

// Finished tells whether nothing may follow: the text has ended, or may only end.
func (m *Matcher) Finished() bool { return m.ended || m.t.accept && len(m.t.configs) == 0 }

// Forced returns the bytes that come next whatever is chosen, as far as there is no alternative. Where the text may end,
// that is an alternative.
func (m *Matcher) Forced() []byte {
	if m.ended {
		return nil
	}
	m.m.mu.Lock()
	defer m.m.mu.Unlock()
	defer m.m.failed() // what is too ambiguous is told when it is drawn
	var out []byte
	for t := m.m.current(m.t); !t.accept && len(out) < longestForced && m.m.work < m.m.g.limits.Work/forcedShare; {
		b, ok := m.m.only(t)
		if !ok {
			break
		}
		out = append(out, b)
		t = m.m.step(t, b)
	}
	return out
}

// A forced run has at most longestForced bytes, and takes a share of the work that a mask may: what is forced may be more than
// memory holds, and may be read in very many ways. It is found piece by piece.
const (
	longestForced = 1 << 12
	forcedShare   = 50
)

// only is the one byte that may follow, if there is one.
func (m *machine) only(t *thread) (b byte, ok bool) {
	for _, c := range t.configs {
		for _, e := range m.g.states[c.q].edges {
			low, high := c.min, c.max
			if e.tick {
				if high == 0 {
					continue
				}
				low, high = tick(low, high)
			}
			if !m.viable(e.to, low, high) {
				continue
			}
			if e.lo != e.hi || ok && b != e.lo {
				return 0, false
			}
			b, ok = e.lo, true
		}
	}
	return b, ok
}
