package schedule

import (
	"errors"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"quire/engine/step"
)

// walk does at random whatever an engine may do between steps and with them, and knows what every sequence must say.
type walk struct {
	*Scheduler
	t       rapid.TB
	from    choices
	memory  *memory
	check   bool // the books after each turn, too
	step    step.Step
	results map[uint64][]int32 // by step in flight
	lines   map[uint64]*line
	ids     []uint64 // of live sequences and of samples to come
	next    uint64
	past    []*line // ended lately
	pins    []*Pin
	times   times

	forced, voided, redrawn                           int // tokens, draws of steps in flight in whose place they came, and those that come again
	ended, loads, loaded, saved, forks, fails, losses int
	draw                                              []int32 // a draft
}

func newWalk(t rapid.TB, from choices, c Config) *walk {
	s, err := New(c)
	require.NoError(t, err)
	return &walk{Scheduler: s, t: t, from: from, memory: newMemory(t, c), results: map[uint64][]int32{}, lines: map[uint64]*line{}}
}

func (w *walk) id() uint64 {
	w.next++
	return w.next
}

func (w *walk) lives(id uint64, l *line) {
	w.ids = append(w.ids, id)
	w.lines[id] = l
}

// forget drops a sequence that has ended. The line of one whose prompt others still need goes on.
func (w *walk) forget(id uint64) {
	w.ids = slices.DeleteFunc(w.ids, func(o uint64) bool { return o == id })
	w.remember(w.lines[id])
	w.ended++
}

func (w *walk) must(err error, allowed ...error) bool {
	if err != nil && !slices.ContainsFunc(allowed, func(o error) bool { return errors.Is(err, o) }) {
		w.memory.fatal("%v", err)
	}
	return err == nil
}

func (w *walk) add() {
	if len(w.ids) > 20 {
		return
	}
	salt, prompt := salts[w.from.below(len(salts))], w.words(1+w.from.below(20))
	if w.from.below(3) == 0 {
		if said, text := w.someText(); len(text) > 0 {
			salt, prompt = said, text[:min(len(text), 24)]
		}
	}
	q := Request{
		ID: w.id(), Prompt: prompt, MaxTokens: 1 + w.from.below(16), MinTokens: w.from.below(12),
		Priority: w.from.below(3), Tenant: []string{"", "a", "b"}[w.from.below(3)], Salt: salt,
		AllLogits: w.from.below(12) == 0, LandEach: w.from.below(2) < w.times.landEach, Lockstep: !w.times.alone && w.from.below(5) == 0,
	}
	if !w.times.alone && w.from.below(2) == 0 {
		q.Lanes = 1 + w.from.below(4)
	}
	if !w.times.alone && w.from.below(4) == 0 {
		for range 1 + w.from.below(3) {
			q.Samples = append(q.Samples, w.id())
		}
	}
	q.StopTokens = []int32{endToken}
	limit := w.Limit(max(q.Lanes, 1+len(q.Samples)))
	if w.from.below(7) == 0 { // it comes from elsewhere
		limit -= q.MaxTokens
		for range 1 + len(q.Samples) {
			q.Landed = append(q.Landed, w.words(w.from.below(q.MaxTokens)))
		}
	}
	if len(q.Prompt) >= limit || !w.must(w.Add(q), ErrQueueFull) {
		return
	}
	kin := append([]uint64{q.ID}, q.Samples...)
	for i, id := range slices.Clone(kin) {
		tokens := q.Prompt
		if q.Landed != nil {
			tokens = slices.Concat(q.Prompt, q.Landed[i])
		}
		w.lives(id, newLine(q.Salt, len(q.Prompt), tokens, &kin))
	}
}

func (w *walk) cancel(id uint64) {
	if w.from.below(4) == 0 {
		w.must(w.Discard(id))
	} else {
		w.must(w.Cancel(id))
	}
	w.forget(id)
}

// deadline ends all sequences of a request.
func (w *walk) deadline(id uint64) {
	for _, o := range *w.lines[id].kin {
		if slices.Contains(w.ids, o) {
			w.cancel(o)
		}
	}
}

