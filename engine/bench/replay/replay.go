// Package replay sends request traces through the real scheduler and block manager without a GPU, a step the unit of
// time, to compare paging with contiguous allocation and to measure what sharing saves (PagedAttention, arXiv
// 2309.06180, section 6).
package replay

import (
	"fmt"

	"quire/engine/schedule"
	"quire/engine/step"
	"quire/paging/sim"
)

// Options say how a trace is replayed.
type Options struct {
	Blocks    int // of memory, the null block included
	BlockSize int // slots
	Watermark int // blocks that an admission must leave free while others run

	// Setting holds for all allocators; its Slots are set from Blocks and BlockSize.
	sim.Setting
}

// Paged is the name of the result that Compare puts first.
const Paged = "paged"

// Compare replays requests, cut to the maximum length, through the scheduler, then over the contiguous allocators, all
// with equal memory: to the null block's slots the contiguous ones have a right too.
func Compare(requests []sim.Request, o Options) ([]sim.Result, error) {
	requests, err := sim.Cut(requests, o.MaxLen)
	if err != nil {
		return nil, err
	}
	o.Slots = o.Blocks * o.BlockSize
	paged, err := o.paged(requests)
	if err != nil {
		return nil, err
	}
	results := []sim.Result{paged}
	for _, p := range sim.Policies() {
		r, err := p.Replay(requests, o.Setting)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// unlimited is a limit that no step reaches.
const unlimited = 1 << 30

// scheduler makes a scheduler whose only limit is memory.
func (o *Options) scheduler(prefixCache bool) (*schedule.Scheduler, error) {
	return schedule.New(schedule.Config{
		BlockSize: o.BlockSize, Blocks: o.Blocks, PrefixCache: prefixCache, Watermark: o.Watermark,
		TokenBudget: unlimited, LongPrompt: -1, MaxSeqs: o.Blocks,
	})
}

// feed gives a scheduler the requests of a trace as they arrive. It holds back what no step could admit yet: to the
// scheduler this is as if all of them waited, but their prompts take no memory.
type feed struct {
	*schedule.Scheduler
	requests []sim.Request
	setting  sim.Setting
	prompts  prompts
	request  func(r *schedule.Request) // adds to the request; may be nil
	next     int
	now      int
}

// add gives what has arrived. Every admission takes a free block at least.
func (f *feed) add() error {
	stats := f.Stats()
	if stats.Waiting+stats.Running == 0 && f.next < len(f.requests) {
		f.now = max(f.now, f.setting.ArrivalStep(&f.requests[f.next]))
	}
	for most := stats.Cache.Free + 1 - stats.Waiting; most > 0 && f.next < len(f.requests); most-- {
		r := &f.requests[f.next]
		if f.setting.ArrivalStep(r) > f.now {
			return nil
		}
		q := schedule.Request{ID: id(f.next), Prompt: f.prompts.tokens(r, f.next), MaxTokens: r.Output}
		if f.request != nil {
			f.request(&q)
		}
		if limit := f.Limit(max(q.Lanes, 1+len(q.Samples))); len(q.Prompt) >= limit {
			return fmt.Errorf("request %d of the trace has %d tokens, and %d with their output is the most: %w", f.next+1, len(q.Prompt), limit, sim.ErrNoRoom)
		}
		if err := f.Add(q); err != nil {
			return fmt.Errorf("request %d of the trace: %w", f.next+1, err)
		}
		f.next++
	}
	return nil
}

// id is the id of a request's first sequence; those behind it are for its samples and beams.
func id(request int) uint64 { return uint64(request) << 32 }

// run makes and lands steps until every request has ended. See is told of each made step, land of each landed one.
func (f *feed) run(see func(st *step.Step), land func([]schedule.Landed) error) error {
	var st step.Step
	var tokens []int32
	for ; ; f.now++ {
		if err := f.add(); err != nil {
			return err
		}
		d := f.Schedule(&st)
		if d.Kind != schedule.Run {
			if stats := f.Stats(); stats.Waiting+stats.Running > 0 || f.next < len(f.requests) {
				return fmt.Errorf("replay: %d requests wait and none runs: %w", stats.Waiting, sim.ErrNoRoom)
			}
			return nil
		}
		see(&st)
		tokens = tokens[:0]
		for _, out := range st.Outputs {
			tokens = append(tokens, ownToken(st.Rows[out.Row].Sequence))
		}
		landed, err := f.Land(d.Step, tokens)
		if err != nil {
			return err
		}
		if land != nil {
			if err := land(landed); err != nil {
				return err
			}
		}
	}
}

func (o *Options) paged(requests []sim.Request) (sim.Result, error) {
	hashed := sim.Hashed(requests)
	s, err := o.scheduler(hashed)
	if err != nil {
		return sim.Result{}, err
	}
	f := feed{Scheduler: s, requests: requests, setting: o.Setting, prompts: prompts{hashed: hashed}}
	ledger := sim.Ledger{Slots: o.Slots}
	err = f.run(func(st *step.Step) {
		stats := s.Stats()
		ledger.Add(sim.Moment{
			Tokens: stats.Cache.SlotsUsed, Internal: stats.Cache.SlotsTaken - stats.Cache.SlotsUsed,
			Waiting: stats.Waiting > 0, InFlight: stats.Running, Generated: len(st.Outputs),
		})
	}, nil)
	if err != nil {
		return sim.Result{}, err
	}
	if err := s.Check(); err != nil {
		return sim.Result{}, err
	}
	r, stats := ledger.Result(Paged, len(requests)), s.Stats()
	r.Preemptions = int(stats.Preemptions)
	r.HitTokens = int(stats.Cache.HitTokens)
	if stats.Cache.AskedTokens > 0 {
		r.HitRate = float64(stats.Cache.HitTokens) / float64(stats.Cache.AskedTokens)
	}
	once := -int(stats.Cache.HitTokens)
	for i := range requests {
		once += requests[i].Tokens() - 1
	}
	r.Recomputed = int(stats.Tokens) - once
	return r, nil
}
