package schedule

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/step"
	"quire/paging"
)

const (
	vocabulary = 50
	endToken   = 0
)

// slot is what a KV row stands for here: the token, its position, and everything before it.
type slot struct {
	token, position int32
	chain           uint32
}

var unwritten = slot{token: -7, position: -7}

// machine runs steps as a GPU would, on slots that remember what they hold. What it samples depends on every slot that
// attention would read, so one wrong block changes the text.
type machine struct {
	t      testing.TB
	size   int
	groups []paging.Group
	slots  []slot
	lanes  []int32 // last sampled token
	tables laneTables
	host   [][]slot // [block of host memory], as far as steps have landed
	going  map[uint64][]leaving
	reads  int
}

// leaving is a block on its way to host memory.
type leaving struct {
	host  int32
	slots []slot
}

func newMachine(t testing.TB, c Config) *machine {
	c = c.withDefaults()
	m := &machine{
		t: t, size: c.BlockSize, groups: c.Groups, lanes: make([]int32, c.MaxSeqs), tables: make(laneTables, c.MaxSeqs), host: make([][]slot, c.HostBlocks+1),
		going: map[uint64][]leaving{},
	}
	if len(m.groups) == 0 {
		m.groups = []paging.Group{{}}
	}
	m.slots = make([]slot, c.Blocks*c.BlockSize)
	m.lose()
	return m
}

// lose forgets everything, as a new device would.
func (m *machine) lose() {
	for i := range m.slots {
		m.slots[i] = unwritten
	}
	for i := range m.lanes {
		m.lanes[i] = -9
	}
	m.tables.lose()
	clear(m.going)
	clear(m.host)
}

// landed brings what a step swapped out to host memory.
func (m *machine) landed(number uint64) {
	for _, b := range m.going[number] {
		m.host[b.host] = b.slots
	}
	delete(m.going, number)
}

// swap moves blocks out and in.
func (m *machine) swap(s *step.Step) {
	for _, x := range s.SwapOuts {
		require.Positive(m.t, x.Host)
		m.going[s.Number] = append(m.going[s.Number], leaving{x.Host, slices.Clone(m.block(x.Block))})
	}
	for _, x := range s.SwapIns {
		for number, all := range m.going {
			for _, b := range all {
				require.NotEqual(m.t, b.host, x.Host, "step %d has not landed", number)
			}
		}
		require.NotNil(m.t, m.host[x.Host], "host block %d was never written", x.Host)
		copy(m.block(x.Block), m.host[x.Host])
	}
}

// block is memory for whichever group holds it.
func (m *machine) block(id int32) []slot { return m.slots[int(id)*m.size : int(id+1)*m.size] }

// firstLink is the chain before the first token.
const firstLink uint32 = 2166136261

func mix(h uint32, v ...int32) uint32 {
	for _, x := range v {
		h = (h ^ uint32(x)) * 16777619
		h ^= h >> 13
	}
	return h
}

// visible says whether a query at position p sees position j in a group.
func visible(g paging.Group, p, j int32) bool {
	return g.Window == 0 || int(j) < g.Sinks || int(p-j) < g.Window
}

// run executes a step and gives the sampled tokens.
func (m *machine) run(s *step.Step) []int32 {
	m.tables.take(s)
	m.swap(s)
	read := make([][]slot, len(s.Copies))
	for i, c := range s.Copies {
		read[i] = append(read[i], m.block(c.From)[:c.Slots]...)
	}
	for i, c := range s.Copies {
		copy(m.block(c.To), read[i])
	}
	require.Len(m.t, s.Positions, len(s.Tokens))
	written := map[int32]bool{}
	for ri, r := range s.Rows {
		for i := r.First; i < r.First+r.Count; i++ {
			require.Equal(m.t, r.Start+i-r.First, s.Positions[i])
			token, p := s.Tokens[i], s.Positions[i]
			if token == step.LaneToken {
				token = m.lanes[r.Lane]
			}
			for g := range m.groups {
				table := m.tables.of(&r, g)
				chain := firstLink
				if p > 0 {
					chain = m.slots[m.at(table, p-1)].chain
				}
				to := s.Groups[g].Slots[i]
				require.Equal(m.t, m.at(table, p), int(to), "row %d", ri)
				require.GreaterOrEqual(m.t, int(to), m.size, "the null block is never written")
				require.False(m.t, written[to], "a slot is written twice in one step")
				written[to] = true
				m.slots[to] = slot{token, p, mix(chain, token)}
			}
		}
	}
	var sampled []int32
	for _, o := range s.Outputs {
		if !o.Sample {
			continue
		}
		r := s.Rows[o.Row]
		h := m.attend(s, r, s.Positions[o.Token])
		token := draw(h, o.Counter)
		sampled = append(sampled, token)
		m.lanes[r.Lane] = token
	}
	return sampled
}

func draw(h, counter uint32) int32 { return int32(mix(h, int32(counter)) % vocabulary) }

func (m *machine) at(table []int32, p int32) int {
	return int(table[int(p)/m.size])*m.size + int(p)%m.size
}

