package loop

import (
	"time"

	"quire/engine/schedule"
)

// Short says what is done where steps are short in which sequences only decode. Tokens then come a few at a time, too quickly to be seen, and
// who comes next waits for more steps, which take no longer than fewer long ones.
type Short struct {
	Most     time.Duration // that a step takes
	Depth    int           // steps in flight; 0: as of others
	Together int           // of them, those that are submitted as one, for a GPU loses time between two submissions; 0: none
}

// pace is how quickly steps land.
type pace struct {
	landed [6]time.Time // when the last did: of those that land two or three at once as many as land in their time
	next   int
	short  bool
}

// land notes that a step has landed. Of those that are submitted as one all land at once.
func (p *pace) land(now time.Time, most time.Duration) {
	p.short = now.Sub(p.landed[p.next]) <= time.Duration(len(p.landed))*most
	p.landed[p.next] = now
	p.next = (p.next + 1) % len(p.landed)
}

// ahead is how many steps may be in flight, and how many are submitted as one: the GPU has as many to compute meanwhile. What a sequence
// drafts depends on each of its tokens.
func (l *Loop) ahead() (depth, together int) {
	s := l.config.Short
	if s.Depth == 0 || !l.plain || !l.pace.short || l.config.Drafter != nil {
		return l.config.Depth, 1
	}
	if s.Together < 2 || l.runner.InFlight() < s.Together {
		return s.Depth, 1
	}
	return s.Depth, s.Together
}

// makeSteps makes so many steps, as far as there is something to compute, and submits them.
func (l *Loop) makeSteps(n int) (kind schedule.Kind, err error) {
	if n == 1 {
		return l.makeStep()
	}
	if err = l.runner.Hold(true); err != nil {
		return kind, err
	}
	for kind = schedule.Run; n > 0 && kind == schedule.Run && err == nil; n-- {
		kind, err = l.makeStep()
	}
	if err == nil {
		err = l.runner.Hold(false)
		l.lap(&l.times.Submit)
	}
	return kind, err
}
