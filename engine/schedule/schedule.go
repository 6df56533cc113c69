package schedule

import (
	"math"
	"slices"

	"quire/engine/step"
	"quire/paging"
)

// Kind says what Schedule has to offer.
type Kind uint8

const (
	Idle Kind = iota // nothing to do until something is added
	Run              // the step is filled: submit it
	Land             // nothing can be decided until Decision.Step, in flight, has landed
)

// Decision is Schedule's answer. Its slices are valid until the next call.
type Decision struct {
	Kind      Kind
	Step      uint64      // Run: the step's number; Land: the step to land
	Opened    []Opened    // sequences that own a lane since this call, before the step's work
	Preempted []uint64    // sequences that lost their lane and blocks and wait again
	Weighed   []Preempted // the requests that had to go, and why by swap or not; none after Fail or Reset
}

// Opened says that a sequence owns a lane from now on: its sampling parameters, counter and counts of landed tokens
// (Scheduler.Tokens) must be in the lane before the step runs.
type Opened struct {
	Sequence uint64
	Lane     int32
	Sampled  int // landed tokens after the prompt
	Cached   int // tokens that need no computing
}

// flight is what a step in flight must tell at its landing.
type flight struct {
	number  uint64
	rows    []flightRow
	samples int
}

type flightRow struct {
	sequence *sequence
	end      int  // tokens computed with it
	samples  int  // draws: one, and one a token of a draft
	void     bool // nothing that they give lands
}

// Schedule fills st with the next step. At most Depth steps are in flight: a step given out here must be landed (or
// failed) in order.
func (s *Scheduler) Schedule(st *step.Step) Decision {
	if len(s.flight) >= s.config.Depth {
		return s.landFirst()
	}
	for _, q := range s.running {
		if len(q.request.unforked) > 0 && q.computed >= q.prompt && q.flights > 0 {
			return s.landFirst()
		}
	}
	for _, q := range s.running {
		s.cache.Publish(q.table, q.tokens)
	}
	s.shareDrafts()
	if s.awaited() || s.mustDrain() {
		return s.landFirst()
	}
	st.Reset(s.cache.Step(), max(1, len(s.config.Groups)))
	s.moreLogits = 0
	f := s.takeFlight()
	s.fill(st, f)
	if len(st.Rows) == 0 {
		s.spare = append(s.spare, f)
		if len(s.flight) > 0 {
			return s.landFirst()
		}
		return s.decide(Idle, 0)
	}
	st.Copies = append(st.Copies, s.cache.Copies()...)
	st.SwapOuts = append(st.SwapOuts, s.cache.SwapOuts()...)
	st.SwapIns = append(st.SwapIns, s.cache.SwapIns()...)
	st.StateOuts = append(st.StateOuts, s.cache.StateOuts()...)
	st.StateIns = append(st.StateIns, s.cache.StateIns()...)
	s.cache.EndStep()
	f.number = st.Number
	s.flight = append(s.flight, f)
	s.stats.Steps++
	read := s.stats.Read
	for _, r := range st.Rows {
		s.stats.Read += uint64(r.Start + r.Count)
	}
	if len(st.Outputs)+len(st.Pools) > 0 {
		s.stats.Asked++
		s.stats.AskedRead += s.stats.Read - read
	}
	s.stats.Tokens += uint64(len(st.Tokens))
	return s.decide(Run, st.Number)
}

func (s *Scheduler) landFirst() Decision {
	return Decision{Kind: Land, Step: s.flight[0].number}
}

