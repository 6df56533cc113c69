package paging

// block is what the pool knows of one id. Which group's rows it holds is its tables' business until it is cached.
type block struct {
	refs    int32
	group   int32 // of the cached content
	cached  bool
	source  bool   // a copy of the open step reads it: it may not be given out in this step
	held    bool   // free but for that copy
	coming  bool   // a copy or a swap-in of the open step is to fill it
	leaving bool   // a swap-out of the open step reads it
	used    int32  // slots with a token
	written uint64 // the last step that wrote a slot of it
	loaded  uint64 // the last step that took it from host memory
	hash    Hash
	parent  Hash  // kept for partial hits only
	state   int32 // the snapshot behind it
}

// BlockPool owns all blocks. A block is in the free queue, or held for a copy, or referenced by tables; a cached block
// keeps its hash while it is free, until it is given out again.
type BlockPool struct {
	blocks   []block
	queue    *FreeQueue
	contents []*index // [group] by hash
	children []*index // [group] by parent, for partial hits
	tokens   []int32  // [block][slot] of cached blocks, for partial hits
	size     int
	cached   int // blocks with a hash
	active   int // blocks with references
	used     int // slots with a token, of active blocks
	run      []int32
	sources  []int32
	moves    moves
	states   *statePool // nil: the model has no layers without K and V
	stats    *Stats
	events   func(Event)
}

func newPool(c *Config, groups int, stats *Stats) *BlockPool {
	p := &BlockPool{
		blocks: make([]block, c.Blocks), queue: NewFreeQueue(c.Blocks), size: c.BlockSize,
		stats: stats, events: c.Events,
	}
	for id := 1; id < c.Blocks; id++ {
		p.queue.Append(int32(id))
	}
	for range groups {
		if !c.PrefixCache {
			p.contents = append(p.contents, newIndex(0))
			continue
		}
		p.contents = append(p.contents, newIndex(c.Blocks))
		if c.PartialHits {
			p.children = append(p.children, newIndex(c.Blocks))
		}
	}
	if c.PartialHits {
		p.tokens = make([]int32, c.Blocks*c.BlockSize)
	}
	return p
}

func (p *BlockPool) tell(e Event) {
	if p.events != nil {
		p.events(e)
	}
}

// take gives out the first free block and forgets what it cached. The caller has made sure that there is one.
func (p *BlockPool) take() int32 {
	id, err := p.queue.Pop()
	if err != nil {
		return NullBlock
	}
	p.give(id)
	return id
}

// takeID gives out a free block, wherever it is in the queue.
func (p *BlockPool) takeID(id int32) {
	p.queue.Remove(id)
	p.give(id)
}

func (p *BlockPool) give(id int32) {
	b := &p.blocks[id]
	if b.cached {
		p.stats.Evictions++
		p.unpublish(id)
	}
	b.refs, b.used, b.written, b.loaded = 1, 0, 0, 0
	p.active++
}

// ref adds a reference to a block, reviving it if it was free.
func (p *BlockPool) ref(id int32) {
	b := &p.blocks[id]
	if b.refs == 0 {
		if b.held {
			b.held = false
		} else {
			p.queue.Remove(id)
		}
		p.active++
		p.used += int(b.used)
	}
	b.refs++
	if b.cached {
		p.setUsed(id, p.size) // its tokens are all there, whatever a truncated table makes of them
	}
}

// free says whether a reference to id would take it out of the free queue.
func (p *BlockPool) free(id int32) bool { return p.blocks[id].refs == 0 && !p.blocks[id].held }

// unref drops a reference. A block without any goes back when the caller calls settle: cached ones at once to the
// queue's end, others to its head as one run in the order of the calls.
func (p *BlockPool) unref(id int32) {
	if id == NullBlock {
		return
	}
	b := &p.blocks[id]
	b.refs--
	if b.refs > 0 {
		return
	}
	p.active--
	p.used -= int(b.used)
	if !b.cached {
		p.forget(id)
	}
	p.giveBack(id)
}

func (p *BlockPool) giveBack(id int32) {
	b := &p.blocks[id]
	switch {
	case b.source:
		b.held = true
	case b.cached:
		p.queue.Append(id)
	default:
		p.run = append(p.run, id)
	}
}

// setUsed says how many slots of a referenced block hold a token.
func (p *BlockPool) setUsed(id int32, slots int) {
	b := &p.blocks[id]
	p.used += slots - int(b.used)
	b.used = int32(slots)
}

// settle ends a series of unref calls.
func (p *BlockPool) settle() {
	p.queue.Prepend(p.run...)
	p.run = p.run[:0]
}

// hold marks a block as read by a copy of the open step.
func (p *BlockPool) hold(id int32) {
	b := &p.blocks[id]
	if b.source {
		return
	}
	b.source = true
	p.sources = append(p.sources, id)
	if b.refs == 0 {
		b.held = true
		p.queue.Remove(id)
	}
}

// endStep lets the sources of the step's copies go.
func (p *BlockPool) endStep() {
	for _, id := range p.sources {
		b := &p.blocks[id]
		b.source = false
		if b.held {
			b.held = false
			p.giveBack(id)
		}
	}
	p.sources = p.sources[:0]
	p.settle()
	p.endMoves()
}

// publish lets lookups of group g find the block, written for a sequence, under h.
func (p *BlockPool) publish(sequence uint64, id int32, g int, h, parent *Hash, tokens []int32) {
	b := &p.blocks[id]
	b.cached, b.group, b.hash = true, int32(g), *h
	p.contents[g].insert(*h, id)
	if p.children != nil {
		b.parent = *parent
		p.children[g].insert(*parent, id)
		copy(p.tokens[int(id)*p.size:(int(id)+1)*p.size], tokens)
	}
	p.cached++
	p.tell(Event{Kind: Stored, Sequence: sequence, Group: int32(g), Block: id, Hash: *h})
}

// unpublish hides a cached block from lookups. A free one stays where it is in the queue.
func (p *BlockPool) unpublish(id int32) {
	b := &p.blocks[id]
	p.contents[b.group].remove(b.hash, id)
	if p.children != nil {
		p.children[b.group].remove(b.parent, id)
	}
	b.cached = false
	p.cached--
	p.passSnapshot(id)
	if b.refs == 0 {
		p.forget(id)
	}
	p.tell(Event{Kind: Removed, Group: b.group, Block: id, Hash: b.hash})
}

// Refs is the number of table entries that name the block.
func (p *BlockPool) Refs(id int32) int { return int(p.blocks[id].refs) }

// Cached says whether lookups can find the block.
func (p *BlockPool) Cached(id int32) bool { return p.blocks[id].cached }

// Free is the number of blocks that can be given out, cached ones included.
func (p *BlockPool) Free() int { return p.queue.Len() }

// FreeIDs lists the free queue, first to last.
func (p *BlockPool) FreeIDs() []int32 { return p.queue.IDs() }
