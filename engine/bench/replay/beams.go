package replay

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"quire/engine/schedule"
)

// beams drives the beam search of all requests: after each step the best continuations stay, beams without one are freed,
// and beams with several are forked. The probabilities are made up: a beam's best tokens have p, p(1-p), p(1-p)², …, p
// drawn anew for each beam and step.
type beams struct {
	scheduler *schedule.Scheduler
	width     int
	draw      *rand.Rand
	searches  map[uint64]*search // by request
	best      []continuation
	taken     []int // [beam] continuations that stay
}

type search struct {
	beams  []beam
	landed int    // beams that have landed a token since the last choice
	last   uint64 // id of the latest beam
}

type beam struct {
	id    uint64
	score float64 // log-probability
}

type continuation struct {
	parent int // in search.beams
	score  float64
}

func newBeams(s *schedule.Scheduler, width int) *beams {
	return &beams{scheduler: s, width: width, draw: rand.New(rand.NewPCG(2, uint64(width))), searches: map[uint64]*search{}}
}

// land takes what a step landed. A search goes on when all its beams have landed a token; one that found no block in a step
// is a step late.
func (b *beams) land(landed []schedule.Landed) error {
	for _, l := range landed {
		request := l.Sequence >> 32
		g := b.searches[request]
		if g == nil {
			g = &search{beams: []beam{{id: l.Sequence}}, last: l.Sequence}
			b.searches[request] = g
		}
		if g.landed++; g.landed < len(g.beams) {
			continue
		}
		g.landed = 0
		if l.Reason != schedule.Going { // all are equally long
			delete(b.searches, request)
			continue
		}
		if err := b.choose(g); err != nil {
			return err
		}
	}
	return nil
}

// choose replaces a search's beams with the best continuations.
func (b *beams) choose(g *search) error {
	b.best = b.best[:0]
	for i, parent := range g.beams {
		p := 1 - b.draw.Float64()*0.999 // never 0
		for rank := range b.width {
			score := parent.score + math.Log(p) + float64(rank)*math.Log(1-p)
			b.best = append(b.best, continuation{parent: i, score: score})
		}
	}
	slices.SortStableFunc(b.best, func(x, y continuation) int { return cmp.Compare(y.score, x.score) })
	b.best = b.best[:b.width]
	b.taken = append(b.taken[:0], make([]int, len(g.beams))...)
	for _, c := range b.best {
		b.taken[c.parent]++
	}
	for i, n := range b.taken {
		if n == 0 {
			if err := b.scheduler.Cancel(g.beams[i].id); err != nil {
				return err
			}
		}
	}
	parents := g.beams
	clear(b.taken)
	g.beams = make([]beam, 0, b.width)
	for _, c := range b.best {
		next := beam{id: parents[c.parent].id, score: c.score}
		if b.taken[c.parent]++; b.taken[c.parent] > 1 {
			g.last++
			next.id = g.last
			if err := b.scheduler.Fork(parents[c.parent].id, next.id); err != nil {
				return err
			}
			if err := b.scheduler.Replace(next.id, int32(g.last&(own-1))); err != nil {
				return err
			}
		}
		g.beams = append(g.beams, next)
	}
	return nil
}
