package engine

// Stats is what the engine does right now, and what it has done since it was opened.
type Stats struct {
	Blocks           BlockStats `json:"blocks"`
	SlotsTaken       int        `json:"slotsTaken"` // of active blocks: all, those with a token, and the rest
	SlotsUsed        int        `json:"slotsUsed"`
	SlotsWasted      int        `json:"slotsWasted"`
	Snapshots        int        `json:"snapshots"`        // of states, in the prefix cache
	SnapshotHits     uint64     `json:"snapshotHits"`     // sequences that went on from one
	SnapshotsEvicted uint64     `json:"snapshotsEvicted"` // that gave way to others
	HostBlocks       int        `json:"hostBlocks"`       // of host memory, to swap to
	HostFree         int        `json:"hostFree"`

	Waiting        int     `json:"waiting"`        // requests
	Running        int     `json:"running"`        // sequences
	InFlight       int     `json:"inFlight"`       // steps
	BatchTokens    int     `json:"batchTokens"`    // computed by the last step
	BatchSequences int     `json:"batchSequences"` // in the last step
	Dispatches     int     `json:"dispatches"`     // in the last step
	Steps          uint64  `json:"steps"`
	AskedSteps     uint64  `json:"-"`              // of which something is asked; others are chunks that end before their prompts
	Read           uint64  `json:"-"`              // tokens before the ends of steps' rows, whose K and V are read: each as often as rows read it
	AskedRead      uint64  `json:"-"`              // of them by rows of those steps
	Computed       uint64  `json:"computed"`       // tokens, of prompts and generated, again after a preemption too
	Tokens         uint64  `json:"tokens"`         // generated
	Drafts         uint64  `json:"drafts"`         // that were verified
	DraftedTokens  uint64  `json:"draftedTokens"`  // of them
	AcceptedTokens uint64  `json:"acceptedTokens"` // of those, the ones that were right
	Preemptions    uint64  `json:"preemptions"`    // of requests
	Swaps          uint64  `json:"swaps"`          // of preemptions, those by swap
	Copies         uint64  `json:"copies"`         // of blocks
	Evictions      uint64  `json:"evictions"`      // of blocks
	SwapOuts       uint64  `json:"swapOuts"`       // of blocks
	SwapIns        uint64  `json:"swapIns"`        // of blocks
	AskedTokens    uint64  `json:"askedTokens"`    // of prompts
	HitTokens      uint64  `json:"hitTokens"`      // of them found in the prefix cache, in whole blocks
	PartialTokens  uint64  `json:"partialTokens"`  // of them copied from blocks that share their first tokens only
	HitRate        float64 `json:"hitRate"`        // share of asked tokens that were found, over the last 1,000 requests
	PinsYielded    uint64  `json:"pinsYielded"`    // that gave way to requests
	Pinned         int     `json:"pinned"`         // sessions
	EventsDropped  uint64  `json:"eventsDropped"`
	Recoveries     int     `json:"recoveries"` // from lost devices
	StruckOut      string  `json:"struckOut"`  // kernels made while the model runs that computed wrongly: others do their work
	GPUBuffers     int     `json:"gpuBuffers"`
	GPUBytes       uint64  `json:"gpuBytes"`
}

// BlockStats counts the blocks of the KV cache. Each is active, in a sequence's table, or free; cached ones, active or free, can
// serve later prompts.
type BlockStats struct {
	Total  int `json:"total"`
	Active int `json:"active"`
	Cached int `json:"cached"`
	Free   int `json:"free"`
}

type batch struct{ tokens, sequences int }

// observe copies what Stats returns.
func (e *Engine) observe() {
	st := e.scheduler.Stats()
	c := &st.Cache
	s := Stats{
		Blocks:     BlockStats{Total: c.Blocks, Active: c.Active, Cached: c.Cached, Free: c.Free},
		SlotsTaken: c.SlotsTaken, SlotsUsed: c.SlotsUsed, SlotsWasted: c.SlotsTaken - c.SlotsUsed,
		Snapshots: c.Snapshots, SnapshotHits: c.SnapshotHits, SnapshotsEvicted: c.SnapshotsEvicted,
		HostBlocks: c.HostBlocks, HostFree: c.HostFree,
		Waiting: st.Waiting, Running: st.Running, InFlight: st.InFlight,
		BatchTokens: e.batch.tokens, BatchSequences: e.batch.sequences,
		Steps: st.Steps, AskedSteps: st.Asked, Read: st.Read, AskedRead: st.AskedRead, Computed: st.Tokens, Tokens: st.Sampled, Preemptions: st.Preemptions, Swaps: st.Swaps,
		Drafts: st.Drafts, DraftedTokens: st.Drafted, AcceptedTokens: st.Accepted,
		Copies: c.Copies, Evictions: c.Evictions, SwapOuts: c.SwapOuts, SwapIns: c.SwapIns,
		AskedTokens: c.AskedTokens, HitTokens: c.HitTokens, PartialTokens: c.PartialTokens, HitRate: c.HitRate,
		Pinned: st.Pinned, PinsYielded: st.Yielded, EventsDropped: e.events.lost(),
	}
	if e.machine.Runner != nil {
		gpu := e.machine.device.Stats()
		s.Dispatches, s.GPUBuffers, s.GPUBytes = e.machine.Stats().Dispatches, gpu.Buffers, gpu.Bytes
		s.StruckOut = e.machine.StruckOut()
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