// fill gives the budget out: to running sequences in order, then, if nobody had to go, to waiting ones.
func (s *Scheduler) fill(st *step.Step, f *flight) {
	for s.cache.HasStates() && len(s.pins) > max(1, s.config.States-1-2*s.config.MaxSeqs) {
		s.yield() // each holds a state, and running sequences need theirs
	}
	preempted := len(s.preempted)
	budget := s.budget()
	s.moreForced = s.roomForForced(budget)
	for i := 0; i < len(s.running) && budget > 0; i++ {
		q := s.running[i]
		n := s.share(q, s.beside(i, budget))
		if n == 0 {
			continue
		}
		for {
			taken, err := s.place(q, n)
			if err == nil {
				if q.catchesUp() {
					s.moreForced -= taken - 1
				}
				s.emit(st, f, q, taken)
				budget -= taken
				break
			}
			// The last in order has to go. It is running[i]'s own request when nobody comes after it. A request
			// that is in this step already is in flight too, and stays.
			victim := s.running[len(s.running)-1].request
			if err != paging.ErrNoBlocks || s.inFlight(victim) {
				break
			}
			if s.alone(q.request) && s.yield() {
				continue
			}
			s.preempt(victim)
			if victim == q.request {
				i = s.position(q) - 1
				break
			}
		}
	}
	s.moreForced = math.MaxInt - 1
	if len(s.preempted) == preempted {
		s.admit(st, f, budget)
	}
}

// budget is how many tokens a step may have: fewer where sequences wait for the next of theirs.
func (s *Scheduler) budget() int {
	if least := s.config.SharedBudget; least > 0 && least < s.config.TokenBudget && !s.config.NoChunking && slices.ContainsFunc(s.running, (*sequence).decodes) {
		return least
	}
	return s.config.TokenBudget
}

// beside is the budget of running sequence i. What has several tokens to compute leaves one to each sequence behind that waits for its
// next, and to each prompt before such a one; it has one itself whatever they need, so that it gets on.
func (s *Scheduler) beside(i, budget int) int {
	if s.config.NoChunking || s.share(s.running[i], budget) <= 1 {
		return budget
	}
	others := 0
	for j := len(s.running) - 1; j > i; j-- {
		if q := s.running[j]; (others > 0 || q.decodes()) && s.share(q, budget) > 0 {
			others++
		}
	}
	return max(1, budget-others)
}

// share is the number of tokens that a sequence computes in this step, blocks permitting.
func (s *Scheduler) share(q *sequence, budget int) int {
	n := q.total() - q.computed
	if q.verify > 0 {
		n += min(q.verify, s.spareLogits())
	}
	if q.ahead() {
		n--
	}
	if q.catchesUp() {
		n = min(n, 1+s.moreForced)
	}
	if q.total() >= q.limit || q.request.LandEach && q.unlanded > 0 {
		return 0
	}
	if s.config.NoChunking && n > budget {
		return 0
	}
	return s.untilDue(q, q.computed, min(n, s.chunk(budget), s.wanted(q.request)))
}

// wanted bounds a chunk of a request that wants all logits by what a step can still give.
func (s *Scheduler) wanted(r *request) int {
	if !r.AllLogits {
		return math.MaxInt
	}
	return 1 + s.spareLogits()
}

// spareLogits is how many more outputs than one a sequence the step has room for.
func (s *Scheduler) spareLogits() int {
	if s.config.MoreLogits == 0 {
		return math.MaxInt - 1
	}
	return s.config.MoreLogits - s.moreLogits
}

// chunk is the most tokens that one sequence gets of the budget.
func (s *Scheduler) chunk(budget int) int {
	if s.config.LongPrompt > 0 && !s.config.NoChunking && s.live > 1 {
		return min(budget, s.config.LongPrompt)
	}
	return budget
}

// place takes slots for n tokens of a running sequence. One that came back with its request has no blocks yet, and may
// find some cached.
func (s *Scheduler) place(q *sequence, n int) (int, error) {
	if q.computed > 0 {
		return n, s.cache.Append(q.table, q.tokens, n)
	}
	tokens := q.ready()
	if s.cache.HasStates() {
		n = s.untilDue(q, s.cache.Match(q.table, tokens), n)
	}
	hit, err := s.cache.Allocate(q.table, tokens, n, 0)
	if err != nil {
		return 0, err
	}
	q.computed = hit
	return min(n, len(tokens)-hit), nil
}