// attend folds all that a query at position p reads.
func (m *machine) attend(s *step.Step, r step.Row, p int32) uint32 {
	h := uint32(17)
	for g, group := range m.groups {
		table := m.tables.of(&r, g)
		for j := int32(0); j <= p; j++ {
			if !visible(group, p, j) {
				continue
			}
			at := m.slots[m.at(table, j)]
			require.Equal(m.t, j, at.position, "sequence %d, group %d: position %d reads a slot of position %d", r.Sequence, g, j, at.position)
			h = mix(h, at.token, at.position, int32(at.chain))
			m.reads++
		}
	}
	return h
}

// continuation is the text that a sequence gets when it runs alone on a cache without limits.
func continuation(groups []paging.Group, prompt []int32, tokens, minimum int) []int32 {
	if len(groups) == 0 {
		groups = []paging.Group{{}}
	}
	all := append([]int32(nil), prompt...)
	for len(all) < len(prompt)+tokens {
		n := len(all) - len(prompt)
		all = append(all, following(groups, all, n))
		if all[len(all)-1] == endToken && n+1 >= minimum {
			break
		}
	}
	return all[len(prompt):]
}

// following is the token after these, of which the last n were sampled.
func following(groups []paging.Group, tokens []int32, n int) int32 {
	h, p, link := uint32(17), int32(len(tokens)-1), firstLink
	links := make([]int32, len(tokens))
	for i, token := range tokens {
		link = mix(link, token)
		links[i] = int32(link)
	}
	for _, g := range groups {
		for j := int32(0); j <= p; j++ {
			if visible(g, p, j) {
				h = mix(h, tokens[j], j, links[j])
			}
		}
	}
	return draw(h, uint32(n))
}

// rig is a scheduler with a machine, driven step by step.
type rig struct {
	*Scheduler
	t       testing.TB
	machine *machine
	step    step.Step
	results map[uint64][]int32 // by step in flight
	texts   map[uint64][]int32
	ended   map[uint64]Reason
	lanes   map[uint64]int32
	order   []uint64 // sequences in order of their first lane
	stops   []int32  // of requests that do not name theirs
}

// endless is a rig whose sequences end at their limits only.
func endless(t testing.TB, c Config) *rig {
	r := newRig(t, c)
	r.stops = nil
	return r
}

// Add hands a request over with the rig's stop tokens.
func (r *rig) Add(q Request) error {
	if q.StopTokens == nil {
		q.StopTokens = r.stops
	}
	return r.Scheduler.Add(q)
}

func newRig(t testing.TB, c Config) *rig {
	s, err := New(c)
	require.NoError(t, err)
	return &rig{
		Scheduler: s, t: t, machine: newMachine(t, c), results: map[uint64][]int32{}, texts: map[uint64][]int32{},
		ended: map[uint64]Reason{}, lanes: map[uint64]int32{}, stops: []int32{endToken},
	}
}

// forkTo forks a sequence that goes on with another token.
func (r *rig) forkTo(parent, child uint64, token int32) error {
	if err := r.Fork(parent, child); err != nil {
		return err
	}
	return r.Replace(child, token)
}

// next asks for a step and runs it at once, keeping what it sampled for land.
func (r *rig) next() Decision {
	d := r.Schedule(&r.step)
	require.NoError(r.t, r.Check())
	for _, o := range d.Opened {
		if _, ok := r.lanes[o.Sequence]; !ok {
			r.order = append(r.order, o.Sequence)
		}
		r.lanes[o.Sequence] = o.Lane
	}
	if d.Kind == Run {
		for _, row := range r.step.Rows {
			require.Equal(r.t, r.lanes[row.Sequence], row.Lane)
		}
		r.results[d.Step] = r.machine.run(&r.step)
	}
	return d
}

func (r *rig) land(number uint64) []Landed {
	r.machine.landed(number)
	landed, err := r.Land(number, r.results[number])
	require.NoError(r.t, err)
	require.NoError(r.t, r.Check())
	for _, l := range landed {
		r.texts[l.Sequence] = append(r.texts[l.Sequence], l.Token)
		if l.Reason != Going {
			r.ended[l.Sequence] = l.Reason
		}
	}
	delete(r.results, number)
	return landed
}

// finish runs until nothing is left.
func (r *rig) finish() {
	for range 100_000 {
		switch d := r.next(); d.Kind {
		case Idle:
			require.Zero(r.t, r.Stats().Waiting, "idle while requests wait")
			require.Zero(r.t, r.Stats().Running)
			return
		case Land:
			r.land(d.Step)
		}
	}
	require.Fail(r.t, "it never ends")
}

// counts gives the tokens that each row of the last step has, by sequence.
func (r *rig) counts() map[uint64]int {
	n := map[uint64]int{}
	for _, row := range r.step.Rows {
		n[row.Sequence] = int(row.Count)
	}
	return n
}

// prompt gives n tokens that differ from other numbers' from the first on.
func prompt(number, n int) []int32 {
	p := make([]int32, n)
	for i := range p {
		p[i] = int32(number*1000 + i + 1)
	}
	return p
}

func name(format string, a ...any) string { return fmt.Sprintf(format, a...) }
