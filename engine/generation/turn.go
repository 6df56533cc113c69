package generation

import (
	"slices"
	"time"

	"quire/engine/sample"
	"quire/engine/schedule"
)

// Turn says how the beams of a search become the next ones: sequences of which nothing goes on end, those of which several
// do are forked, and each of the generation's live sequences then takes its token in place of the last.
type Turn struct {
	Ended  []*Sequence
	Forks  []Fork
	Tokens []int32 // one a live sequence
}

// Fork is a new sequence, without an id yet, that shares all that its parent has.
type Fork struct{ Parent, Child *Sequence }

// Search reports whether the request is a beam search: its sequences land by LandBeam.
func (g *Generation) Search() bool { return g.search != nil }

// LandBeam takes what may follow a beam. When every beam has landed, it gives the turn to make; over says that the search has
// ended instead.
func (q *Sequence) LandBeam(drawn sample.Token, now time.Time) (turn *Turn, over bool) {
	g := q.Generation
	g.clock.token(now)
	g.landed++
	q.top, q.landed = drawn.Top, true
	tops := make([][]sample.Candidate, len(g.Live))
	var closes []map[int32]bool // by beam
	if g.Request.Grammar != nil {
		closes = make([]map[int32]bool, len(g.Live))
	}
	for i, o := range g.Live {
		if !o.landed {
			return nil, false
		}
		if tops[i] = o.top; closes != nil {
			tops[i], closes[i] = o.allowed(o.top)
		}
	}
	moves := g.search.advance(tops, closes)
	if moves == nil {
		return nil, true
	}
	return g.turn(moves), false
}

// turn makes the sequences the beams that moves say, in their order: the first continuation of each goes on in its sequence.
func (g *Generation) turn(moves []move) *Turn {
	t, parents := &Turn{}, g.Live
	next := make([]*Sequence, len(moves))
	taken := make([]bool, len(parents))
	places := make([]*follower, len(parents))
	for i, q := range parents {
		places[i] = q.grammar
	}
	for i, m := range moves {
		parent := parents[m.parent]
		if next[i] = parent; taken[m.parent] {
			next[i] = g.newSequence(0, parent.Sample)
			t.Forks = append(t.Forks, Fork{parent, next[i]})
		}
		taken[m.parent] = true
		next[i].landed, next[i].grammar = false, places[m.parent].clone()
		next[i].grammar.take(m.token)
		t.Tokens = append(t.Tokens, m.token)
	}
	for i, q := range parents {
		if !taken[i] {
			t.Ended = append(t.Ended, q)
		}
	}
	g.Live = next
	return t
}

// hypotheses spells out what a search has found.
func (g *Generation) hypotheses() []*Sequence {
	found := g.search.results(g.reason)
	var all []*Sequence
	for i, text := range found[:min(len(found), g.Request.choices())] {
		q := g.newSequence(i, g.Request.Sample)
		links := text.links()
		for j, l := range links {
			reason := schedule.Going
			if j == len(links)-1 {
				reason = schedule.Length
				if text.reason == FinishStop && slices.Contains(g.ends, l.drawn.ID) {
					reason = schedule.Stopped
				}
			}
			q.take(sample.Token{Candidate: l.drawn, Top: l.top}, reason)
		}
		q.logprob, q.score, q.reason = text.sum, text.score, text.reason
		all = append(all, q)
	}
	return all
}