// emit writes a sequence's row and counts its tokens as computed.
func (s *Scheduler) emit(st *step.Step, f *flight, q *sequence, n int) {
	row := step.Row{
		Sequence: q.id, Lane: q.lane, First: int32(len(st.Tokens)), Count: int32(n), Start: int32(q.computed),
		Table: int32(len(st.Groups[0].Tables)), Held: int32(q.table.Told()), Blocks: int32(q.table.Len()),
		Long: q.request.extras.Long, LoRA: q.request.LoRA,
	}
	row.From, row.To = q.table.States()
	total, end, size := q.total(), q.computed+n, s.config.BlockSize
	if row.Next = step.LaneToken; end < len(q.tokens) {
		row.Next = q.tokens[end]
	}
	for p := q.computed; p < end; p++ {
		token := step.LaneToken
		if p < len(q.tokens) {
			token = q.tokens[p]
		} else if p >= total {
			token = q.draft[p-total]
		}
		last := p >= total-1 && q.request.Pooling == step.NoPooling
		if logits := q.request.AllLogits && p >= q.logits; last || logits {
			out := step.Output{Token: int32(len(st.Tokens)), Row: int32(len(st.Rows)), Sample: last, Logits: logits}
			if last {
				out.Counter = uint32(p + 1 - q.prompt)
				out.Masked = q.request.Masked
				out.NoStop = p+1-q.prompt < q.request.MinTokens && len(q.request.StopTokens) > 0
			}
			st.Outputs = append(st.Outputs, out)
			if p < end-1 {
				s.moreLogits++
			}
		}
		st.Tokens = append(st.Tokens, token)
		st.Positions = append(st.Positions, int32(p))
	}
	for g := range st.Groups {
		group, ids := &st.Groups[g], q.table.IDs(g)
		group.Tables = append(group.Tables, ids[row.Held:]...)
		for p := q.computed; p < end; p++ {
			group.Slots = append(group.Slots, ids[p/size]*int32(size)+int32(p%size))
		}
	}
	q.table.Tell()
	pool(st, q, row)
	st.Rows = append(st.Rows, row)
	samples := 0
	if end >= total && q.request.Pooling == step.NoPooling {
		q.drafted, q.verify = end-total, 0
		s.keepStates(st, q, int(row.First), q.drafted)
		samples = 1 + q.drafted
		f.samples += samples
		q.unlanded++
	}
	f.rows = append(f.rows, flightRow{sequence: q, end: end, samples: samples})
	q.computed = end
	q.flights++
	s.keep(q)
}

// pool asks for what a row's tokens add to its sequence's embedding, if anything.
func pool(st *step.Step, q *sequence, row step.Row) {
	p := step.Pool{Row: int32(len(st.Rows)), First: row.First, Count: row.Count}
	switch q.request.Pooling {
	case step.PoolMean:
	case step.PoolFirst:
		if row.Start > 0 {
			return
		}
		p.Count = 1
	case step.PoolLast:
		if int(row.Start+row.Count) < q.prompt {
			return
		}
		p.First, p.Count = row.First+row.Count-1, 1
	default:
		return
	}
	st.Pools = append(st.Pools, p)
}

// reserveTokens is how far ahead a sequence's memory is made when it starts, so that steps have nothing to allocate.
const reserveTokens = 8192

// decide hands the lists over; what happens between steps is in the next ones.
func (s *Scheduler) decide(kind Kind, number uint64) Decision {
	d := Decision{Kind: kind, Step: number, Opened: s.opened, Preempted: s.preempted, Weighed: s.weighed}
	s.opened, s.openedBefore = s.openedBefore[:0], s.opened
	s.preempted, s.preemptedBefore = s.preemptedBefore[:0], s.preempted
	s.weighed, s.weighedBefore = s.weighedBefore[:0], s.weighed
	return d
}

func (s *Scheduler) position(q *sequence) int {
	at, _ := slices.BinarySearchFunc(s.running, q, func(o, q *sequence) int {
		if o.before(q) {
			return -1
		}
		if q.before(o) {
			return 1
		}
		return 0
	})
	return at
}

func (s *Scheduler) takeFlight() *flight {
	if last := len(s.spare) - 1; last >= 0 {
		f := s.spare[last]
		s.spare = s.spare[:last]
		clear(f.rows)
		f.rows, f.samples = f.rows[:0], 0
		return f
	}
	return &flight{}
}
