package schedule

import (
	"errors"
	"slices"

	"quire/engine/step"
	"quire/paging"
)

var (
	// ErrQueueFull says that QueueLimit requests wait already, for others to make room.
	ErrQueueFull = errors.New("schedule: too many requests wait: try again later, or raise the queue limit")
	// ErrCannot says that what is asked of a sequence makes no sense as it stands; the text says why.
	ErrCannot = errors.New("schedule: the sequence cannot do that")
	// ErrUnknown says that no live sequence has this id.
	ErrUnknown = errors.New("schedule: no such sequence")
	// ErrInFlight says that steps that hold the sequence must land first.
	ErrInFlight = errors.New("schedule: the sequence is in flight: land its steps first")
	// ErrNoLane says that the request has its Lanes in use, or that MaxSeqs sequences run already.
	ErrNoLane = errors.New("schedule: no lane for another sequence: ask for Lanes in the request, or raise MaxSeqs")
	// ErrOrder says that a step was landed or failed that is not the oldest in flight, or with another number of tokens.
	ErrOrder = errors.New("schedule: not the step that lands next")
)

// Request asks for tokens after a prompt.
type Request struct {
	ID         uint64   // of its sequence; unique among live ones
	Samples    []uint64 // ids of further sequences that fork from the prompt once it is computed
	Lanes      int      // most sequences at once, forks included; their lanes are kept while any of them lives
	Prompt     []int32  // token ids, at least one; kept, not changed
	MaxTokens  int      // tokens to generate; 0: until the context is full
	StopTokens []int32  // each ends a sequence; kept, not changed
	MinTokens  int      // sampled tokens that no stop token ends, and that are to be none (step.Output.NoStop)
	Priority   int      // the lower, the sooner
	Arrival    uint64   // order within a priority, equal ones in order of Add; 0: after all others so far
	Tenant     string   // waiting tenants take turns within a priority
	Salt       string   // cached blocks are shared only under an equal salt
	LoRA       string   // and an equal LoRA
	LandEach   bool     // its sampled token lands before its next step is made: for grammars and beams
	Lockstep   bool     // no sequence runs ahead of the request's others: for beams
	Masked     bool     // its tokens are drawn under masks (step.Output.Masked)
	AllLogits  bool     // every token's logits are read back; nothing is taken from the prefix cache

	// Pooling asks for an embedding of the prompt in place of tokens: the sequence ends when its prompt is computed.
	Pooling step.Pooling

	// Landed is what its sequences, its own and Samples, have sampled elsewhere: none has reached its end. They begin as if they had
	// been preempted here, with the counters that follow. Without, Samples are forked.
	Landed [][]int32
}

// request is a Request and its sequences, which run, wait and are preempted as one.
type request struct {
	Request
	members  []*sequence // live ones, in order of their forks
	unforked []uint64    // samples that wait for the prompt
	order    uint64      // of Add: decides between equal arrivals
	extras   paging.Extras
	capacity int // sequences that surely fit into the cache together
	reserved int // lanes, while it runs
	running  bool
	spoiled  bool   // its blocks are not to be found any more
	swapped  uint64 // the step that last moved its blocks to host memory
	counted  bool   // its lookup is in the statistics
	mark     uint64 // the last look ahead that took it for preempted
}

// sequence is one line of tokens. Of its tokens [0, computed) have slots in the table, the last `count` of each flight's
// row still being worked on; [computed, len(tokens)+unlanded) are to be computed; [len(tokens), len(tokens)+unlanded) are
// sampled by steps in flight and not known here.
type sequence struct {
	id       uint64
	request  *request
	ordinal  int // place in the request
	tokens   []int32
	prompt   int // leading tokens that were not sampled
	limit    int // tokens at which it ends
	computed int
	unlanded int
	flights  int     // steps in flight that hold it
	logits   int     // tokens whose logits were read back
	draft    []int32 // that may follow its tokens
	verify   int     // of them, in the step in the making
	drafted  int     // of them, in flight
	forced   int     // leading tokens up to the last that was forced; 0: all that is forced is computed
	undraft  bool    // nothing of that step is to land
	lane     int32   // noLane while it waits
	ended    bool
	muted    bool // cancelled, but other samples still need its prompt
	table    *paging.BlockTable
}

