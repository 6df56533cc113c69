package paging

import "slices"

// BlockTable is one sequence's place in the cache: for each KV group the ids of its blocks, by position. All groups'
// tables have one length; the null block stands where a window has left. Only a Manager changes a table.
type BlockTable struct {
	ids       [][]int32 // [group][position / block size]
	left      []int     // [group] blocks before this one are given back, but for sinks
	tokens    int       // slots taken: tokens computed, or to be computed by steps already made
	published int       // leading blocks that need no publishing any more
	told      int       // leading entries, of every group, that are as they were at Tell
	hashes    []Hash    // of leading full blocks; of an empty table, as far as anybody asked
	asked     []int32   // the tokens that an empty table's hashes are of
	root      Hash
	swapped   bool      // its blocks are in host memory
	host      [][]int32 // [group][position / block size] host blocks of a swapped table
	live      int       // place in Manager.live, or unlinked
	state     int32     // the slot of its state after its tokens
	from      int32     // where the open step reads it
	hostState int32     // of a swapped table
	kept      []kept    // earlier states, in order of their tokens
	rolled    int       // blocks before its last snapshot that rolls

	// Sequence names the table in events.
	Sequence uint64
	// SkipLookup makes Allocate compute every token, cached or not.
	SkipLookup bool
}

// Len is the number of blocks in each group's table, null blocks included.
func (t *BlockTable) Len() int { return len(t.ids[0]) }

// Tokens is the number of slots taken; of a swapped table, that it had and will have again.
func (t *BlockTable) Tokens() int { return t.tokens }

// Told is how many leading entries of every group's table are as they were at the last Tell.
func (t *BlockTable) Told() int { return t.told }

// Tell says that somebody knows the table as it is; of one that is empty again, they know nothing.
func (t *BlockTable) Tell() { t.told = t.Len() }

// IDs is group g's table. It is the manager's memory: read it, and only until the next call.
func (t *BlockTable) IDs(g int) []int32 { return t.ids[g] }

// Blocks is the number of blocks in t's tables of all groups: only windows leave null blocks, and the same in each table.
func (m *Manager) Blocks(t *BlockTable) int {
	blocks := 0
	for g := range t.ids {
		blocks += len(t.ids[g]) - max(0, t.left[g]-m.groups[g].sinkBlocks(m.size))
	}
	return blocks
}

// NewTable makes an empty table for a sequence that shares cached blocks only with sequences of equal extras.
func (m *Manager) NewTable(e Extras) *BlockTable {
	return &BlockTable{ids: make([][]int32, len(m.groups)), left: make([]int, len(m.groups)), root: e.root(), live: unlinked}
}

// Reserve makes room in t for the given number of tokens, so that Append has nothing to allocate.
func (m *Manager) Reserve(t *BlockTable, tokens int) {
	blocks := m.blocksFor(tokens)
	for g := range t.ids {
		t.ids[g] = slices.Grow(t.ids[g], max(0, blocks-len(t.ids[g])))
	}
	if m.cache {
		t.hashes = slices.Grow(t.hashes, max(0, blocks-len(t.hashes)))
	}
}

// enlist and delist keep the manager's list of tables that hold blocks.
func (m *Manager) enlist(t *BlockTable) {
	if t.live == unlinked {
		t.live = len(m.live)
		m.live = append(m.live, t)
	}
}

func (m *Manager) delist(t *BlockTable) {
	if t.live == unlinked {
		return
	}
	last := len(m.live) - 1
	m.live[t.live] = m.live[last]
	m.live[t.live].live = t.live
	m.live[last] = nil
	m.live = m.live[:last]
	t.live = unlinked
}
