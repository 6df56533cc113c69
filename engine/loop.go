package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"quire/engine/gpu"
	"quire/engine/runner"
	"quire/engine/schedule"
)

// run is the step loop: take requests in, schedule a step, submit it, land the oldest when enough are in flight or
// nothing else can be done. It ends with Close.
func (e *Engine) run() {
	defer close(e.done)
	for {
		e.takeIn()
		if e.isClosing() {
			break
		}
		if len(e.live) == 0 && (e.runner == nil || e.runner.InFlight() == 0) {
			e.observe()
			<-e.wake
			continue
		}
		if err := e.advance(); err != nil {
			e.fail(err)
		}
	}
	e.shutdown()
}

// advance makes one step or lands one.
func (e *Engine) advance() error {
	if e.runner == nil {
		return e.comeBack()
	}
	d := e.scheduler.Schedule(&e.step)
	switch d.Kind {
	case schedule.Run:
		for _, o := range d.Opened {
			if q := e.live[o.Sequence]; q != nil {
				e.runner.Open(o.Lane, q.sample)
				if g := q.group; !g.opened { // not when it comes back after a preemption
					g.opened, g.figures.CachedTokens = true, o.Cached
				}
			}
		}
		e.scheduled(&d)
		e.countStep()
		if e.trace != nil {
			e.trace(&e.step)
		}
		if err := e.runner.Submit(&e.step); err != nil {
			return err
		}
		if e.runner.InFlight() >= e.runnerOpt.Depth {
			return e.land()
		}
		return nil
	case schedule.Land:
		return e.land()
	}
	if e.runner.InFlight() > 0 {
		return e.land()
	}
	if len(e.live) > 0 {
		return fmt.Errorf("engine: %d requests live and nothing to schedule", len(e.live))
	}
	return nil
}

// comeBack rebuilds after a lost device. A driver that starts again may have no adapter or memory for a moment.
func (e *Engine) comeBack() error {
	err := e.rebuild()
	if err == nil || e.failures >= mostFailures {
		return err
	}
	e.failures++
	time.Sleep(restartTime << e.failures)
	return nil
}

// takeIn hands new requests and cancellations to the scheduler.
func (e *Engine) takeIn() {
	e.mu.Lock()
	incoming, cancels, calls := e.incoming, e.cancels, e.calls
	e.incoming, e.cancels, e.calls = nil, nil, nil
	e.mu.Unlock()
	for _, g := range incoming {
		e.groups[g.id] = g
		for _, q := range g.live {
			e.live[q.id] = q
		}
		if err := e.scheduler.Add(g.asked()); err != nil {
			e.stop(g, FinishError, err)
		} else if g.search != nil {
			g.search.most = e.scheduler.Room(g.id)
		}
	}
	for _, id := range cancels {
		if g := e.groups[id]; g != nil {
			e.stop(g, FinishCancelled, g.expired())
		}
	}
	for _, f := range calls {
		f()
	}
}

// land waits for the oldest step and gives its tokens to their streams.
func (e *Engine) land() error {
	landed, err := e.runner.Land(context.Background())
	if err != nil {
		return err
	}
	e.failures = 0
	// Before the scheduler lets what ends with this step into the cache.
	for _, id := range landed.Broken {
		if q := e.live[id]; q != nil {
			e.stop(q.group, FinishError, ErrNotNumbers)
		}
	}
	for _, row := range landed.Rows {
		if q := e.live[row.Sequence]; q != nil && q.group.request.Logits != nil {
			q.group.request.Logits(row.Position, row.Logits)
		}
	}
	now := time.Now()
	tokens, err := e.scheduler.Land(landed.Number, landed.Tokens)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if q := e.live[t.Sequence]; q != nil {
			e.give(q, t, landed, now)
		}
	}
	e.observe()
	return nil
}

// give hands a landed token to its stream.
func (e *Engine) give(q *sequence, t schedule.Landed, landed *runner.Landed, now time.Time) {
	g, pick := q.group, &landed.Picks[t.Index]
	g.clock.token(now)
	if g.search != nil {
		e.landBeam(q, pick)
		return
	}
	g.landed++
	hit := q.take(g.request.newToken(pick.TopLogit, pick.Top), t.Reason)
	switch {
	case t.Reason == schedule.Stopped || hit && t.Reason != schedule.Going:
		e.end(q, FinishStop, nil)
	case t.Reason == schedule.Length:
		e.end(q, FinishLength, nil)
	case hit:
		if err := e.scheduler.Finish(q.id); err != nil {
			e.end(q, FinishError, err)
			return
		}
		e.end(q, FinishStop, nil)
	}
}

// ends tells the scheduler which tokens end a sequence.
func (e *Engine) ends(id uint64, token int32) bool {
	q := e.live[id]
	return q != nil && q.group.search == nil && !q.group.request.IgnoreEnd && e.tokenizer.IsEnd(token)
}

func (e *Engine) isClosing() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closing
}

// shutdown ends what lives and gives the GPU back.
func (e *Engine) shutdown() {
	e.takeIn()
	for _, g := range e.groups {
		e.stop(g, FinishError, ErrClosed)
	}
	if e.runner != nil {
		e.runner.Release()
	}
	if e.device != nil {
		e.device.Release()
	}
	e.events.close()
	e.closeErr = e.source.Close()
}

// most is how many devices may be lost in a row before requests are given up.
const mostFailures = 3

// restartTime is doubled for each failure in a row and waited before the next try.
const restartTime = 50 * time.Millisecond

// fail answers an error of the step loop: a lost device is rebuilt, anything else ends the live requests.
func (e *Engine) fail(err error) {
	if errors.Is(err, gpu.ErrDeviceLost) && e.failures < mostFailures {
		e.failures++
		e.drop()
		return
	}
	e.failures = 0
	for _, g := range e.groups {
		e.stop(g, FinishError, err)
	}
	e.drop()
}

// drop forgets everything on the GPU: nothing is computed any more, and live sequences wait again with all landed tokens.
func (e *Engine) drop() {
	if e.runner != nil {
		e.runner.Release()
		e.runner = nil
	}
	if e.device != nil {
		e.device.Release()
		e.device = nil
	}
	if err := e.scheduler.Reset(); err != nil {
		for _, g := range e.groups {
			e.stop(g, FinishError, err)
		}
	}
}

// rebuild opens a device and builds everything on it again from the source.
func (e *Engine) rebuild() (err error) {
	ctx := context.Background()
	if e.device, err = gpu.Open(ctx, e.options.GPU); err != nil {
		return err
	}
	r, err := runner.New(ctx, e.device, e.plan, e.source, e.runnerOpt)
	if err != nil {
		e.device.Release()
		e.device = nil
		return err
	}
	e.runner = r
	e.mu.Lock()
	e.stats.Recoveries++
	e.mu.Unlock()
	return nil
}