// noLane is the lane of a sequence that has none.
const noLane int32 = -1

func (q *sequence) total() int { return len(q.tokens) + q.unlanded }

// decodes says whether the sequence's prompt is computed, so that each step gives it a token.
func (q *sequence) decodes() bool { return q.computed >= q.prompt }

// before is the order of running sequences.
func (q *sequence) before(o *sequence) bool {
	if q.request != o.request {
		return q.request.before(o.request)
	}
	return q.ordinal < o.ordinal
}

func (r *request) before(o *request) bool {
	if r.Priority != o.Priority {
		return r.Priority < o.Priority
	}
	if r.Arrival != o.Arrival {
		return r.Arrival < o.Arrival
	}
	return r.order < o.order
}

// lanesNeeded is what the request must have free to run.
func (r *request) lanesNeeded() int { return max(r.Lanes, len(r.members)+len(r.unforked)) }

// Limit is the most tokens, prompt and output, that each of a request's sequences may reach. A prompt must leave one over.
func (s *Scheduler) Limit(sequences int) int {
	return s.limit(s.slotsOf((s.config.Blocks - 1) / sequences))
}

// Add queues a request, or says ErrQueueFull. Whoever adds it has seen to it that it makes sense: its ids are new, it has a
// prompt of tokens shorter than Limit, no number is negative, and no more sequences than MaxSeqs.
func (s *Scheduler) Add(q Request) error {
	if s.queueFull() {
		return ErrQueueFull
	}
	if q.Arrival == 0 {
		q.Arrival = s.arrivals + 1
	}
	s.arrivals = max(s.arrivals, q.Arrival)
	s.added++
	r := &request{Request: q, order: s.added, capacity: max(q.Lanes, 1+len(q.Samples)), unforked: slices.Clone(q.Samples)}
	r.extras = s.extras(q.Salt, q.LoRA, len(q.Prompt))
	limit := s.Limit(r.capacity)
	if q.MaxTokens > 0 {
		limit = min(limit, len(q.Prompt)+q.MaxTokens)
	}
	if q.Pooling != step.NoPooling {
		limit = len(q.Prompt) + 1 // a prompt may fill the context: nothing comes after it
	}
	if len(q.Landed) == 0 {
		s.enter(r, q.ID, nil, limit)
	} else {
		r.unforked = nil
		for i, id := range append([]uint64{q.ID}, q.Samples...) {
			s.enter(r, id, q.Landed[i], limit)
		}
	}
	for _, id := range r.unforked {
		s.pending[id] = r
	}
	s.waiting.add(r)
	s.live++
	return nil
}

// enter gives a request that comes in a sequence.
func (s *Scheduler) enter(r *request, id uint64, landed []int32, limit int) {
	q := &sequence{
		id: id, request: r, ordinal: len(r.members), tokens: slices.Concat(r.Prompt, landed), prompt: len(r.Prompt), limit: limit, lane: noLane,
		table: s.cache.NewTable(r.extras),
	}
	q.table.SkipLookup, q.table.Sequence = r.AllLogits || r.Pooling == step.PoolMean || r.Pooling == step.PoolFirst, id
	r.members = append(r.members, q)
	s.byID[id] = q
}

func (s *Scheduler) known(id uint64) bool {
	return s.byID[id] != nil || s.pending[id] != nil
}

// Tokens gives a live sequence's landed tokens, the prompt first. It is the scheduler's memory, until the next Land.
func (s *Scheduler) Tokens(id uint64) ([]int32, bool) {
	if q := s.byID[id]; q != nil {
		return q.tokens, true
	}
	return nil, false
}

// Table gives a live sequence's block table in a KV group, null blocks where a window has left; empty while it waits. It
// is the scheduler's memory, until the next call.
func (s *Scheduler) Table(id uint64, group int) []int32 {
	if q := s.byID[id]; q != nil && group >= 0 && group < max(1, len(s.config.Groups)) {
		return q.table.IDs(group)
	}
	return nil
}

// Blocks gives the number of blocks in a live sequence's tables.
func (s *Scheduler) Blocks(id uint64) int {
	q := s.byID[id]
	if q == nil {
		return 0
	}
	return s.cache.Blocks(q.table)
}
