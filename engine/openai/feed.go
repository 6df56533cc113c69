package openai

import (
	"context"
	"time"

	"quire/engine/generation"
)

// feed is a flow's events, of which the first was waited for.
type feed struct {
	flow   *flow
	events <-chan event
	first  *event
	begun  bool
}

// open submits requests, and gives their events. What fails within the time of patience is an error.
func (l *lease) open(ctx context.Context, requests []generation.Request, patience time.Duration) (*feed, error) {
	fl, err := l.start(ctx, requests)
	if err != nil {
		return nil, err
	}
	f := &feed{flow: fl, events: fl.events()}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case e, ok := <-f.events:
		if !ok {
			return nil, context.Canceled
		}
		if e.result != nil {
			if err := failure(e.result); err != nil {
				fl.leave()
				return nil, partOf(err, e.request, len(requests))
			}
		}
		f.first = &e
	case <-timer.C:
	}
	return f, nil
}

// each gives events until f is false, which cancels the requests, or all have ended. It may be called once.
func (f *feed) each(yield func(event) bool) {
	defer f.flow.leave()
	if f.begun {
		return
	}
	f.begun = true
	if f.first != nil && !yield(*f.first) {
		return
	}
	for e := range f.events {
		if !yield(e) {
			return
		}
	}
}