func (w *walk) finish(id uint64) {
	if _, there := w.Tokens(id); there { // a sample to come is unknown
		w.must(w.End(id, 0))
		w.forget(id)
	}
}

func (w *walk) fork(id uint64) {
	l, child, other := w.lines[id], w.id(), w.from.below(letters+1)
	if !w.must(w.Fork(id, child), ErrInFlight, ErrNoLane, ErrCannot, ErrUnknown) {
		return
	}
	w.forks++
	tokens := slices.Clone(l.tokens[:l.landed])
	if other > 0 {
		tokens[len(tokens)-1] = int32(other - 1)
		w.must(w.Replace(child, tokens[len(tokens)-1]))
	}
	*l.kin = append(*l.kin, child)
	w.lives(child, newLine(l.salt, l.prompt, tokens, l.kin))
}

func (w *walk) replace(id uint64) {
	l, token := w.lines[id], int32(w.from.below(letters))
	if w.must(w.Replace(id, token), ErrInFlight, ErrCannot, ErrUnknown) {
		l.cut(l.landed - 1)
		l.add(token)
		l.landed++
	}
}

// truncate drops tokens, and often goes on in another way at once.
func (w *walk) truncate(id uint64) {
	l, n := w.lines[id], 1+w.from.below(6)
	if !w.must(w.Truncate(id, n), ErrInFlight, ErrCannot, ErrUnknown) {
		return
	}
	w.remember(newLine(l.salt, l.prompt, l.tokens[:l.landed], l.kin)) // nobody may find what was never computed of it
	l.cut(l.landed - n)
	if w.from.below(4) > 0 {
		w.replace(id)
	}
}

// draft guesses at what a sequence says next, rightly up to somewhere.
func (w *walk) draft(id uint64) {
	l := w.lines[id]
	w.draw = w.draw[:0]
	for i := range 1 + w.from.below(8) {
		w.draw = append(w.draw, l.token(l.landed+i))
		if w.from.below(8) == 0 {
			w.draw[i] = int32(w.from.below(letters))
		}
	}
	w.Scheduler.Draft(id, w)
}

// Draft implements Drafter.
func (w *walk) Draft(tokens []int32, inFlight, most int) []int32 {
	return w.draw[:min(len(w.draw), inFlight+most)]
}

// force gives a sequence tokens that nobody draws, in place of those in flight.
func (w *walk) force(id uint64) {
	l, tokens := w.lines[id], w.words(1+w.from.below(12))
	unlanded := 0
	if q := w.byID[id]; q != nil {
		unlanded = q.unlanded
	}
	taken, reason, err := w.Force(id, tokens)
	if !w.must(err, ErrInFlight, ErrCannot, ErrUnknown) {
		return
	}
	w.remember(newLine(l.salt, l.prompt, l.tokens[:l.landed], l.kin))
	l.cut(l.landed)
	l.add(tokens[:taken]...)
	l.landed += taken
	w.forced, w.voided = w.forced+taken, w.voided+unlanded
	if reason != Going {
		w.forget(id)
	}
}

// redraw has what is in flight drawn again.
func (w *walk) redraw(id uint64) {
	unlanded := 0
	if q := w.byID[id]; q != nil {
		unlanded = q.unlanded
	}
	if w.must(w.Redraw(id), ErrInFlight, ErrCannot, ErrUnknown) {
		w.redrawn += unlanded
	}
}

// turnBeams takes one sequence of a request out and lets others go on in two ways.
func (w *walk) turnBeams(id uint64) {
	kin := slices.Clone(*w.lines[id].kin)
	for _, o := range kin {
		if !slices.Contains(w.ids, o) {
			continue
		}
		switch w.from.below(3) {
		case 0:
			w.cancel(o)
		case 1:
			w.fork(o)
			w.replace(o)
		}
	}
}

