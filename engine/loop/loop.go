// Package loop is the step loop: one goroutine takes requests in, has a step scheduled, submits it, lands the oldest and gives
// its tokens to their requests. What that goroutine owns lives here. It reaches the GPU and the scheduler through small
// interfaces; a lost device is one transition of the loop.
package loop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"quire/engine/draft"
	"quire/engine/generation"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
)

// ErrClosed says that the loop has ended, or is about to.
var ErrClosed = errors.New("the engine is closed")

// Runner computes steps, in order.
type Runner interface {
	// Open says how a lane's tokens are drawn from now on, and after which. Where it cannot, the lane's request fails.
	Open(lane int32, p sample.Params, h sample.History) error
	Expect(sequences int)                           // says how many may decode at once, of those that wait too
	Submit(s *step.Step) error                      // runs a step behind those submitted, and does not wait
	Hold(on bool) error                             // keeps steps back that can go to the GPU together; off submits them
	Draw(m *step.Masks) error                       // has the tokens of that step drawn, if an output is Masked, before the next
	Land(ctx context.Context) (*step.Result, error) // waits for the oldest step
	InFlight() int                                  // steps that have not landed
	Release()                                       // gives everything on the GPU back; Build makes it again
	Build(ctx context.Context) error
}

// Scheduler decides what runs; schedule.Scheduler says what each method does.
type Scheduler interface {
	Add(r schedule.Request) error
	Schedule(s *step.Step) schedule.Decision
	Land(number uint64, tokens []int32) ([]schedule.Landed, error)
	End(sequence uint64, but int) error
	Force(sequence uint64, tokens []int32) (taken int, reason schedule.Reason, err error)
	Redraw(sequence uint64) error
	Void(sequence uint64) bool
	Draft(sequence uint64, d schedule.Drafter)
	Undraft(sequence uint64) bool
	Cancel(sequence uint64) error
	Discard(sequence uint64) error
	Fork(parent, child uint64) error
	Replace(sequence uint64, token int32) error
	Reset() error
	Room(sequence uint64) int
	Tokens(sequence uint64) ([]int32, bool)
	Blocks(sequence uint64) int
	Table(sequence uint64, group int) []int32
}

// Config is fixed for a loop's life. Its functions run in the loop.
type Config struct {
	Runner     Runner // built
	Scheduler  Scheduler
	Depth      int                                       // steps in flight
	Short      Short                                     // steps
	RunsAhead  bool                                      // tokens are drawn under grammars before the one before them has landed
	Vocabulary int                                       // tokens that masks are of
	Outputs    int                                       // of a step, at most
	Lost       func(error) bool                          // says whether an error means a lost device, which Build may bring back
	Step       func(schedule.Decision, *step.Step)       // told of each step before it is submitted; may be nil
	Change     func()                                    // told when a step has landed, and when there is nothing to do; may be nil
	Drafter    func(most int, salt string) draft.Drafter // makes one for a sequence; nil: there are no drafts
	Guesses    int                                       // sequences of a step up to which the model guesses for Drafter; 0: it does not
}

// Loop runs requests. Submit, Cancel, Call and Close may be called from any goroutine.
type Loop struct {
	config Config

	mu       sync.Mutex // guards what follows
	incoming []*generation.Generation
	cancels  []cancel
	calls    []func()
	closing  bool
	next     uint64        // id of a sequence
	wake     chan struct{} // holds one signal: something came
	done     chan struct{}

	// The goroutine's own.
	runner      Runner // nil: the device is lost
	scheduler   Scheduler
	sequences   map[uint64]*generation.Sequence // live ones
	generations map[uint64]*generation.Generation
	tallies     map[uint64]*tally // of requests with several sequences
	step        step.Step
	masks       step.Masks
	unsure      map[uint64]*unsure // by sequence
	fills       int                // sets of tokens that the step brings along for what may be, which are at most
	mostFills   int
	shelf       shelf
	forced      []uint64 // sequences of which nothing lands of the step that is to be drawn: they were given tokens, or draw again
	expected    int      // sequences that would decode, when a request last came
	plain       bool     // in the step submitted last sequences only decoded, and nothing but their tokens comes back
	pace        pace
	failures    int // devices lost in a row without a step landing
	timed       bool
	times       Times
	lapped      time.Time
}

type cancel struct {
	generation uint64
	err        error
}

// New makes a loop that does nothing until Run.
func New(c Config) *Loop {
	if c.Step == nil {
		c.Step = func(schedule.Decision, *step.Step) {}
	}
	if c.Change == nil {
		c.Change = func() {}
	}
	l := &Loop{
		config: c, wake: make(chan struct{}, 1), done: make(chan struct{}), runner: c.Runner, scheduler: c.Scheduler,
		sequences: map[uint64]*generation.Sequence{}, generations: map[uint64]*generation.Generation{}, tallies: map[uint64]*tally{},
		unsure: map[uint64]*unsure{}, mostFills: mostFills,
	}
	l.shelf.reset(l.slots())
	return l
}

// Submit queues a request, whose sequences get their ids.
func (l *Loop) Submit(g *generation.Generation) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return ErrClosed
	}
	g.Number(func() uint64 { l.next++; return l.next })
	l.incoming = append(l.incoming, g)
	l.signal()
	return nil
}

// Cancel finishes a request after the steps in flight, if it has not finished; err goes into its result.
func (l *Loop) Cancel(id uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cancels = append(l.cancels, cancel{id, err})
	l.signal()
}

