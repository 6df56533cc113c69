package draft

import (
	"context"

	"quire/engine/sample"
	"quire/engine/step"
	"quire/paging"
)

// Runner computes a model's steps, in order.
type Runner interface {
	Open(lane int32, p sample.Params, h sample.History) error
	Submit(s *step.Step) error
	Land(ctx context.Context) (*step.Result, error)
}

// ModelConfig is fixed for a Model's life.
type ModelConfig struct {
	Cache      paging.Config
	Lanes      int // sequences that may be drafted for at once
	Budget     int // tokens a step
	Context    int // the most tokens of a sequence
	Vocabulary int // of the model that verifies
	Share      int // what a step costs, in hundredths of one of the model that verifies
}

// Model drafts with a smaller model of the same vocabulary: its likeliest tokens, one after another. It has blocks of its own. What
// it does not manage it leaves out, without an error: the text does not depend on it. One goroutine uses it.
type Model struct {
	config ModelConfig
	runner Runner // nil: nothing can be drafted
	cache  *paging.Manager
	lanes  []int32 // free ones
	life   int     // runners so far
	step   step.Step
	flying int // steps that have not landed
}

// NewModel makes a model that drafts nothing before Reset.
func NewModel(c ModelConfig) *Model { return &Model{config: c} }

// Reset begins anew on a runner, which has computed nothing yet; nil: there is none, as when the device is lost.
func (m *Model) Reset(r Runner) error {
	m.life++
	m.runner, m.lanes, m.flying = nil, m.lanes[:0], 0
	if r == nil {
		return nil
	}
	cache, err := paging.NewManager(m.config.Cache)
	if err != nil {
		return err
	}
	m.runner, m.cache = r, cache
	for lane := range m.config.Lanes {
		m.lanes = append(m.lanes, int32(lane))
	}
	return nil
}

// Check proves the books of the model's cache, and that nothing is held once all drafters are closed.
func (m *Model) Check() error {
	if m.runner == nil {
		return nil
	}
	return m.cache.Check()
}

// submit computes n tokens of a sequence from a position on, for which there are slots; tokens are those that are known.
func (m *Model) submit(t *paging.BlockTable, lane int32, tokens []int32, start, n int, draw bool) error {
	s, size := &m.step, m.config.Cache.BlockSize
	groups := max(1, len(m.config.Cache.Groups))
	s.Reset(m.cache.Step(), groups)
	for p := start; p < start+n; p++ {
		token := step.LaneToken
		if p < len(tokens) {
			token = tokens[p]
		}
		s.Tokens, s.Positions = append(s.Tokens, token), append(s.Positions, int32(p))
	}
	for g := range groups {
		ids := t.IDs(g)
		s.Groups[g].Tables = append(s.Groups[g].Tables, ids...)
		for p := start; p < start+n; p++ {
			s.Groups[g].Slots = append(s.Groups[g].Slots, ids[p/size]*int32(size)+int32(p%size))
		}
	}
	row := step.Row{Sequence: uint64(lane) + 1, Lane: lane, Count: int32(n), Start: int32(start), Blocks: int32(t.Len())}
	row.From, row.To = t.States()
	s.Rows = append(s.Rows, row)
	if draw {
		m.cache.KeepFork(t) // the next draft may begin here
		s.Outputs = append(s.Outputs, step.Output{Token: int32(n - 1), Sample: true})
	}
	s.Copies = append(s.Copies, m.cache.Copies()...)
	m.cache.EndStep()
	if err := m.runner.Submit(s); err != nil {
		return err
	}
	m.flying++
	return nil
}

// land waits for the oldest step and adds what it drew to drawn.
func (m *Model) land(drawn []int32) ([]int32, error) {
	result, err := m.runner.Land(context.Background())
	if err != nil {
		return drawn, err
	}
	m.flying--
	return append(drawn, result.Tokens...), nil
}

// fail leaves the model as without a runner: whoever lost the device makes another.
func (m *Model) fail() { m.runner = nil }

// mostFlying is how many chunks of a prompt are computed ahead.
const mostFlying = 3

// companion is a drafter: one sequence's part of a Model.
type companion struct {
	pace
	model *Model
	life  int // of the model, in which it has a table and a lane
	table *paging.BlockTable
	lane  int32
	base  int     // tokens that the table is of, as they have landed,
	tail  []int32 // and those behind them that were drafted
	rest  int     // tokens before which nothing is drafted
	tired int     // how many tokens the next rest takes
	drawn []int32
}

