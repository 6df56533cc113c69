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
	groups    map[uint64]*group // by request
	best      []continuation
	taken     []int // [beam] continuations that stay
}

type group struct {
	beams []beam
	last  uint64 // id of the latest beam
}

type beam struct {
	id    uint64
	score float64 // log-probability
}

type continuation struct {
	parent int // in group.beams
	score  float64
}

func newBeams(s *schedule.Scheduler, width int) *beams {
	return &beams{scheduler: s, width: width, draw: rand.New(rand.NewPCG(2, uint64(width))), groups: map[uint64]*group{}}
}

// land takes what a step landed. A group whose beams have not all landed goes on as it is: after a preemption the first
// beam is a step ahead of the others. With its longest beam it ends.
func (b *beams) land(landed []schedule.Landed) error {
	for len(landed) > 0 {
		request := landed[0].Sequence >> 32
		n := 1
		for n < len(landed) && landed[n].Sequence>>32 == request {
			n++
		}
		if err := b.landGroup(request, landed[:n]); err != nil {
			return err
		}
		landed = landed[n:]
	}
	return nil
}

func (b *beams) landGroup(request uint64, landed []schedule.Landed) error {
	g := b.groups[request]
	if g == nil {
		g = &group{beams: []beam{{id: landed[0].Sequence}}, last: landed[0].Sequence}
		b.groups[request] = g
	}
	ended := 0
	for _, l := range landed {
		if l.Reason != schedule.Going {
			g.beams = slices.DeleteFunc(g.beams, func(o beam) bool { return o.id == l.Sequence })
			ended++
		}
	}
	switch {
	case ended > 0:
		delete(b.groups, request)
		for _, rest := range g.beams {
			if err := b.scheduler.Cancel(rest.id); err != nil {
				return err
			}
		}
		return nil
	case len(landed) < len(g.beams):
		return nil
	}
	return b.choose(g)
}

// choose replaces a group's beams with the best continuations.
func (b *beams) choose(g *group) error {
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
			if err := b.scheduler.Fork(parents[c.parent].id, next.id, int32(g.last&(own-1))); err != nil {
				return err
			}
		}
		g.beams = append(g.beams, next)
	}
	return nil
}
