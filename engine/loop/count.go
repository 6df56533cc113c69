package loop

import (
	"quire/engine/generation"
	"quire/engine/step"
	"quire/paging"
)

// countStep notes how many blocks the requests of a step hold: no other has taken any, however many wait.
func (l *Loop) countStep() {
	var last *generation.Generation
	for i := range l.step.Rows {
		r := &l.step.Rows[i]
		q := l.sequences[r.Sequence]
		if q == nil {
			continue
		}
		g := q.Generation
		t := l.tallies[g.ID]
		if t == nil && len(g.Live) == 1 && !g.Search() {
			g.Hold(l.scheduler.Blocks(q.ID))
			continue
		}
		if t == nil {
			t = &tally{tables: map[uint64][][]int32{}, uses: map[int32]int{}}
			l.tallies[g.ID] = t
		}
		t.take(&l.step, r)
		if last != nil && last != g {
			l.tally(last)
		}
		last = g
	}
	if last != nil {
		l.tally(last)
	}
}

// sentBack notes that sequences have no blocks any more.
func (l *Loop) sentBack(sequences []uint64) {
	for _, id := range sequences {
		if q := l.sequences[id]; q != nil {
			l.tallies[q.Generation.ID].drop(id)
		}
	}
}

// tally notes how many blocks a request of several sequences holds.
func (l *Loop) tally(g *generation.Generation) {
	t := l.tallies[g.ID]
	for _, q := range g.Live {
		tables := t.of(q.ID, len(l.step.Groups))
		none := len(tables[0]) == 0 // perhaps a fork that has not run yet
		for group := range tables {
			if table := l.scheduler.Table(q.ID, group); none {
				t.set(&tables[group], 0, table)
			} else if len(table) < len(tables[group]) { // a draft was wrong
				t.set(&tables[group], len(table), nil)
			}
		}
	}
	g.Hold(len(t.uses))
}

// tally counts the blocks of a request's sequences, shared ones once, from what steps tell of their tables.
type tally struct {
	tables map[uint64][][]int32 // of each sequence, [group]
	uses   map[int32]int        // of a block, the tables that name it
}

// take brings a sequence's tables up to date.
func (t *tally) take(s *step.Step, r *step.Row) {
	tables := t.of(r.Sequence, len(s.Groups))
	for g := range tables {
		t.set(&tables[g], int(r.Held), s.Groups[g].Tables[r.Table:r.Table+r.Blocks-r.Held])
	}
}

// of gives a sequence's tables.
func (t *tally) of(sequence uint64, groups int) [][]int32 {
	if t.tables[sequence] == nil {
		t.tables[sequence] = make([][]int32, groups)
	}
	return t.tables[sequence]
}

// set takes what comes behind the entries of a table that are as they were.
func (t *tally) set(table *[]int32, held int, ids []int32) {
	t.count((*table)[held:], -1)
	t.count(ids, 1)
	*table = append((*table)[:held], ids...)
}

// drop takes a sequence's tables out; nothing of none.
func (t *tally) drop(sequence uint64) {
	if t == nil {
		return
	}
	for _, table := range t.tables[sequence] {
		t.count(table, -1)
	}
	delete(t.tables, sequence)
}

func (t *tally) count(ids []int32, by int) {
	for _, id := range ids {
		if id == paging.NullBlock {
			continue
		}
		if t.uses[id] += by; t.uses[id] == 0 {
			delete(t.uses, id)
		}
	}
}