// Drafter makes a drafter for a new sequence.
func (m *Model) Drafter(s Settings) Drafter {
	return &companion{pace: newPace(s), model: m, tired: firstRest}
}

// firstRest is how many tokens come one by one after drafts that were not worth while; each further rest is twice as long.
const firstRest = 32

// Draft implements Drafter.
func (c *companion) Draft(tokens []int32, inFlight, most int) []int32 {
	m := c.model
	most = min(most, c.most, m.config.Context-len(tokens))
	if m.runner == nil || len(tokens) < c.rest || most < 1 || !c.join() {
		return nil
	}
	if inFlight > 0 {
		c.drawn = waiting(c.drawn, inFlight)
		return c.drawn
	}
	c.drawn = c.drawn[:0]
	if err := c.compute(tokens, most); err != nil {
		m.fail()
		return nil
	}
	for i, token := range c.drawn {
		if int(token) >= m.config.Vocabulary {
			return c.drawn[:i]
		}
	}
	return c.drawn
}

// join has a table and a lane in the model as it is now.
func (c *companion) join() bool {
	m := c.model
	if c.life == m.life {
		return true
	}
	if len(m.lanes) == 0 {
		return false
	}
	lane := m.lanes[len(m.lanes)-1]
	if m.runner.Open(lane, sample.Params{}, sample.History{}) != nil {
		return false
	}
	m.lanes = m.lanes[:len(m.lanes)-1]
	c.life, c.lane, c.table = m.life, lane, m.cache.NewTable(paging.Extras{Salt: c.Salt})
	c.base, c.tail = 0, c.tail[:0]
	return true
}

// rewind leaves of the table what is of these tokens, the last of which is to be computed.
func (c *companion) rewind(tokens []int32) {
	keep := min(c.base, len(tokens))
	for i := 0; keep == c.base+i && i < len(c.tail) && keep < len(tokens) && tokens[keep] == c.tail[i]; i++ {
		keep++
	}
	keep = min(keep, len(tokens)-1)
	if over := c.table.Tokens() - keep; over > 0 && (keep == 0 || c.model.cache.Truncate(c.table, over) != nil) {
		c.model.cache.Free(c.table)
	}
	if c.model.cache.HasStates() {
		if c.model.cache.DropForks(c.table); c.table.Tokens() == 0 {
			c.model.cache.Free(c.table)
		}
	}
	c.base, c.tail = len(tokens), c.tail[:0]
}

// compute draws so many tokens, or fewer where there are no blocks for them. An error is the device's.
func (c *companion) compute(tokens []int32, most int) (err error) {
	m := c.model
	c.rewind(tokens)
	drawn := 0
	for c.table.Tokens() < len(tokens) {
		start, n := c.table.Tokens(), min(len(tokens)-c.table.Tokens(), m.config.Budget)
		if start == 0 {
			start, err = m.cache.Allocate(c.table, tokens, n, 0)
			n = min(n, len(tokens)-start)
		} else {
			err = m.cache.Append(c.table, tokens, n)
		}
		if err != nil {
			break
		}
		whole := start+n == len(tokens)
		if whole {
			drawn++
		}
		if err := m.submit(c.table, c.lane, tokens, start, n, whole); err != nil {
			return err
		}
		if m.flying > mostFlying {
			if c.drawn, err = m.land(c.drawn); err != nil {
				return err
			}
		}
	}
	for drawn > 0 && drawn < most && m.cache.Append(c.table, tokens, 1) == nil {
		if err := m.submit(c.table, c.lane, tokens, c.table.Tokens()-1, 1, true); err != nil {
			return err
		}
		drawn++
	}
	for m.flying > 0 {
		if c.drawn, err = m.land(c.drawn); err != nil {
			return err
		}
	}
	c.tail = append(c.tail, c.drawn[:max(0, len(c.drawn)-1)]...)
	if c.table.Tokens() < len(tokens) { // no blocks: what is computed waits for others to end
		c.base = c.table.Tokens()
	}
	return nil
}

// Verified implements Drafter.
func (c *companion) Verified(drafted, accepted int) {
	if c.verified(drafted, accepted, c.price(drafted)+16*drafted*c.model.config.Share/100) {
		c.rest = c.base + accepted + c.tired
		c.tired = min(2*c.tired, 32*firstRest)
	} else if accepted == drafted {
		c.tired = firstRest
	}
}

// Close implements Drafter.
func (c *companion) Close() {
	m := c.model
	if m.runner == nil || c.life != m.life {
		return
	}
	m.cache.Free(c.table)
	m.lanes = append(m.lanes, c.lane)
	c.life = 0
}