// Call runs f in the loop, between steps, and waits for it.
func (l *Loop) Call(f func()) error {
	done := make(chan struct{})
	err := l.Post(func() {
		defer close(done)
		f()
	})
	if err == nil {
		<-done
	}
	return err
}

// Post is Call without waiting.
func (l *Loop) Post(f func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return ErrClosed
	}
	l.calls = append(l.calls, f)
	l.signal()
	return nil
}

// CallReady is Call with a built runner: a lost device is brought back first.
func (l *Loop) CallReady(f func() error) (err error) {
	callErr := l.Call(func() {
		if l.runner == nil {
			if err = l.build(); err != nil {
				return
			}
		}
		err = f()
	})
	if callErr != nil {
		return callErr
	}
	return err
}

// Close finishes all requests with ErrClosed and waits until Run has returned.
func (l *Loop) Close() {
	l.mu.Lock()
	l.closing = true
	l.mu.Unlock()
	l.signal()
	<-l.done
}

// Generations gives the requests that have not finished, in no order; only for a Call.
func (l *Loop) Generations() map[uint64]*generation.Generation { return l.generations }

func (l *Loop) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run takes requests in, schedules a step, submits it, and lands the oldest when enough are in flight or nothing else can
// be done. It returns after Close, with everything on the GPU given back.
func (l *Loop) Run() {
	defer close(l.done)
	for {
		l.takeIn()
		if l.isClosing() {
			break
		}
		if len(l.sequences) == 0 && l.inFlight() == 0 {
			l.config.Change()
			<-l.wake
			continue
		}
		if err := l.advance(); err != nil {
			l.Fail(err)
		}
	}
	l.takeIn()
	l.finishAll(generation.FinishError, ErrClosed)
	l.release()
}

func (l *Loop) isClosing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closing
}

func (l *Loop) inFlight() int {
	if l.runner == nil {
		return 0
	}
	return l.runner.InFlight()
}

// takeIn hands new requests and cancellations to the scheduler.
func (l *Loop) takeIn() {
	l.mu.Lock()
	incoming, cancels, calls := l.incoming, l.cancels, l.calls
	l.incoming, l.cancels, l.calls = nil, nil, nil
	l.mu.Unlock()
	for _, g := range incoming {
		if g.Over() {
			continue
		}
		l.generations[g.ID] = g
		for _, q := range g.Live {
			l.sequences[q.ID] = q
			l.draftFor(q)
		}
		if err := l.scheduler.Add(g.Scheduled()); err != nil {
			l.finish(g, generation.FinishError, err)
			continue
		}
		g.SetRoom(l.scheduler.Room(g.ID))
	}
	if len(incoming) > 0 {
		l.expected = 0
		for _, q := range l.sequences {
			if q.Generation.Request.Embed == nil {
				l.expected++
			}
		}
	}
	for _, c := range cancels {
		if g := l.generations[c.generation]; g != nil {
			l.finish(g, generation.FinishCancelled, c.err)
		}
	}
	for _, f := range calls {
		f()
	}
}

// advance makes a step, or a few that go to the GPU as one, or lands one.
func (l *Loop) advance() error {
	if l.runner == nil {
		return l.comeBack()
	}
	depth, steps := l.ahead()
	if l.runner.InFlight()+steps > depth {
		return l.land()
	}
	kind, err := l.makeSteps(steps)
	switch {
	case err != nil:
		return err
	case kind == schedule.Run && l.runner.InFlight() < depth:
		return nil
	case kind == schedule.Land || l.runner.InFlight() > 0:
		return l.land()
	case len(l.sequences) > 0:
		return fmt.Errorf("engine: %d requests live and nothing to schedule", len(l.sequences))
	}
	return nil
}

// makeStep schedules a step and submits it, or says what is to be done instead.
func (l *Loop) makeStep() (schedule.Kind, error) {
	l.lap(nil)
	l.runner.Expect(l.expected)
	d := l.scheduler.Schedule(&l.step)
	l.sentBack(d.Preempted)
	if d.Kind != schedule.Run {
		return d.Kind, nil
	}
	for _, o := range d.Opened {
		if q := l.sequences[o.Sequence]; q != nil {
			if err := l.open(q, o.Lane); err != nil {
				return d.Kind, err
			}
			q.Generation.Begin(o.Cached)
		}
	}
	l.countStep()
	l.guess()
	l.config.Step(d, &l.step)
	l.lap(&l.times.Schedule)
	if err := l.runner.Submit(&l.step); err != nil {
		return d.Kind, err
	}
	if l.timed {
		l.times.Steps++
	}
	l.lap(&l.times.Submit)
	l.plain = l.step.Decodes()
	if slices.ContainsFunc(l.step.Outputs, func(o step.Output) bool { return o.Masked }) {
		return d.Kind, l.draw()
	}
	return d.Kind, nil
}

// open gives a lane to a sequence. Where there is no memory for its penalties, its request finishes.
func (l *Loop) open(q *generation.Sequence, lane int32) error {
	h := sample.History{}
	if q.Sample.Penalizes() {
		tokens, _ := l.scheduler.Tokens(q.ID)
		h = q.History(tokens, l.scheduler.Room(q.ID))
	}
	err := l.runner.Open(lane, q.Sample, h)
	if err == nil || l.config.Lost(err) {
		return err
	}
	l.finish(q.Generation, generation.FinishError, err)
	return nil
}
