package loop

import (
	"context"
	"time"

	"quire/engine/generation"
)

// mostFailures is how many devices may be lost in a row before requests are given up.
const mostFailures = 3

// restartTime is doubled for each failure in a row and waited before the next try.
const restartTime = 50 * time.Millisecond

// Fail answers an error of a step, or of a Call that wrote to the cache: a lost device is built again, anything else
// finishes all requests.
func (l *Loop) Fail(err error) {
	if l.config.Lost(err) && l.failures < mostFailures {
		l.failures++
		l.drop()
		return
	}
	l.failures = 0
	l.finishAll(generation.FinishError, err)
	l.drop()
}

// drop forgets everything on the GPU: nothing is computed any more, and live sequences wait again with all landed tokens.
func (l *Loop) drop() {
	l.release()
	l.timed, l.times = false, Times{}
	clear(l.tallies)
	clear(l.unsure)
	l.shelf.reset(l.slots())
	if err := l.scheduler.Reset(); err != nil {
		l.finishAll(generation.FinishError, err)
	}
}

func (l *Loop) release() {
	if l.runner != nil {
		l.runner.Release()
		l.runner = nil
	}
}

// comeBack builds again after a lost device. A driver that starts again may have no adapter or memory for a moment.
func (l *Loop) comeBack() error {
	err := l.build()
	if err == nil || l.failures >= mostFailures {
		return err
	}
	l.failures++
	time.Sleep(restartTime << l.failures)
	return nil
}

func (l *Loop) build() error {
	if err := l.config.Runner.Build(context.Background()); err != nil {
		return err
	}
	l.runner = l.config.Runner
	return nil
}