// hold pins, saves or loads a text, or lets a pin go.
func (w *walk) hold() {
	if i := w.from.below(6); i < len(w.pins) {
		w.Unpin(w.pins[i])
		w.pins = slices.Delete(w.pins, i, i+1)
		return
	}
	salt, tokens := w.someText()
	if len(tokens) == 0 {
		return
	}
	var p *Pin
	var err error
	switch w.from.below(5) {
	case 0:
		p, err = w.Pin(tokens, salt, "")
		w.must(err)
	case 1:
		p, err = w.Pin(tokens, salt, "")
		w.must(err)
		w.memory.save(p, salt, tokens)
		w.saved += p.Tokens()
		w.Unpin(p)
		return
	default:
		p, err = w.Load(tokens, len(tokens), salt, "")
		w.must(err)
		if p.Tokens() > len(tokens) {
			w.memory.fatal("%d of %d tokens are loaded", p.Tokens(), len(tokens))
		}
		if w.loads++; w.loads%8 == 0 { // a file that cannot be read on
			w.Forget(p)
			return
		}
		w.memory.fill(p, salt, tokens)
		w.loaded += p.Tokens() - p.Fresh()
		if w.from.below(2) == 0 {
			w.Unpin(p)
			return
		}
	}
	w.pins = append(w.pins, p)
}

func (w *walk) land(number uint64) {
	w.memory.landed(number)
	for _, id := range w.ids {
		if q := w.byID[id]; q != nil && q.drafted > 0 && w.from.below(5) == 0 && !w.Undraft(id) {
			w.memory.fatal("sequence %d has a draft in flight", id)
		}
	}
	landed, err := w.Land(number, w.results[number])
	w.must(err)
	delete(w.results, number)
	stopped := uint64(0)
	for i, x := range landed {
		if x.Sequence == stopped {
			continue
		}
		more := 0 // tokens of a draft that are right
		for i+more+1 < len(landed) && landed[i+more+1].Sequence == x.Sequence {
			more++
		}
		l := w.lines[x.Sequence]
		if x.Token != l.token(l.landed) {
			w.memory.fatal("sequence %d says %d, not %d", x.Sequence, x.Token, l.token(l.landed))
		}
		l.landed++
		if x.Reason != Going {
			w.forget(x.Sequence)
		} else if more > 0 {
			if w.from.below(8) == 0 && landed[i+more].Reason == Going {
				w.must(w.End(x.Sequence, more))
				w.forget(x.Sequence)
				stopped = x.Sequence
			}
		} else if tokens, _ := w.Tokens(x.Sequence); !slices.Equal(tokens, l.tokens[:l.landed]) {
			w.memory.fatal("sequence %d has tokens %v, not %v", x.Sequence, tokens, l.tokens[:l.landed])
		}
	}
}

// schedule asks for a step and runs it, and lands one that has to come first.
func (w *walk) schedule() Kind {
	d := w.Schedule(&w.step)
	if d.Kind != Run && len(w.cache.SwapIns())+len(w.cache.Copies()) > 0 {
		w.memory.fatal("blocks are to be filled by no step")
	}
	switch d.Kind {
	case Run:
		for _, o := range d.Opened {
			w.memory.owners[o.Sequence] = o.Lane
			w.memory.lanes[o.Lane] = -9
		}
		w.results[d.Step] = w.memory.run(&w.step, w.lines)
	case Land:
		if w.from.below(4) > 0 {
			w.land(d.Step)
		}
	case Idle:
		if len(w.ids) > 0 {
			w.memory.fatal("idle, and sequences %v are there", w.ids)
		}
	}
	return d.Kind
}

// fail has the oldest step in flight not run, now and then.
func (w *walk) fail() {
	if len(w.flight) == 0 || w.from.below(3) > 0 {
		return
	}
	for w.from.below(2) == 0 && len(w.ids) > 0 { // what ended meanwhile must not hide who else needed the step
		w.cancel(w.ids[w.from.below(len(w.ids))])
	}
	number := w.flight[0].number
	w.memory.fail(number)
	w.must(w.Fail(number))
	clear(w.results)
	w.fails++
}

// lose loses the device, now and then.
func (w *walk) lose() {
	if w.from.below(8) > 0 {
		return
	}
	w.memory.lose()
	w.must(w.Reset())
	clear(w.results)
	w.losses++
}
