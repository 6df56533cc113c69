package paging

// index finds blocks by a hash: the cached block of that content, or the cached children of that parent. Several blocks
// may stand under one hash, in order of insertion; links live in arrays, so that only a new hash allocates.
type index struct {
	lists      map[Hash]ends
	next, prev []int32
}

type ends struct{ first, last int32 }

// newIndex makes an index with room for as many hashes as there are blocks, so that a step never waits for a map to grow.
func newIndex(blocks int) *index {
	return &index{lists: make(map[Hash]ends, blocks), next: make([]int32, blocks), prev: make([]int32, blocks)}
}

// insert puts id last under h.
func (x *index) insert(h Hash, id int32) {
	e, ok := x.lists[h]
	x.next[id], x.prev[id] = unlinked, unlinked
	if !ok {
		x.lists[h] = ends{id, id}
		return
	}
	x.next[e.last], x.prev[id] = id, e.last
	e.last = id
	x.lists[h] = e
}

// remove takes id, which stands under h, out.
func (x *index) remove(h Hash, id int32) {
	p, n := x.prev[id], x.next[id]
	if p == unlinked && n == unlinked {
		delete(x.lists, h)
		return
	}
	e := x.lists[h]
	if p == unlinked {
		e.first = n
	} else {
		x.next[p] = n
	}
	if n == unlinked {
		e.last = p
	} else {
		x.prev[n] = p
	}
	x.lists[h] = e
}

// find gives the first block under h.
func (x *index) find(h *Hash) (int32, bool) {
	e, ok := x.lists[*h]
	return e.first, ok
}
