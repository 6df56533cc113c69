package schedule

import (
	"slices"

	"pgregory.net/rapid"

	"quire/engine/step"
	"quire/paging"
)

// text is what a row of K and V stands for: its token, and everything before it under one salt.
type text uint64

const (
	spoilt  text   = 1 // nothing that anybody wrote, or written by a step that failed
	byHand  uint64 = 0 // filled between steps
	letters        = 5 // that memory samples, the end token among them
)

func (x text) then(token int32) text {
	h := (uint64(x) ^ uint64(token+1)*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd
	return text(h ^ h>>32)
}

// start is the text before the first token.
func start(salt string) text {
	x := text(17)
	for _, c := range salt {
		x = x.then(c)
	}
	return x
}

// sample is the token after a text, of which so many tokens were sampled.
func (x text) sample(counter int) int32 { return int32(x.then(int32(counter)) >> 20 % letters) }

// line is what a sequence must say, whatever becomes of it.
type line struct {
	salt   string
	prompt int
	landed int
	tokens []int32 // landed, and those to come as far as anybody asked
	texts  []text  // up to each token
	kin    *[]uint64
}

func newLine(salt string, prompt int, tokens []int32, kin *[]uint64) *line {
	l := &line{salt: salt, prompt: prompt, kin: kin}
	l.add(tokens...)
	l.landed = len(tokens)
	return l
}

func (l *line) add(tokens ...int32) {
	for _, token := range tokens {
		x := start(l.salt)
		if len(l.texts) > 0 {
			x = l.texts[len(l.texts)-1]
		}
		l.tokens, l.texts = append(l.tokens, token), append(l.texts, x.then(token))
	}
}

// cut forgets all tokens but the first so many.
func (l *line) cut(tokens int) {
	l.tokens, l.texts, l.landed = l.tokens[:tokens], l.texts[:tokens], tokens
}

// token gives the token at a position, which may be yet to come.
func (l *line) token(p int) int32 {
	for len(l.tokens) <= p {
		l.add(l.texts[len(l.texts)-1].sample(len(l.tokens) - l.prompt))
	}
	return l.tokens[p]
}

// memory is a device's slots and the host's, with the text that each holds. It executes steps in the order that they
// promise, and at every read it compares each position that a row attends to with what the row's sequence says. It knows
// nothing of the scheduler's books.
type memory struct {
	t       rapid.TB
	size    int
	groups  []paging.Group
	slots   []text
	states  []text             // [state slot] the text behind which it stands
	stateBy []uint64           // [state slot] the step that wrote it
	away    []text             // [state of host memory] as far as steps have landed
	by      []uint64           // [slot] the step that wrote it
	host    [][]text           // [block of host memory] as far as steps have landed
	going   map[uint64][]going // by step in flight
	lanes   []int32            // last sampled token
	owners  map[uint64]int32   // lanes of sequences
	tables  laneTables
	told    []uint64 // [lane] the last step that had it
	moved   []text
	reads   int
	turn    int
}

type going struct {
	host  int32
	texts []text
	state bool // a state of host memory, not a block
}

func newMemory(t rapid.TB, c Config) *memory {
	c = c.withDefaults()
	m := &memory{
		t: t, size: c.BlockSize, groups: c.Groups, slots: make([]text, c.Blocks*c.BlockSize), by: make([]uint64, c.Blocks*c.BlockSize),
		states: make([]text, c.States), stateBy: make([]uint64, c.States), away: make([]text, c.HostStates+1), host: make([][]text, c.HostBlocks+1), going: map[uint64][]going{}, lanes: make([]int32, c.MaxSeqs), tables: make(laneTables, c.MaxSeqs), told: make([]uint64, c.MaxSeqs), owners: map[uint64]int32{},
	}
	if len(m.groups) == 0 {
		m.groups = []paging.Group{{}}
	}
	m.lose()
	return m
}

func (m *memory) fatal(format string, a ...any) {
	m.t.Helper()
	m.t.Fatalf("turn %d: "+format, append([]any{m.turn}, a...)...)
}

// lose is what a lost device leaves.
func (m *memory) lose() {
	for i := range m.slots {
		m.slots[i] = spoilt
	}
	for i := range m.states {
		m.states[i] = spoilt
	}
	m.tables.lose()
	clear(m.host)
	clear(m.away)
	clear(m.going)
	clear(m.owners)
}

// fail is what steps from this one on leave when they did not run.
func (m *memory) fail(number uint64) {
	for i := range m.slots {
		if m.by[i] >= number && m.by[i] != byHand {
			m.slots[i] = spoilt
		}
	}
	for i := range m.states {
		if m.stateBy[i] >= number && m.stateBy[i] != byHand {
			m.states[i] = spoilt
		}
	}
	for lane, by := range m.told {
		if by >= number {
			m.tables[lane] = nil
		}
	}
	clear(m.going) // the steps in flight are that one and those behind it
}

// landed brings what a step swapped out to host memory.
func (m *memory) landed(number uint64) {
	for _, x := range m.going[number] {
		if x.state {
			m.away[x.host] = x.texts[0]
			continue
		}
		m.host[x.host] = x.texts
	}
	delete(m.going, number)
}

func (m *memory) slot(table []int32, p int) int { return int(table[p/m.size])*m.size + p%m.size }

// fill writes what a caller loads, between steps.
func (m *memory) fill(p *Pin, salt string, tokens []int32) {
	x := start(salt)
	for i, token := range tokens[:p.Tokens()] {
		x = x.then(token)
		for g := range m.groups {
			if i >= p.Fresh() {
				at := m.slot(p.Blocks(g), i)
				m.slots[at], m.by[at] = x, byHand
			}
		}
	}
	if len(m.states) > 0 && p.Fresh() < p.Tokens() {
		m.states[p.State()], m.stateBy[p.State()] = x, byHand
	}
}

// save reads what a caller saves, between steps.
func (m *memory) save(p *Pin, salt string, tokens []int32) {
	x := start(salt)
	for i, token := range tokens[:p.Tokens()] {
		x = x.then(token)
		for g := range m.groups {
			if at := m.slot(p.Blocks(g), i); at >= m.size && m.slots[at] != x {
				m.fatal("what is saved of group %d at position %d, slot %d, is another text", g, i, at)
			}
			m.reads++
		}
	}
	if len(m.states) > 0 && p.Tokens() > 0 && m.states[p.State()] != x {
		m.fatal("what is saved of slot %d is the state of another text", p.State())
	}
}

// run executes a step of these lines and gives the sampled tokens.
func (m *memory) run(s *step.Step, lines map[uint64]*line) []int32 {
	m.tables.take(s)
	for _, r := range s.Rows {
		m.told[r.Lane] = s.Number
	}
	m.swap(s)
	m.copies(s)
	for i := range s.Rows {
		m.write(s, int32(i), lines)
	}
	for i := range s.Rows {
		r := &s.Rows[i]
		for g := range m.groups {
			m.read(s, r, g, lines[r.Sequence])
		}
	}
	m.state(s, lines)
	var sampled []int32
	for _, o := range s.Outputs {
		if !o.Sample {
			continue
		}
		r := &s.Rows[o.Row]
		l, p := lines[r.Sequence], int(s.Positions[o.Token])
		if int(o.Counter) != p+1-l.prompt {
			m.fatal("sequence %d samples with counter %d at position %d", r.Sequence, o.Counter, p)
		}
		token, behind := l.token(p+1), m.said(s, r, l, p)
		if behind != l.texts[p] { // a draft was wrong
			token = behind.sample(int(o.Counter))
		}
		m.lanes[r.Lane] = token
		if drafted(s, o.Row) > 0 {
			m.lanes[r.Lane] = -9 // which of several draws a lane keeps is not said
		}
		sampled = append(sampled, token)
	}
	return sampled
}

// drafted is how many tokens at the end of a row are a draft.
func drafted(s *step.Step, row int32) int {
	n := -1
	for _, o := range s.Outputs {
		if o.Row == row && o.Sample {
			n++
		}
	}
	return max(0, n)
}

// said is the text that a row's tokens are up to a position.
func (m *memory) said(s *step.Step, r *step.Row, l *line, p int) text {
	x := start(l.salt)
	if r.Start > 0 {
		x = l.texts[r.Start-1]
	}
	for i := r.First; int(s.Positions[i]) < p; i++ {
		x = x.then(m.spoken(s, r, l, i))
	}
	return x.then(m.spoken(s, r, l, r.First+int32(p)-r.Start))
}

// spoken is a token of a row: a lane's is what its sequence says, which write compares.
func (m *memory) spoken(s *step.Step, r *step.Row, l *line, i int32) int32 {
	if s.Tokens[i] == step.LaneToken {
		return l.token(int(s.Positions[i]))
	}
	return s.Tokens[i]
}

func (m *memory) block(id int32) (texts []text, by []uint64) {
	from, to := int(id)*m.size, int(id+1)*m.size
	return m.slots[from:to], m.by[from:to]
}

func (m *memory) swap(s *step.Step) {
	for _, x := range s.StateOuts {
		m.going[s.Number] = append(m.going[s.Number], going{host: x.Host, texts: []text{m.states[x.Block]}, state: true})
	}
	for _, x := range s.StateIns {
		for number, all := range m.going {
			if slices.ContainsFunc(all, func(o going) bool { return o.state && o.host == x.Host }) {
				m.fatal("host state %d is read, and step %d has yet to write it", x.Host, number)
			}
		}
		if m.away[x.Host] == 0 {
			m.fatal("host state %d was never written", x.Host)
		}
		m.states[x.Block], m.stateBy[x.Block] = m.away[x.Host], s.Number
	}
	for _, x := range s.SwapOuts {
		texts, _ := m.block(x.Block)
		m.going[s.Number] = append(m.going[s.Number], going{host: x.Host, texts: slices.Clone(texts)})
	}
	for i, x := range s.SwapIns {
		for number, all := range m.going {
			if slices.ContainsFunc(all, func(o going) bool { return !o.state && o.host == x.Host }) {
				m.fatal("host block %d is read, and step %d has yet to write it", x.Host, number)
			}
		}
		if m.host[x.Host] == nil {
			m.fatal("host block %d was never written", x.Host)
		}
		if slices.ContainsFunc(s.SwapIns[:i], func(o paging.Swap) bool { return o.Block == x.Block }) {
			m.fatal("block %d comes back twice in a step", x.Block)
		}
		texts, by := m.block(x.Block)
		copy(texts, m.host[x.Host])
		for i := range by {
			by[i] = s.Number
		}
	}
}

func (m *memory) copies(s *step.Step) {
	m.moved = m.moved[:0]
	for _, c := range s.Copies {
		texts, _ := m.block(c.From)
		m.moved = append(m.moved, texts[:c.Slots]...)
	}
	at := 0
	for i, c := range s.Copies {
		if slices.ContainsFunc(s.Copies, func(o paging.Copy) bool { return o.From == c.To }) ||
			slices.ContainsFunc(s.Copies[:i], func(o paging.Copy) bool { return o.To == c.To }) {
			m.fatal("block %d is copied to, and more", c.To)
		}
		texts, by := m.block(c.To)
		at += copy(texts, m.moved[at:at+int(c.Slots)])
		for i := range c.Slots {
			by[i] = s.Number
		}
	}
}

func (m *memory) write(s *step.Step, row int32, lines map[uint64]*line) {
	r := &s.Rows[row]
	l, known := lines[r.Sequence], r.First+r.Count-int32(drafted(s, row))
	if l == nil || m.owners[r.Sequence] != r.Lane {
		m.fatal("sequence %d runs in lane %d", r.Sequence, r.Lane)
	}
	for i := r.First; i < r.First+r.Count; i++ {
		p, token := int(s.Positions[i]), s.Tokens[i]
		if token == step.LaneToken {
			token = m.lanes[r.Lane]
		}
		if p != int(r.Start+i-r.First) || i < known && token != l.token(p) {
			m.fatal("sequence %d computes token %d at position %d, where it has %d", r.Sequence, token, p, l.token(p))
		}
		for g := range m.groups {
			to := int(s.Groups[g].Slots[i])
			if to != m.slot(m.tables.of(r, g), p) || to < m.size {
				m.fatal("sequence %d, group %d, position %d is written to slot %d", r.Sequence, g, p, to)
			}
			m.slots[to], m.by[to] = m.said(s, r, l, p), s.Number
		}
	}
}

// read looks at every position that some token of a row attends to, after all rows are written: a slot that two of them
// wrote holds one's text only.
func (m *memory) read(s *step.Step, r *step.Row, g int, l *line) {
	table, group := m.tables.of(r, g), m.groups[g]
	first := 0
	if group.Window > 0 {
		first = max(0, int(r.Start)-group.Window+1)
	}
	for p := range min(group.Sinks, first) {
		m.see(r, g, p, m.slot(table, p), l)
	}
	for p := first; p < int(r.Start+r.Count); p++ {
		if p >= int(r.Start) && m.said(s, r, l, p) != l.texts[p] {
			break // from the first wrong token of a draft on nothing counts
		}
		m.see(r, g, p, m.slot(table, p), l)
	}
}

func (m *memory) see(r *step.Row, g, p, at int, l *line) {
	if m.reads++; m.slots[at] != l.texts[p] {
		m.fatal("sequence %d, group %d: position %d reads slot %d, which holds another text, written by step %d", r.Sequence, g, p, at, m.by[at])
	}
}

// state moves each row's state. Rows of a step run at once, so none may write what another reads or writes.
func (m *memory) state(s *step.Step, lines map[uint64]*line) {
	if len(m.states) == 0 {
		return
	}
	for i, r := range s.Rows {
		for j, o := range s.Rows {
			if i != j && (r.To == o.From || r.To == o.To) {
				m.fatal("sequence %d leaves its state in slot %d, which sequence %d has", r.Sequence, r.To, o.Sequence)
			}
		}
		before, l := text(0), lines[r.Sequence]
		if r.Start > 0 {
			before = l.texts[r.Start-1]
		}
		switch {
		case r.To <= 0 || (r.From == 0) != (r.Start == 0):
			m.fatal("sequence %d at position %d moves its state from slot %d to %d", r.Sequence, r.Start, r.From, r.To)
		case r.From > 0 && m.states[r.From] != before:
			m.fatal("sequence %d at position %d reads slot %d, which holds the state of another text", r.Sequence, r.Start, r.From)
		}
		m.reads++
	}
	for _, r := range s.Rows {
		m.states[r.To], m.stateBy[r.To] = m.said(s, &r, lines[r.Sequence], int(r.Start+r.Count-1)), s.Number
	}
	for i, k := range s.Keeps {
		at := slices.IndexFunc(s.Rows, func(r step.Row) bool { return k.Token >= r.First && k.Token < r.First+r.Count-1 })
		if at < 0 || k.Slot <= 0 || slices.ContainsFunc(s.Rows, func(r step.Row) bool { return k.Slot == r.From || k.Slot == r.To }) ||
			slices.ContainsFunc(s.Keeps[:i], func(o step.Keep) bool { return o.Slot == k.Slot }) {
			m.fatal("slot %d keeps the state after token %d, and more", k.Slot, k.Token)
		}
		r := &s.Rows[at]
		m.states[k.Slot], m.stateBy[k.Slot] = m.said(s, r, lines[r.Sequence], int(s.Positions[k.Token])), s.Number
	}
}
