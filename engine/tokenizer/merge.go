package tokenizer

// symbol is a stretch [start, end) of the text in a doubly linked list; -1 ends the list. A symbol
// that its left neighbour took in is empty. id is its token, or None.
type symbol struct {
	start, end int32
	prev, next int32
	id         int32
}

// candidate is a pair of neighbouring symbols that may merge into the token id. It is out of date
// once either has changed, which its size in bytes tells: symbols only grow or vanish.
type candidate struct {
	rank        float64 // the smallest merges first; among equals the leftmost
	left, right int32
	size        int32
	id          int32
}

// merger joins pairs of symbols in the order of their ranks, in O(n log n) for n symbols. Its slices
// are kept from text to text.
type merger struct {
	symbols []symbol
	queue   []candidate // a binary heap
}

// add appends a symbol to the list.
func (m *merger) add(start, end int, id int32) {
	i := int32(len(m.symbols))
	m.symbols = append(m.symbols, symbol{start: int32(start), end: int32(end), prev: i - 1, next: -1, id: id})
	if i > 0 {
		m.symbols[i-1].next = i
	}
}

// merge joins what pair allows: it gives rank and token of two neighbours, or ok = false.
func (m *merger) merge(pair func(left, right *symbol) (rank float64, id int32, ok bool)) {
	m.queue = m.queue[:0]
	offer := func(left, right int32) {
		if left < 0 || right < 0 {
			return
		}
		l, r := &m.symbols[left], &m.symbols[right]
		if rank, id, ok := pair(l, r); ok {
			m.push(candidate{rank: rank, left: left, right: right, size: r.end - l.start, id: id})
		}
	}
	for i := 1; i < len(m.symbols); i++ {
		offer(int32(i-1), int32(i))
	}
	for len(m.queue) > 0 {
		c := m.pop()
		l, r := &m.symbols[c.left], &m.symbols[c.right]
		if l.start == l.end || r.start == r.end || r.end-l.start != c.size || l.next != c.right {
			continue
		}
		l.end, l.id, l.next = r.end, c.id, r.next
		r.start = r.end
		if l.next >= 0 {
			m.symbols[l.next].prev = c.left
		}
		offer(l.prev, c.left)
		offer(c.left, l.next)
	}
}

func (a candidate) before(b candidate) bool {
	return a.rank < b.rank || a.rank == b.rank && a.left < b.left
}

func (m *merger) push(c candidate) {
	m.queue = append(m.queue, c)
	i := len(m.queue) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !c.before(m.queue[parent]) {
			break
		}
		m.queue[i] = m.queue[parent]
		i = parent
	}
	m.queue[i] = c
}

func (m *merger) pop() candidate {
	top := m.queue[0]
	last := len(m.queue) - 1
	c := m.queue[last]
	m.queue = m.queue[:last]
	i := 0
	for {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && m.queue[child+1].before(m.queue[child]) {
			child++
		}
		if !m.queue[child].before(c) {
			break
		}
		m.queue[i] = m.queue[child]
		i = child
	}
	if last > 0 {
		m.queue[i] = c
	}
	return top
}
