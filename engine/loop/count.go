package loop

import "quire/engine/generation"

// countStep notes how many blocks the requests of a step hold: no other has taken any, however many wait.
func (l *Loop) countStep() {
	var last *generation.Generation
	for i := range l.step.Rows {
		if q := l.sequences[l.step.Rows[i].Sequence]; q != nil && q.Generation != last {
			last = q.Generation
			last.Hold(l.blocks(last))
		}
	}
}

// blocks counts the blocks of a request, shared ones once.
func (l *Loop) blocks(g *generation.Generation) int {
	if len(g.Live) == 1 {
		return l.scheduler.Blocks(g.Live[0].ID)
	}
	clear(l.counted)
	for _, q := range g.Live {
		for group := 0; ; group++ {
			table := l.scheduler.Table(q.ID, group)
			if table == nil {
				break
			}
			for _, id := range table {
				l.counted[id] = true
			}
		}
	}
	delete(l.counted, 0) // the null block
	return len(l.counted)
}
