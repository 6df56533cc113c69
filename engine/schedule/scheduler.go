// Package schedule decides what runs in each step, and in which blocks.
//
// The one idea: there is no prefill phase and no decode phase. A sequence has tokens, and it has computed tokens, whose
// K and V are in the cache; a step moves the second number toward the first, for many sequences at once, under one
// budget of tokens. A new prompt has everything to compute and takes a chunk a step; a sequence that has caught up has
// one token to compute, its last, and computing it samples the next. A prefix hit, a fork, a preemption or a lost device
// only changes how many tokens count as computed; the rest follows.
//
// Steps are made ahead of their results: Schedule counts tokens as computed, and a sampled token as there, when it hands
// the step out, up to Depth steps before Land says what was sampled. In between a token is known by its place only and
// travels as step.LaneToken. What cannot be decided without the result waits for it: Schedule then answers Land.
//
// Everything is decided from integers, in the caller's goroutine, without looking at a clock: equal calls give equal
// steps.
package schedule

import (
	"fmt"
	"math"

	"quire/paging"
)

// Defaults of Config, and of all that is made of it.
const (
	DefaultBlockSize        = 16
	DefaultTokenBudget      = 512
	DefaultLongPrompt       = 256
	DefaultMaxSeqs          = 64
	DefaultSnapshotInterval = 512
)

// Config is fixed for a scheduler's life.
type Config struct {
	BlockSize        int            // slots a block; 0: DefaultBlockSize
	Blocks           int            // blocks of the pool, the null block included
	Groups           []paging.Group // KV groups; none: one of full attention
	States           int            // slots of paging.Config.States: 2 + 2·MaxSeqs or more, or 0
	SnapshotInterval int            // tokens, in whole blocks, between snapshots of states; 0: DefaultSnapshotInterval
	PrefixCache      bool
	PartialHits      bool // copy the first rows of a cached block that shares only its first tokens
	Watermark        int  // blocks that an admission must leave free while others run

	TokenBudget int // tokens a step; 0: DefaultTokenBudget
	// SharedBudget is the budget of a step in which sequences decode; 0: TokenBudget. It is for those who wait for their next token.
	SharedBudget int
	LongPrompt   int  // tokens a step of one request while another runs or waits; 0: DefaultLongPrompt, below 0: no cap
	NoChunking   bool // a prompt runs whole or waits
	MaxSeqs      int  // sequences that run at once, and lanes; 0: DefaultMaxSeqs
	MaxModelLen  int  // tokens of one sequence, prompt and output; 0: as many as the blocks hold
	Depth        int  // steps in flight; 0: 1
	// ShortContext is how many tokens a prompt may have for its sequences to be rotated as usual; those of longer ones are
	// rotated for a long context, to their end. 0: there is one way.
	ShortContext int
	QueueLimit   int        // requests that wait for others to make room; 0: any number
	MoreLogits   int        // outputs of a step beyond one a sequence, for requests with AllLogits and for drafts; 0: any number
	StepRows     []StepRows // rising; what has not to be computed yet keeps to them
	DraftRows    int        // tokens of a step that sequences and their drafts may be together; with more, no draft is verified. 0: none ever is

	HostBlocks int        // blocks of host memory to swap to
	Preemption Preemption // Cheaper compares these costs, in one unit:
	TokenCost  uint64     // of computing a token again
	BlockCost  uint64     // of moving a block to host memory and back
	StateCost  uint64     // of moving a state likewise
	HostStates int        // of host memory to swap to, for states

	Events func(paging.Event) // told what happens to blocks
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&c.BlockSize, DefaultBlockSize}, {&c.TokenBudget, DefaultTokenBudget}, {&c.LongPrompt, DefaultLongPrompt}, {&c.MaxSeqs, DefaultMaxSeqs}, {&c.Depth, 1}, {&c.SnapshotInterval, DefaultSnapshotInterval},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	c.SnapshotInterval = (c.SnapshotInterval + c.BlockSize - 1) / c.BlockSize * c.BlockSize
	return c
}

// Scheduler holds all requests from Add to their end.
type Scheduler struct {
	config Config
	cache  *paging.Manager
	slots  int // tokens that one sequence can have in the cache when it has it alone

	byID     map[uint64]*sequence
	pending  map[uint64]*request // samples that are to be forked from their prompt
	waiting  waiting
	running  []*sequence // by priority, arrival, and place in the request
	reserved int         // lanes that running requests own or may still ask for
	lanes    []int32     // free ones, the next at the end
	live     int         // requests, running or waiting
	arrivals uint64      // the largest so far
	added    uint64      // requests so far
	pins     []*Pin      // oldest first

	moreLogits int     // outputs of the step in the making beyond one a sequence
	moreForced int     // forced tokens that it has room for beyond one a sequence
	kept       []int32 // state slots of the row in the making

	flight []*flight // oldest first
	spare  []*flight

	opened, openedBefore       []Opened // for the next decision, and what the last one named
	preempted, preemptedBefore []uint64
	weighed, weighedBefore     []Preempted
	landed                     []Landed
	tables                     []*paging.BlockTable
	looks                      uint64 // looks ahead so far
	stats                      Stats
}

