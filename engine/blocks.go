package engine

import (
	"slices"
	"sort"
)

// Snapshot is the KV cache's blocks between two steps, for pages and dashboards.
type Snapshot struct {
	Blocks    []BlockState // of all KV groups, in the order of their ids, which start at 1
	Sequences []Holder     // live ones, in the order of their ids; those that wait hold no blocks
	Shared    int          // blocks that stand in more than one table
}

// BlockState is one block. It is free without References, and active with them.
type BlockState struct {
	Owner      int32 // in Sequences, the first that holds it; or NoOwner, with References a pinned session
	References int32 // tables that hold it; above 1 it is shared
	Cached     bool  // the prefix cache can find it, free or not
}

// NoOwner is the Owner of a block that no sequence holds.
const NoOwner = -1

// Holder is a live sequence.
type Holder struct {
	Sequence uint64
	Stream   uint64 // the ID of its request's stream
	Index    int    // of the choice; of a beam, its place among the beams
	Blocks   int    // 0 while it waits, also after it was preempted
}

// Blocks fills in s, whose memory it uses again. The step loop does it between steps: it costs nothing when nobody asks.
func (e *Engine) Blocks(s *Snapshot) error { return e.loop.Call(func() { e.snapshot(s) }) }

func (e *Engine) snapshot(s *Snapshot) {
	pool := e.scheduler.Cache().Pool()
	s.Blocks = slices.Grow(s.Blocks[:0], e.info.Blocks)[:e.info.Blocks]
	s.Shared = 0
	for i := range s.Blocks {
		id := int32(i + 1)
		s.Blocks[i] = BlockState{Owner: NoOwner, References: int32(pool.Refs(id)), Cached: pool.Cached(id)}
		if s.Blocks[i].References > 1 {
			s.Shared++
		}
	}
	s.Sequences = s.Sequences[:0]
	for _, g := range e.loop.Generations() {
		for _, q := range g.Live {
			s.Sequences = append(s.Sequences, Holder{q.ID, g.ID, q.Index(), e.scheduler.Blocks(q.ID)})
		}
	}
	sort.SliceStable(s.Sequences, func(i, j int) bool { return s.Sequences[i].Sequence < s.Sequences[j].Sequence })
	for owner, h := range s.Sequences {
		for group := 0; ; group++ {
			table := e.scheduler.Table(h.Sequence, group)
			if table == nil {
				break
			}
			for _, id := range table {
				if id > 0 && s.Blocks[id-1].Owner == NoOwner {
					s.Blocks[id-1].Owner = int32(owner)
				}
			}
		}
	}
}
