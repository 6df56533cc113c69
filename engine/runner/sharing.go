package runner

import "quire/engine/step"

// leastShared is the fewest tokens that sequences share for their attention to read them once.
const leastShared = 256

// sharing finds sequences of a step whose block tables begin with the same blocks. It knows the tables by what steps bring, and
// looks again only where other sequences run, or the beginning of a table has changed.
type sharing struct {
	groups    []int // the KV groups that count
	blockSize int
	lanes     []laneTable
	last      []lastRow // of the step before
	found     []sharedRows
	member    []int32 // of each row, the index in found; -1: none
	order     []int32 // of rows, those that share next to each other; nil: as they are
	orderRoom []int32
	lengths   []int32 // while looking
	rows      []int32
}

// laneTable is what is known of a lane's blocks.
type laneTable struct {
	ids    [][]int32 // in each of the groups that count
	shared int       // blocks that it shares
}

// lastRow is a row as far as sharing depends on it.
type lastRow struct {
	lane   int32
	single bool // has one token
}

// sharedRows are rows of one token each that share their first keys.
type sharedRows struct {
	rows []int32 // of the step
	keys int
}

// find brings the tables up to date and looks for rows that share.
func (h *sharing) find(s *step.Step) {
	same := len(s.Rows) == len(h.last)
	h.last = h.last[:min(len(h.last), len(s.Rows))]
	for i := range s.Rows {
		row := &s.Rows[i]
		changed := h.tell(s, row)
		now := lastRow{row.Lane, row.Count == 1}
		if i < len(h.last) {
			same = same && !changed && h.last[i] == now
			h.last[i] = now
		} else {
			h.last = append(h.last, now)
		}
	}
	if !same {
		h.look(s)
		h.arrange(s)
	}
}

// tell notes what a step brings of a row's table, and reports whether what it shares has changed.
func (h *sharing) tell(s *step.Step, row *step.Row) (changed bool) {
	for int(row.Lane) >= len(h.lanes) {
		h.lanes = append(h.lanes, laneTable{ids: make([][]int32, len(h.groups))})
	}
	lane := &h.lanes[row.Lane]
	held := int(row.Held)
	for n, g := range h.groups {
		ids := &lane.ids[n]
		if held == len(*ids) && row.Held == row.Blocks {
			continue
		}
		changed = changed || held < max(lane.shared, min(len(*ids), leastShared/h.blockSize))
		*ids = (*ids)[:min(held, len(*ids))]
		if len(*ids) == held {
			*ids = append(*ids, s.Groups[g].Tables[row.Table:row.Table+row.Blocks-row.Held]...)
		}
	}
	return changed
}

// look finds the rows that share: of those whose tables have the same block where the fewest tokens end, as many with the first
// of them as have the most tokens together that need not be read again. An id in the same place of two tables means that what
// comes before it is the same.
func (h *sharing) look(s *step.Step) {
	h.found, h.member = h.found[:0], h.member[:0]
	for i := range s.Rows {
		h.member = append(h.member, -1)
		h.lanes[s.Rows[i].Lane].shared = 0
	}
	for i := range s.Rows {
		if h.member[i] >= 0 || h.whole(&s.Rows[i]) == 0 {
			continue
		}
		h.rows, h.lengths = h.rows[:0], h.lengths[:0]
		for j := i + 1; j < len(s.Rows); j++ {
			if h.member[j] < 0 {
				if n := h.common(&s.Rows[i], &s.Rows[j]); n > 0 {
					h.insert(int32(j), int32(n))
				}
			}
		}
		best, most := 0, int32(0)
		for n, length := range h.lengths {
			if saved := int32(n+1) * length; saved > most {
				best, most = n+1, saved
			}
		}
		if best > 0 {
			h.join(s, int32(i), h.rows[:best], int(h.lengths[best-1]))
		}
	}
}

// insert keeps rows by what they share, the most first.
func (h *sharing) insert(row, length int32) {
	h.rows, h.lengths = append(h.rows, row), append(h.lengths, length)
	for n := len(h.rows) - 1; n > 0 && h.lengths[n-1] < length; n-- {
		h.rows[n], h.rows[n-1] = h.rows[n-1], h.rows[n]
		h.lengths[n], h.lengths[n-1] = h.lengths[n-1], h.lengths[n]
	}
}

// join makes rows one group that shares so many blocks.
func (h *sharing) join(s *step.Step, first int32, others []int32, blocks int) {
	n := len(h.found)
	if n < cap(h.found) {
		h.found = h.found[:n+1]
	} else {
		h.found = append(h.found, sharedRows{})
	}
	g := &h.found[n]
	g.rows, g.keys = append(append(g.rows[:0], first), others...), blocks*h.blockSize
	for _, row := range g.rows {
		h.member[row] = int32(n)
		h.lanes[s.Rows[row].Lane].shared = blocks
	}
}

// whole is how many blocks of a row's table are full, in front of its token; 0 where it may not share.
func (h *sharing) whole(row *step.Row) int {
	full := int(row.Start) / h.blockSize
	for _, ids := range h.lanes[row.Lane].ids {
		full = min(full, len(ids))
	}
	if row.Count != 1 || full < (leastShared+h.blockSize-1)/h.blockSize {
		return 0
	}
	return full
}

// common is how many blocks two rows share, 0 where those are too few.
func (h *sharing) common(a, b *step.Row) int {
	least, most := (leastShared+h.blockSize-1)/h.blockSize, min(h.whole(a), h.whole(b))
	if most < least || !h.equal(a, b, least-1) {
		return 0
	}
	for least < most {
		if middle := (least + most + 1) / 2; h.equal(a, b, middle-1) {
			least = middle
		} else {
			most = middle - 1
		}
	}
	return least
}

// equal reports whether two rows have the same block in a place of their tables, in every group.
func (h *sharing) equal(a, b *step.Row, at int) bool {
	for n := range h.groups {
		x, y := h.lanes[a.Lane].ids[n][at], h.lanes[b.Lane].ids[n][at]
		if x != y || x == 0 {
			return false
		}
	}
	return true
}

// arrange has rows that share be neighbours.
func (h *sharing) arrange(s *step.Step) {
	h.orderRoom, h.order = h.orderRoom[:0], nil
	moved := false
	next := int32(0) // group that comes next: they are in order of their first rows
	for i := range s.Rows {
		switch g := h.member[i]; {
		case g < 0:
			h.orderRoom = append(h.orderRoom, int32(i))
		case g == next:
			next++
			h.orderRoom = append(h.orderRoom, h.found[g].rows...)
		}
	}
	for i, row := range h.orderRoom {
		moved = moved || int32(i) != row
	}
	if moved {
		h.order = h.orderRoom
	}
}