// New makes a scheduler with nothing to do.
func New(c Config) (*Scheduler, error) {
	c = c.withDefaults()
	for _, f := range []struct {
		name  string
		value int
	}{{"TokenBudget", c.TokenBudget}, {"MaxSeqs", c.MaxSeqs}, {"Depth", c.Depth}} {
		if f.value < 1 {
			return nil, fmt.Errorf("schedule: %s is %d: it must be at least 1", f.name, f.value)
		}
	}
	if c.SnapshotInterval < 1 || c.States > 0 && c.States < 2+2*c.MaxSeqs {
		return nil, fmt.Errorf("schedule: SnapshotInterval %d, and States %d for %d sequences", c.SnapshotInterval, c.States, c.MaxSeqs)
	}
	if c.MaxModelLen < 0 || c.QueueLimit < 0 || c.Watermark < 0 || c.SharedBudget < 0 {
		return nil, fmt.Errorf("schedule: MaxModelLen %d, QueueLimit %d, Watermark %d and SharedBudget %d: none may be negative",
			c.MaxModelLen, c.QueueLimit, c.Watermark, c.SharedBudget)
	}
	cache, err := paging.NewManager(paging.Config{
		BlockSize: c.BlockSize, Blocks: c.Blocks, Groups: c.Groups, States: c.States,
		HostBlocks: c.HostBlocks, HostStates: c.HostStates, PrefixCache: c.PrefixCache, PartialHits: c.PartialHits, Events: c.Events,
	})
	if err != nil {
		return nil, err
	}
	s := &Scheduler{config: c, cache: cache, moreForced: math.MaxInt - 1, byID: map[uint64]*sequence{}, pending: map[uint64]*request{}}
	s.slots = s.slotsOf(c.Blocks - 1)
	if s.slots < 1 {
		return nil, fmt.Errorf("schedule: Blocks is %d: too few for %d KV groups", c.Blocks, max(1, len(c.Groups)))
	}
	if longest := s.limit(s.slots); c.NoChunking && c.TokenBudget < longest {
		return nil, fmt.Errorf("schedule: TokenBudget is %d: without chunks it must hold a sequence of %d tokens",
			c.TokenBudget, longest)
	}
	for lane := c.MaxSeqs - 1; lane >= 0; lane-- {
		s.lanes = append(s.lanes, int32(lane))
	}
	return s, nil
}

// slotsOf gives the tokens that surely fit into so many blocks.
func (s *Scheduler) slotsOf(blocks int) int {
	return Room{Groups: s.config.Groups, BlockSize: s.config.BlockSize, TokenBudget: s.config.TokenBudget}.Slots(blocks)
}

// limit is the most tokens that a sequence may have: the last needs no slot.
func (s *Scheduler) limit(slots int) int {
	if s.config.MaxModelLen > 0 {
		return min(s.config.MaxModelLen, slots+1)
	}
	return slots + 1
}

// Cache is the block manager, to look at.
func (s *Scheduler) Cache() *paging.Manager { return s.cache }

// Check proves the books of the cache and that lanes are owned once.
func (s *Scheduler) Check() error {
	if err := s.cache.Check(); err != nil {
		return err
	}
	owned := make([]bool, s.config.MaxSeqs)
	for _, lane := range s.lanes {
		if owned[lane] {
			return fmt.Errorf("schedule: lane %d is free twice", lane)
		}
		owned[lane] = true
	}
	for _, q := range s.running {
		if q.lane == noLane || owned[q.lane] {
			return fmt.Errorf("schedule: sequence %d runs in lane %d, which is not its own", q.id, q.lane)
		}
		owned[q.lane] = true
		if q.table.Tokens() != q.computed {
			return fmt.Errorf("schedule: sequence %d has %d computed tokens in %d slots", q.id, q.computed, q.table.Tokens())
		}
	}
	if s.live == 0 && len(s.pins) == 0 && s.cache.Stats().Active != 0 {
		return fmt.Errorf("schedule: %d blocks are in use by nobody", s.cache.Stats().Active)
	}
	return nil
}
