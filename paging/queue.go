package paging

// FreeQueue is a doubly linked list of block ids whose links live in two arrays: every operation on one id is O(1) and
// allocates nothing. The first id is the next to be given out.
type FreeQueue struct {
	next, prev []int32 // one more than there are ids: the last is the list's end
	length     int
}

const unlinked = -1

// NewFreeQueue makes an empty queue for ids [0, ids).
func NewFreeQueue(ids int) *FreeQueue {
	q := &FreeQueue{next: make([]int32, ids+1), prev: make([]int32, ids+1)}
	for i := range q.next {
		q.next[i], q.prev[i] = unlinked, unlinked
	}
	q.next[ids], q.prev[ids] = int32(ids), int32(ids)
	return q
}

func (q *FreeQueue) end() int32 { return int32(len(q.next) - 1) }

// Len is the number of ids in the queue.
func (q *FreeQueue) Len() int { return q.length }

// Has says whether id is in the queue.
func (q *FreeQueue) Has(id int32) bool { return q.next[id] != unlinked }

func (q *FreeQueue) link(before, id int32) {
	after := q.next[before]
	q.next[before], q.prev[id] = id, before
	q.next[id], q.prev[after] = after, id
	q.length++
}

// Append puts id at the end.
func (q *FreeQueue) Append(id int32) { q.link(q.prev[q.end()], id) }

// Prepend puts ids at the head, in their order.
func (q *FreeQueue) Prepend(ids ...int32) {
	before := q.end()
	for _, id := range ids {
		q.link(before, id)
		before = id
	}
}

// Remove takes id out, wherever it is.
func (q *FreeQueue) Remove(id int32) {
	p, n := q.prev[id], q.next[id]
	q.next[p], q.prev[n] = n, p
	q.next[id], q.prev[id] = unlinked, unlinked
	q.length--
}

// Pop takes the first id, or says ErrEmptyQueue.
func (q *FreeQueue) Pop() (int32, error) {
	if q.length == 0 {
		return 0, ErrEmptyQueue
	}
	id := q.next[q.end()]
	q.Remove(id)
	return id, nil
}

// IDs lists the queue, first to last.
func (q *FreeQueue) IDs() []int32 {
	ids := make([]int32, 0, q.length)
	for id := q.next[q.end()]; id != q.end(); id = q.next[id] {
		ids = append(ids, id)
	}
	return ids
}
