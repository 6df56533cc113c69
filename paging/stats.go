package paging

// Stats counts what the cache has done, and how it stands.
type Stats struct {
	Blocks int // that can be given out: the null block is none of them
	Free   int // ready to be given out, cached ones included
	Cached int // findable by a lookup, free or not
	Active int // referenced by a table

	SlotsTaken int // slots of active blocks
	SlotsUsed  int // of them with a token; a shared block's count once

	States    int // slots for states; 0: the model has none
	Snapshots int // of them those that lookups find

	HostBlocks int // of host memory
	HostFree   int

	Requests         uint64 // counted lookups
	AskedTokens      uint64 // their tokens
	HitTokens        uint64 // of them found in full cached blocks
	PartialTokens    uint64 // copied from blocks that share only their first tokens; not among the hits
	SnapshotHits     uint64 // sequences that went on from a snapshot
	Copies           uint64
	Evictions        uint64
	SnapshotsEvicted uint64  // for want of slots
	SwapOuts         uint64  // blocks moved to host memory
	SwapIns          uint64  // blocks taken back from it
	SwapsSpared      uint64  // blocks that were found cached when their table came back
	HitRate          float64 // share of asked tokens that were hits, over the last 1,000 requests
}

// HitRate is the share of asked tokens that were found, over the last requests.
type HitRate struct {
	last     int
	records  []hitRecord
	requests int
	asked    int
	hit      int
}

type hitRecord struct{ requests, asked, hit int }

// NewHitRate looks at the given number of last requests.
func NewHitRate(last int) *HitRate { return &HitRate{last: last} }

// Observe adds requests with the tokens they asked for and the tokens they found.
func (r *HitRate) Observe(requests, asked, hit int) {
	r.records = append(r.records, hitRecord{requests, asked, hit})
	r.requests, r.asked, r.hit = r.requests+requests, r.asked+asked, r.hit+hit
	drop := 0
	for r.requests > r.last && drop < len(r.records)-1 {
		old := r.records[drop]
		r.requests, r.asked, r.hit = r.requests-old.requests, r.asked-old.asked, r.hit-old.hit
		drop++
	}
	if drop > 0 {
		r.records = r.records[:copy(r.records, r.records[drop:])]
	}
}

// Rate is between 0 and 1; 0 when nothing was asked.
func (r *HitRate) Rate() float64 {
	if r.asked == 0 {
		return 0
	}
	return float64(r.hit) / float64(r.asked)
}
