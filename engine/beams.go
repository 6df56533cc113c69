package engine

import (
	"slices"

	"quire/engine/kernel"
	"quire/engine/schedule"
)

// landBeam takes what may follow a beam. When every beam of the search has landed, beams that go on take the sequences:
// the first continuation of each in place, the others in forks, and sequences of which nothing goes on end before that.
func (e *Engine) landBeam(q *sequence, pick *kernel.SampleResult) {
	g := q.group
	g.landed++
	q.top, q.landed = pick.Top, true
	tops := make([][]kernel.TopLogit, len(g.live))
	for i, o := range g.live {
		if !o.landed {
			return
		}
		tops[i] = o.top
	}
	moves := g.search.advance(tops)
	if moves == nil {
		e.stop(g, "", nil)
		return
	}
	if err := e.turn(g, moves); err != nil {
		e.stop(g, FinishError, err)
	}
}

// turn makes a group's sequences the beams that moves say, in their order.
func (e *Engine) turn(g *group, moves []move) error {
	parents := g.live
	next := make([]*sequence, len(moves))
	taken := make([]bool, len(parents))
	for i, m := range moves {
		if !taken[m.parent] {
			taken[m.parent] = true
			next[i] = parents[m.parent]
			next[i].landed = false
		}
	}
	for i, q := range parents {
		if taken[i] {
			continue
		}
		if err := e.scheduler.Cancel(q.id); err != nil {
			return err
		}
		delete(e.live, q.id)
	}
	g.live = slices.DeleteFunc(slices.Clone(parents), func(q *sequence) bool { return e.live[q.id] == nil })
	for i, m := range moves {
		if next[i] != nil {
			continue
		}
		q := e.newSequence(g, 0, parents[m.parent].sample)
		q.id = e.newID()
		if err := e.scheduler.Fork(parents[m.parent].id, q.id, m.token); err != nil {
			return err
		}
		e.live[q.id] = q
		g.live = append(g.live, q)
		next[i] = q
	}
	for i, m := range moves {
		if next[i] == parents[m.parent] {
			if err := e.scheduler.Replace(next[i].id, m.token); err != nil {
				return err
			}
		}
	}
	g.live = next
	return nil
}

// hypotheses spells out what a search has found.
func (e *Engine) hypotheses(g *group) []*sequence {
	found := g.search.results(g.reason)
	var all []*sequence
	for i, text := range found[:min(len(found), g.request.choices())] {
		q := e.newSequence(g, i, g.request.Sample)
		links := text.links()
		for j, l := range links {
			reason := schedule.Going
			if j == len(links)-1 {
				reason = schedule.Length
				if text.reason == FinishStop {
					reason = schedule.Stopped
				}
			}
			q.take(g.request.newToken(l.drawn, l.top), reason)
		}
		q.logprob, q.score, q.reason = text.sum, text.score, text.reason
		all = append(all, q)
	}
	return all
}
