package engine

import "quire/engine/gpu"

// Stats is what the engine does right now, and what it has done since it was opened.
type Stats struct {
	Blocks                                 int // of the KV cache; each is free (cached or not) or active
	BlocksFree, BlocksActive, BlocksCached int
	SlotsTaken, SlotsUsed, SlotsWasted     int // of active blocks: all, those with a token, and the rest
	HostBlocks, HostFree                   int // of host memory, to swap to

	Waiting, Running   int // requests, sequences
	InFlight           int // steps
	BatchTokens        int // computed by the last step
	BatchSequences     int // in the last step
	Dispatches         int // in the last step
	Steps              uint64
	Computed           uint64  // tokens, of prompts and generated, again after a preemption too
	Tokens             uint64  // generated
	Preemptions, Swaps uint64  // of requests, in all and by swap
	Copies, Evictions  uint64  // of blocks
	SwapOuts, SwapIns  uint64  // of blocks
	AskedTokens        uint64  // of prompts
	HitTokens          uint64  // of them found in the prefix cache, in whole blocks
	PartialTokens      uint64  // of them copied from blocks that share their first tokens only
	HitRate            float64 // share of asked tokens that were found, over the last 1,000 requests
	PinsYielded        uint64  // that gave way to requests
	Pinned             int     // sessions
	EventsDropped      uint64
	Recoveries         int // from lost devices
	GPU                gpu.Stats
}

type batch struct{ tokens, sequences int }

// observe copies what Stats returns.
func (e *Engine) observe() {
	st := e.scheduler.Stats()
	c := &st.Cache
	s := Stats{
		Blocks: c.Blocks, BlocksFree: c.Free, BlocksActive: c.Active, BlocksCached: c.Cached,
		SlotsTaken: c.SlotsTaken, SlotsUsed: c.SlotsUsed, SlotsWasted: c.SlotsTaken - c.SlotsUsed,
		HostBlocks: c.HostBlocks, HostFree: c.HostFree,
		Waiting: st.Waiting, Running: st.Running, InFlight: st.InFlight,
		BatchTokens: e.batch.tokens, BatchSequences: e.batch.sequences,
		Steps: st.Steps, Computed: st.Tokens, Tokens: st.Sampled, Preemptions: st.Preemptions, Swaps: st.Swaps,
		Copies: c.Copies, Evictions: c.Evictions, SwapOuts: c.SwapOuts, SwapIns: c.SwapIns,
		AskedTokens: c.AskedTokens, HitTokens: c.HitTokens, PartialTokens: c.PartialTokens, HitRate: c.HitRate,
		Pinned: st.Pinned, PinsYielded: st.Yielded, EventsDropped: e.events.lost(),
	}
	if e.machine.Runner != nil {
		s.Dispatches, s.GPU = e.machine.Stats().Dispatches, e.machine.device.Stats()
	}
	e.mu.Lock()
	if e.machine.Runner != nil {
		e.profile = e.machine.Profile()
	}
	s.Recoveries = e.stats.Recoveries
	e.stats = s
	e.mu.Unlock()
}

// recovered counts a device that came back.
func (e *Engine) recovered() {
	e.mu.Lock()
	e.stats.Recoveries++
	e.mu.Unlock()
}
